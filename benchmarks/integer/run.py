"""Mixed-integer linear bilevel problems of the literature, one thread, 60 s each: a table, and a summary for each family.

    python benchmarks/integer/run.py FOLDER                        all families
    python benchmarks/integer/run.py FOLDER --family xuwang        one of them; --only text: names that contain it
    python benchmarks/integer/run.py FOLDER --csv table.csv        the table as a file; what it holds already is not run again

FOLDER holds `index.csv` and the pairs of `.mps` and `.aux` files that it names; README.md says where they come from.
"""

from __future__ import annotations

import argparse
import csv
import gc
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

# One thread: BLAS would take one for each core, and spend more on them than on systems of a few hundred equations.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.integer.peers import MIBS, SHIFT, shifted_mean
from benchmarks.machine import describe_machine
from benchmarks.table_file import append

TOLERANCE = 1e-4
"""Relative to max(1, |best known|)."""


@dataclass(frozen=True)
class Instance:
    """A line of the index. ``best`` is the best value known, ``proven`` whether it is the optimum."""

    name: str
    family: str
    mps: str
    best: float
    proven: bool


@dataclass(frozen=True)
class Result:
    """A line of the table. ``seconds``: reading, solving and verifying by the wall clock; ``cpu``: of the processor."""

    name: str
    family: str
    status: str
    verified: bool
    best_known: float
    proven: bool
    objective: float | None
    bound: float | None
    gap: float | None
    seconds: float
    cpu: float
    nodes: int
    follower_solves: int
    score: str


