"""Two-stage programs by four methods: true objective, gaps, and seconds to solve, to sample and to train; one table.

    python benchmarks/two_stage/run.py                                  INVP with 4, 9 and 36 scenarios
    python benchmarks/two_stage/run.py --only INVP_B --sizes 4,36,441    those of the family
    python benchmarks/two_stage/run.py --family CFLP --only 25_25_100    all test sets of CFLP_25_25_100
    python benchmarks/two_stage/run.py --smps FOLDER --only SSLP         SIPLIB's instances in FOLDER
    --csv table.csv      the table as a file; what it holds already is not run again
    --methods ours       some of: extensive, relu, icnn, ours

Gaps are those of the true objective to the published baseline (README.md); the certified one is to the bound that the run proved.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.machine import describe_machine
from benchmarks.table_file import append
from benchmarks.two_stage.instances import Instance, cflp_names, invp_names, named
from benchmarks.two_stage.published import TABLE

METHODS = ("extensive", "relu", "icnn", "ours")


@dataclass(frozen=True)
class Result:
    """A line. ``gap``: to the published baseline, ``certified``: to the proven bound, both in percent; seconds by the clock.

    ``objective`` is the true one, every scenario solved; ``claimed`` what the network said of it. ``solve``: all but samples and
    training. ``cpu``: of the processor, the whole run.
    """

    instance: str
    method: str
    status: str
    objective: float | None
    claimed: float | None
    gap: float | None
    certified: float | None
    solve: float
    sampling: float
    training: float
    cpu: float


def run(instance: Instance, method: str, limit: float, folder: Path, refine: int = 3) -> Result:
    """One solve, one thread."""
    import bilevel_lang as bl
    from bilevel_lang.reformulation.nn_options import NnOptions

    model, info = instance.model(folder)
    options: dict[str, Any] = {"time_limit": limit, "threads": 1}
    if method == "extensive":
        options["method"] = "extensive-form"
    else:
        network = "auto" if method == "ours" else method
        options |= {"method": "nn-embed", "nn": NnOptions(network=network, refine=refine if method == "ours" else 0)}
    cpu = time.process_time()
    found = bl.solve(model, info, **options)
    cpu = time.process_time() - cpu
    of = dict(found.surrogate or {})
    sampling, training = float(of.get("sampling_seconds") or 0.0), float(of.get("training_seconds") or 0.0)
    known = TABLE.get(instance.row)
    objective = found.objective if found.verified else None
    return Result(
        instance=instance.name,
        method=method,
        status=found.status.value,
        objective=objective,
        claimed=found.approximate_objective,
        gap=None if objective is None or known is None else round(known.gap(objective), 3),
        certified=None if found.gap is None else round(100 * found.gap, 3),
        solve=round(max(0.0, found.seconds["solve"] - sampling - training), 2),
        sampling=round(sampling, 2),
        training=round(training, 2),
        cpu=round(cpu, 2),
    )


def chosen(asked: argparse.Namespace) -> list[Instance]:
    """The instances that the arguments ask for, INVP where they ask for none in particular."""
    sizes = {int(s) for s in asked.sizes.split(",")} if asked.sizes else None
    names = [n for n in invp_names() if sizes is None or int(n.rsplit("_", 1)[1]) in sizes] + cflp_names()
    if asked.smps is not None:
        names += sorted(p.stem.upper() for p in asked.smps.glob("sslp_*.cor"))
    family = asked.family or ("" if asked.only else "INVP")
    if not asked.sizes and not asked.only and family == "INVP":
        names = [n for n in names if int(n.split("/")[0].rsplit("_", 1)[1]) <= 36]
    return [named(n, asked.smps) for n in names if n.startswith(family) and asked.only in n]


def known_results(path: Path | None) -> dict[tuple[str, str], Result]:
    """What the table holds already."""
    if path is None or not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        found = [_typed(row) for row in csv.DictReader(file)]
    return {(r.instance, r.method): r for r in found}


def _typed(row: dict[str, str]) -> Result:
    numbers = {f.name for f in fields(Result) if "float" in str(f.type)}
    return Result(**{k: (float(v) if v else None) if k in numbers else v for k, v in row.items()})  # type: ignore[arg-type]


HEAD = (
    f"{'instance':18} {'method':10} {'status':9} {'objective':>11} {'gap %':>8} {'certified %':>11} "
    f"{'solve s':>8} {'sample s':>8} {'train s':>8} {'cpu s':>8}"
)


def line(r: Result) -> str:
    """A line for people."""
    head = f"{r.instance:18} {r.method:10} {r.status:9} {_number(r.objective, 11)} {_number(r.gap, 8)} {_number(r.certified, 11)}"
    return f"{head} {r.solve:8.2f} {r.sampling:8.2f} {r.training:8.2f} {r.cpu:8.2f}"


def _number(value: float | None, width: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.3f}"


def summary(results: Iterable[Result]) -> Iterator[str]:
    """A line for each row of the published tables: the mean over its test sets."""
    rows: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        rows.setdefault((result.instance.split("/")[0], result.method), []).append(result)
    yield f"{'row':18} {'method':10} {'runs':>4} {'objective':>11} {'gap %':>8}   published: ICNN %, ReLU %, baseline"
    for (row, method), part in rows.items():
        values = [r.objective for r in part if r.objective is not None]
        mean = statistics.fmean(values) if values else None
        known = TABLE.get(row)
        gap = None if mean is None or known is None else known.gap(mean)
        beside = "" if known is None else f"{known.icnn[0]:8.2f} {known.relu[0]:8.2f} {known.baseline:11.3f}"
        yield f"{row:18} {method:10} {len(values):4d} {_number(mean, 11)} {_number(gap, 8)}   {beside}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", help="INVP, CFLP or SSLP")
    parser.add_argument("--only", default="", help="names that contain this text")
    parser.add_argument("--sizes", help="of INVP: numbers of scenarios, such as 4,36")
    parser.add_argument("--smps", type=Path, help="a folder with SIPLIB's sslp_*.cor, .tim and .sto")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--refine", type=int, default=3, help="rounds of `ours`")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds a solve")
    parser.add_argument("--folder", type=Path, default=Path("two_stage_instances"), help="where instances are written")
    parser.add_argument("--csv", type=Path, help="the table as a file; what it holds is not run again")
    asked = parser.parse_args()
    print(describe_machine())
    print(HEAD)
    done = known_results(asked.csv)
    results = []
    for instance in chosen(asked):
        for method in asked.methods.split(","):
            if (instance.name, method) not in done:
                done[instance.name, method] = run(instance, method, asked.time_limit, asked.folder, asked.refine)
                append(asked.csv, done[instance.name, method])
            results.append(done[instance.name, method])
            print(line(results[-1]), flush=True)
    print("\n" + "\n".join(summary(results)))


if __name__ == "__main__":
    main()
