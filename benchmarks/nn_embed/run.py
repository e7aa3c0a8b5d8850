"""How good are the verified points of nn-embed? One line of JSON for each run; what a results file holds is not run again.

python benchmarks/nn_embed/run.py [--instances FOLDER] [--groups small,milp,knapsack] [--refine 0,5] [--results FILE]
                                  [--baseline] [--alone]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pyomo.environ as pyo

import bilevel_lang
from benchmarks.machine import describe_machine
from benchmarks.nn_embed.baseline import NAME as LP
from benchmarks.nn_embed.baseline import lp_relaxation
from benchmarks.nn_embed.cases import Case, cases
from benchmarks.nn_embed.network_alone import NAME as ALONE
from benchmarks.nn_embed.network_alone import network_alone
from benchmarks.nn_embed.table import summary
from bilevel_lang.errors import BilevelError
from bilevel_lang.reformulation.nn_options import NnOptions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=Path, help="a folder with index.csv and MPS files as BOBILib has them")
    parser.add_argument("--groups", default="small,milp,knapsack")
    parser.add_argument("--refine", default="0,5")
    parser.add_argument("--baseline", action="store_true", help="the LP relaxation of the follower, for as long as each run took")
    parser.add_argument("--alone", action="store_true", help="the decision of the network's program and nothing else")
    parser.add_argument("--only", default="", help="names that hold this text")
    parser.add_argument("--target", default="auto")
    parser.add_argument("--network", default="auto")
    parser.add_argument("--time-limit", type=float, default=300.0)
    parser.add_argument("--results", type=Path, default=Path("nn_embed_results.jsonl"))
    arguments = parser.parse_args()
    print(describe_machine())
    refine = [int(k) for k in arguments.refine.split(",") if k]
    ways: list[int | str] = [*refine]
    ways += [ALONE] if arguments.alone else []
    ways += [f"{LP} {k}" for k in refine] if arguments.baseline else []
    for way in ways:
        for case in cases(arguments.instances, tuple(arguments.groups.split(","))):
            before = {(r["name"], r["refine"]): r for r in results_of(arguments.results)}
            if arguments.only not in case.name or (case.name, way) in before:
                continue
            if isinstance(way, int):
                nn = NnOptions(refine=way, target=arguments.target, network=arguments.network)
                found = run(case, nn, arguments.time_limit)
            elif way == ALONE:
                found = run_other(case, way, network_alone, arguments.time_limit)
            else:
                beside = before.get((case.name, int(way.rpartition(" ")[2])))
                limit = arguments.time_limit if beside is None else float(str(beside["seconds"]))
                found = run_other(case, way, lp_relaxation, limit)
            with arguments.results.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(found) + "\n")
            print(f"{case.name:40s} {way!s:14s} {found['status']:12s} {found['error'] or ''} {found['said']}", flush=True)
    print(summary(results_of(arguments.results)))


def results_of(path: Path) -> list[dict[str, object]]:
    """The runs that a results file holds; a line that was cut off is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def measured(objective: float | None, case: Case) -> dict[str, float | None]:
    """``behind``: (F - best) / max(1, |best|), less than 0 for what is better than the best known; ``error``: its size, 0 for
    what is better than a best known value that is not proven. None where one of them is."""
    if objective is None or case.best is None:
        return {"behind": None, "error": None}
    model, info = case.model()
    leader = bilevel_lang.resolve(model, info).leader.objective
    sense = 1 if leader is None or leader.sense == pyo.minimize else -1
    behind = sense * (objective - case.best) / max(1.0, abs(case.best))
    return {"behind": behind, "error": 0.0 if behind < 0 and not case.proven else abs(behind)}


def run_other(case: Case, way: str, method: Callable[[Case, float], tuple[str, float | None]], limit: float) -> dict[str, object]:
    """The same record for what the network is compared with, which gets ``limit`` seconds."""
    began, worked = time.perf_counter(), time.process_time()
    found: dict[str, object] = {"name": case.name, "group": case.group, "refine": way, "best": case.best, "error": None}
    try:
        status, objective = method(case, limit)
    except BilevelError as error:
        return found | {"status": "refused", "seconds": time.perf_counter() - began, "said": error.diagnostics[0].message}
    seconds = time.perf_counter() - began
    said = f"{objective} (best known {case.best}) in {seconds:.1f} s"
    return found | {
        "status": status,
        "verified": objective is not None,
        "objective": objective,
        "seconds": seconds,
        "processor": time.process_time() - worked,
        "said": said,
        **measured(objective, case),
    }


def run(case: Case, nn: NnOptions, limit: float) -> dict[str, object]:
    """One solve; ``error`` is |F - best| / max(1, |best|) of a verified point."""
    model, info = case.model()
    began, worked = time.perf_counter(), time.process_time()
    found: dict[str, object] = {"name": case.name, "group": case.group, "refine": nn.refine, "best": case.best, "error": None}
    try:
        solution = bilevel_lang.solve(model, info, method="nn-embed", nn=nn, time_limit=limit)
    except BilevelError as error:
        message = error.diagnostics[0].message
        return found | {"status": "refused", "seconds": time.perf_counter() - began, "said": message}
    objective = solution.objective if solution.verified else None
    said = f"{objective} (best known {case.best}) in {time.perf_counter() - began:.1f} s"
    return found | {
        "status": solution.status.value,
        "verified": solution.verified,
        "objective": objective,
        "approximate": solution.approximate_objective,
        "surrogate": dict(solution.surrogate or {}),
        "seconds": time.perf_counter() - began,
        "processor": time.process_time() - worked,
        "said": said,
        **measured(objective, case),
    }


if __name__ == "__main__":
    main()