def instances(folder: Path) -> Iterator[Instance]:
    """The index. The families of knapsack interdiction are told apart by their number of items."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            family = row["set"] + (f"-{row['nvars_upper']}" if row["set"] == "inter-kp" else "")
            mps = row["file"].split(" ")[0]
            yield Instance(row["name"], family, mps, float(row["best_known_objective"]), row["status"] == "optimal")


def run(instance: Instance, folder: Path, limit: float) -> Result:
    """Read, solve and verify."""
    import bilevel_lang as bl

    # What the instances before have left, and the modules, are not looked through on this one's time.
    gc.collect()
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    model, info = bl.read_mps_aux(folder / instance.mps)
    found = bl.solve(model, info, method="value-function", time_limit=limit, threads=1)
    counts = found.search
    return Result(
        name=instance.name,
        family=instance.family,
        status=found.status.value,
        verified=found.verified,
        best_known=instance.best,
        proven=instance.proven,
        objective=found.objective,
        bound=found.bound,
        gap=found.gap,
        seconds=round(time.perf_counter() - wall, 3),
        cpu=round(time.process_time() - cpu, 3),
        nodes=counts.nodes or 0 if counts else 0,
        follower_solves=counts.follower_solves or 0 if counts else 0,
        score=score(instance, found.status.value, found.objective, found.bound),
    )


def score(instance: Instance, status: str, objective: float | None, bound: float | None) -> str:
    """solved | bracket (holds the value known, gap <= 20 %) | open | WRONG (an optimum that is none, or a bound beyond it)."""
    size = max(1.0, abs(instance.best))
    if status == "optimal" and objective is not None:
        # All objectives are minimised. What is only the best known may be undercut.
        worse = (objective - instance.best) / size
        return "WRONG" if worse > TOLERANCE or (instance.proven and worse < -TOLERANCE) else "solved"
    if bound is not None and instance.proven and bound > instance.best + TOLERANCE * size:
        return "WRONG"
    if objective is None or bound is None:
        return "open"
    return "bracket" if abs(objective - bound) <= 0.2 * max(1.0, abs(objective)) else "open"


def known(path: Path | None) -> dict[str, Result]:
    """What the table holds already."""
    if path is None or not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["name"]: _typed(row) for row in csv.DictReader(file)}


def _typed(row: dict[str, str]) -> Result:
    kinds = {f.name: str(f.type) for f in fields(Result)}
    values: dict[str, object] = {}
    for name, text in row.items():
        kind = kinds[name]
        if kind == "bool":
            values[name] = text == "True"
        elif "float" in kind:
            values[name] = float(text) if text else None
        else:
            values[name] = int(text) if kind == "int" else text
    return Result(**values)  # type: ignore[arg-type]


def line(result: Result) -> str:
    """A line for people."""
    numbers = [f"{value:14.8g}" if value is not None else f"{'-':>14}" for value in (result.objective, result.bound)]
    gap = "-" if result.gap is None else f"{100 * result.gap:.1f}%"
    head = f"{result.name:27} {result.score:8} {numbers[0]} {numbers[1]} {gap:>7} {result.seconds:8.2f} {result.cpu:8.2f}"
    return f"{head} {result.nodes:7d} {result.follower_solves:7d}"


def summary(results: Iterable[Result], limit: float) -> Iterator[str]:
    """A line for each family, beside the peer. ``limit``: processor seconds that count as solved."""
    families: dict[str, list[Result]] = {}
    for result in results:
        families.setdefault(result.family, []).append(result)
    yield f"{'family':14} {'solved':>9} {'bracket':>8} {'mean s':>8} {'mean cpu':>9}   {'MibS solved':>12} {'mean s':>7}"
    for family, part in families.items():
        done = [r for r in part if r.score == "solved" and r.cpu <= limit]
        near = sum(r.score == "bracket" for r in part)
        wall, cpu = (shifted_mean([getattr(r, name) for r in done]) for name in ("seconds", "cpu"))
        peer = MIBS.get(family)
        beside = "not run" if peer is None else f"{peer.solved} of {peer.of}"
        mean = "" if peer is None or not math.isfinite(peer.seconds) else f"{peer.seconds:7.2f}"
        yield f"{family:14} {len(done):3} of {len(part):2} {near:8} {wall:8.2f} {cpu:9.2f}   {beside:>12} {mean:>7}"
    yield f"means are shifted geometric ones of what was solved, shift {SHIFT:g} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where index.csv and the instances are")
    parser.add_argument("--family", action="append", help="a family; all of them by default")
    parser.add_argument("--only", default="", help="names that contain this text")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds an instance")
    parser.add_argument("--busy", type=float, default=1.0, help="on a busy machine: how many times the limit the wall clock gets")
    parser.add_argument("--csv", type=Path, help="the table as a file; what it holds is not run again")
    asked = parser.parse_args()
    chosen = [i for i in instances(asked.folder) if asked.only in i.name and (not asked.family or i.family in asked.family)]
    print(describe_machine())
    print(f"{'instance':27} {'':8} {'objective':>14} {'bound':>14} {'gap':>7} {'s':>8} {'cpu s':>8} {'nodes':>7} {'solves':>7}")
    done = known(asked.csv)
    _warm_up()
    for instance in chosen:
        if instance.name not in done:
            done[instance.name] = run(instance, asked.folder, asked.time_limit * asked.busy)
            append(asked.csv, done[instance.name])
        print(line(done[instance.name]), flush=True)
    results = [done[i.name] for i in chosen]
    print("\n" + "\n".join(summary(results, asked.time_limit)))
    return 1 if any(r.score == "WRONG" for r in results) else 0


def _warm_up() -> None:
    """What a process does once (imports, for the most part) is no part of any instance's seconds."""
    import pyomo.environ as pyo

    import bilevel_lang as bl

    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, 9), domain=pyo.Integers)
    model.y = pyo.Var(bounds=(0, 9), domain=pyo.Integers)
    model.row = pyo.Constraint(expr=model.x + model.y >= 3)
    model.goal = pyo.Objective(expr=model.x - model.y)
    model.own = pyo.Objective(expr=model.y)
    model.own.deactivate()
    # By default the model is listed without a solver.
    for solver in (None, "scip", "highs"):
        bl.solve(model, "bilevel x\nmin own y row\n", method="value-function", solver=solver)


if __name__ == "__main__":
    sys.exit(main())
