"""Every problem of the literature sets through the public API: a table, and what it comes to.

    python benchmarks/literature/run.py                     all sets, two processes, 30 s a problem
    python benchmarks/literature/run.py --set mpec          one set
    python benchmarks/literature/run.py --only bard         names that contain `bard`
    python benchmarks/literature/run.py --csv table.csv     the table as a file too

Scored: the leader's objective within 1e-3 relative of the best known value (or better, with a proof), the follower verified.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.literature.problems import SETS, Problem, all_problems
from benchmarks.machine import describe_machine

TOLERANCE = 1e-3
"""Relative to max(1, |best known|)."""

GRACE = 30.0
"""Seconds beyond the time limit (start of Python, verification) before a process is stopped."""


LEGEND = (
    "best known: * own computation (`note` in the data says which; the source's value is kept as `published`);",
    "            infeasible: that there is no answer is known, and to prove it is to reach it",
    "score: reached, better (verified), missed, not verified, other point (equilibria), WRONG (claimed optimal, and it is not)",
)


@dataclass(frozen=True)
class Result:
    """One line of the table. ``score``: reached, better, missed, refused, or what went wrong."""

    name: str
    set: str
    kind: str
    convex: str
    checked: bool
    best: float | str | None
    own: bool
    ours: float | None
    status: str
    exactness: str
    method: str
    verified: bool
    seconds: float
    score: str
    said: str


def one(problem: Problem, limit: float) -> dict[str, Any]:
    """Solve one problem in this process: what the table needs of the solution."""
    import bilevel_lang as bl
    from bilevel_lang.errors import BilevelError

    model, text = problem.model()
    began = time.perf_counter()
    try:
        found = bl.solve(model, text, time_limit=limit)
    except BilevelError as error:
        return {"status": "refused", "seconds": time.perf_counter() - began, "said": str(error).splitlines()[0]}
    return {
        "status": found.status.value,
        "exactness": found.exactness.value if found.exactness else "",
        "objective": found.objective,
        "variables": found.variables,
        "verified": found.verified,
        "method": f"{found.method}+{found.encoding}" if found.encoding else found.method,
        "seconds": time.perf_counter() - began,
        "said": found.messages[-1] if found.messages else "",
    }


def scored(problem: Problem, found: dict[str, Any]) -> Result:
    """The line of the table."""
    best = "infeasible" if problem.infeasible else problem.best if isinstance(problem.best, (int, float)) else None
    convex = {True: "convex", False: "nonconvex", None: "-"}[problem.convex]
    return Result(
        name=problem.name,
        set=problem.set,
        kind=problem.kind,
        convex="integer" if problem.integer and problem.set == "bilevel" else convex,
        checked=problem.checked,
        best=best,
        own=problem.own,
        ours=found.get("objective"),
        status=found["status"],
        exactness=found.get("exactness", ""),
        method=found.get("method", ""),
        verified=bool(found.get("verified", False)),
        seconds=round(found["seconds"], 2),
        score=score(problem, found),
        said=found.get("said", ""),
    )


def score(problem: Problem, found: dict[str, Any]) -> str:
    """reached | better | missed | not verified | refused | infeasible | failed | WRONG (claimed, and it is not so)."""
    status = found["status"]
    if status == "refused":
        return "refused"
    if problem.infeasible:
        wrong = "WRONG" if problem.checked and status in ("optimal", "unbounded") else "missed"
        return {"infeasible": "reached", "verification_failed": "not verified"}.get(status, wrong)
    if isinstance(problem.best, dict):
        values = found.get("variables", {})
        off = max(
            abs(values.get(name, float("inf")) - value) for name, value in problem.best.items() if name in values or not values
        )
        near = off <= TOLERANCE * max(1.0, *map(abs, problem.best.values()))
        return "reached" if near and found["verified"] else "other point"
    if status == "verification_failed":
        return "not verified"
    ours = found.get("objective")
    if ours is None or problem.best is None:
        return "infeasible" if status == "infeasible" else "failed"
    sense = -1.0 if problem.sense == "max" else 1.0
    worse = sense * (ours - problem.best) / max(1.0, abs(problem.best))
    if worse > TOLERANCE:
        return "WRONG" if status == "optimal" and problem.checked else "missed"
    return "better" if worse < -TOLERANCE else "reached"


def in_a_process(problem: Problem, limit: float) -> Result:
    """One problem in a process of its own, so that a crash or a memory leak stays one line of the table."""
    command = [sys.executable, __file__, "--one", problem.name, "--set", problem.set, "--time-limit", str(limit)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit + GRACE, env=environment, check=False)
        found = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        found = {"status": "no answer", "seconds": limit + GRACE}
    except (json.JSONDecodeError, IndexError):
        found = {"status": "crashed", "seconds": 0.0, "said": done.stderr.strip().splitlines()[-1] if done.stderr else ""}
    return scored(problem, found)


def lines(results: list[Result]) -> Iterator[str]:
    """The table as text."""
    head = f"{'problem':34} {'class':18} {'follower':9} {'best known':>14} {'ours':>14} {'status':20} {'method':16}"
    yield f"{head} {'s':>6}  score"
    for r in results:
        best = "-" if r.best is None else r.best if isinstance(r.best, str) else f"{r.best:.6g}"
        best += "*" if r.own else ""
        ours = "-" if r.ours is None else f"{r.ours:.6g}"
        mark = "" if r.checked else " (unchecked)"
        head = f"{r.name:34} {r.kind[:18]:18} {r.convex:9} {best:>14} {ours:>14} {r.status:20} {r.method:16} {r.seconds:6.2f}"
        yield f"{head}  {r.score}{mark}"
    yield ""
    yield from LEGEND


def summary(results: list[Result]) -> Iterator[str]:
    """Counts by set and kind of follower, and everything that needs a second look."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for r in results:
        if r.checked:
            groups.setdefault((r.set, r.convex), []).append(r)
    head = f"{'set':12} {'follower':10} {'checked':>8} {'reached':>8} {'verified':>9}"
    yield f"{head} {'median s':>9} {'largest s':>10} {'WRONG':>6}"
    for (name, convex), part in sorted(groups.items()):
        good = [r for r in part if r.score in ("reached", "better")]
        times = sorted(r.seconds for r in part)
        yield (
            f"{name:12} {convex:10} {len(part):8} {len(good):8} {sum(r.verified for r in good):9} "
            f"{times[len(times) // 2]:9.2f} {times[-1]:10.2f} {sum(r.score == 'WRONG' for r in part):6}"
        )
    odd = [r for r in results if r.checked and r.score not in ("reached", "better")]
    if odd:
        yield "\nchecked problems that are not reached:"
        yield from (f"  {r.name}: {r.score} ({r.status}{', ' + r.said if r.said else ''})" for r in odd)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, action="append", help="a set of problems; all of them by default")
    parser.add_argument("--only", default="", help="names that contain this text")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--time-limit", type=float, default=30.0, help="seconds a problem")
    parser.add_argument("--csv", type=Path, help="write the table to this file too")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    wanted = [p for p in all_problems(tuple(asked.set or SETS)) if asked.only in p.name]
    if asked.one:
        print(json.dumps(one(next(p for p in wanted if p.name == asked.one), asked.time_limit)))
        return 0
    print(describe_machine())
    began = time.perf_counter()
    with ThreadPoolExecutor(asked.jobs) as pool:
        results = list(pool.map(lambda p: in_a_process(p, asked.time_limit), wanted))
    print("\n".join(lines(results)) + "\n")
    print("\n".join(summary(results)))
    print(f"\n{len(results)} problems in {time.perf_counter() - began:.0f} s with {asked.jobs} processes")
    if asked.csv:
        with asked.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(asdict(results[0])))
            writer.writeheader()
            writer.writerows(asdict(r) for r in results)
    return 1 if any(r.score == "WRONG" for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
