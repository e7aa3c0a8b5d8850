"""Random problems with convex, curved followers by the default route, beside a grid over the leader's decisions.

    python benchmarks/curved/run.py                          three instances of every family
    python benchmarks/curved/run.py --count 20 --seed 100    others, and more
    python benchmarks/curved/run.py --only centring/3        one instance, with all that is said

A point of the grid that is clearly better than an answer that claims to be optimal makes it WRONG, and the exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.curved.conditions import Conditions, best_of_pieces, conditions, model_of_conditions
from benchmarks.curved.families import FAMILIES, instance
from benchmarks.curved.instances import Instance
from benchmarks.curved.reading import model_of
from benchmarks.curved.reference import Found, reference
from benchmarks.machine import describe_machine

TOLERANCE = 1e-4
"""Relative to max(1, |objective|): what the grid must be better by than what is called optimal."""

REACHED = 1e-3
"""And than an answer without that claim, as it is for problems of the literature."""


MPECS = "conditions"
"""The family without followers."""

ALL = (*FAMILIES, MPECS)


@dataclass(frozen=True)
class Line:
    """One line of the table. ``score``: reached, better (than the grid), missed, failed, refused or WRONG."""

    name: str
    grid: float | None
    ours: float | None
    status: str
    method: str
    exactness: str
    seconds: float
    score: str
    said: str


def made(family: str, seed: int) -> Instance | Conditions:
    """An instance of any family."""
    return conditions(seed) if family == MPECS else instance(family, seed)


def judged(problem: Instance | Conditions, limit: float | None) -> Line:
    """The instance by ``solve``, compared with the grid, or with the best of all pieces."""
    import bilevel_lang as bl
    from bilevel_lang.errors import BilevelError

    if isinstance(problem, Conditions):
        grid, (model, text), sense = best_of_pieces(problem), model_of_conditions(problem), "min"
    else:
        grid, (model, text), sense = reference(problem), model_of(problem), problem.leader.sense
    began = time.perf_counter()
    try:
        found = bl.solve(model, text, time_limit=limit)
    except BilevelError as error:
        seconds = time.perf_counter() - began
        return Line(problem.name, grid.objective, None, "refused", "", "", seconds, "refused", str(error).splitlines()[0])
    seconds = time.perf_counter() - began
    method = f"{found.method}+{found.encoding}" if found.encoding else found.method
    status, exactness = found.status.value, found.exactness.value if found.exactness else ""
    score = scored(sense, grid, found.objective, status)
    said = found.messages[-1] if found.messages else ""
    return Line(problem.name, grid.objective, found.objective, status, method, exactness, seconds, score, said)


def scored(sense: str, grid: Found, ours: float | None, status: str) -> str:
    """What the answer is, beside the grid's."""
    if status == "infeasible":
        return "reached" if grid.objective is None else "WRONG"
    if ours is None or status in ("unbounded", "verification_failed"):
        return "WRONG" if status == "unbounded" else "failed"
    if grid.objective is None:
        return "better"
    sign = 1.0 if sense == "min" else -1.0
    worse = sign * (ours - grid.objective) / max(1.0, abs(grid.objective))
    if status == "optimal" and worse > TOLERANCE:
        return "WRONG"
    if worse > REACHED:
        return "missed"
    return "better" if worse < -TOLERANCE else "reached"


def text_of(line: Line) -> str:
    """A line of the table."""
    grid = "-" if line.grid is None else f"{line.grid:.6g}"
    ours = "-" if line.ours is None else f"{line.ours:.6g}"
    head = f"{line.name:16} {grid:>12} {ours:>12} {line.status:20} {line.method:16} {line.exactness:12} {line.seconds:6.2f}"
    return f"{head}  {line.score}{'  ' + line.said[:140] if line.score not in ('reached', 'better') else ''}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=3, help="instances of every family")
    parser.add_argument("--seed", type=int, default=0, help="the first seed of every family")
    parser.add_argument("--family", choices=ALL, action="append", help="a family; all of them by default")
    parser.add_argument("--only", help="family/seed of one instance")
    parser.add_argument("--time-limit", type=float, default=30.0, help="seconds a problem")
    asked = parser.parse_args()
    if asked.only:
        family, _, seed = asked.only.partition("/")
        problem = made(family, int(seed))
        print(problem)
        print(text_of(judged(problem, asked.time_limit)))
        return 0
    print(describe_machine())
    lines = []
    for seed in range(asked.seed, asked.seed + asked.count):
        for family in asked.family or ALL:
            lines.append(judged(made(family, seed), asked.time_limit))
            print(text_of(lines[-1]), flush=True)
    scores = sorted({line.score for line in lines})
    print("\n" + ", ".join(f"{sum(line.score == s for line in lines)} {s}" for s in scores))
    times = sorted(line.seconds for line in lines)
    print(f"seconds: median {times[len(times) // 2]:.2f}, largest {times[-1]:.2f}")
    return 1 if any(line.score == "WRONG" for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
