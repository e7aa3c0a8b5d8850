"""Every encoding on the problems with convex followers, and whether those that claim exactness agree.

    python benchmarks/literature/encodings.py                  the exact encodings, 10 s each
    python benchmarks/literature/encodings.py --nlp            the others too: none may beat what is proven
    python benchmarks/literature/encodings.py --only bard      names that contain `bard`

Asked by name through ``solve``, so that each answer is verified. Two claims of exactness agree if their objectives are within
1e-6, relative to max(1, |objective|), or both say infeasible or unbounded; a local answer that is better than a proven one by
more than 1e-5 contradicts it. The exit code is 1 where two do not.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.literature.problems import Problem, all_problems
from benchmarks.machine import describe_machine

AGREE = 1e-6
"""Between two claims of exactness, relative to max(1, |objective|)."""

BEATEN = 1e-5
"""By which a local answer must be better than a proven one to contradict it: its rows hold to tolerances only."""

EXACT = ("sos1", "indicator", "big-m", "strong-duality", "branch")
LOCAL = ("product", "scholtes", "lin-fukushima", "kanzow-schwartz", "fischer-burmeister", "penalty")


@dataclass(frozen=True)
class Said:
    """What one encoding says: ``claim`` is optimal, infeasible, unbounded, local (a verified point), refused or none."""

    encoding: str
    claim: str
    objective: float | None

    @property
    def exact(self) -> bool:
        """Whether it claims to be exact."""
        return self.claim in ("optimal", "infeasible", "unbounded")

    @property
    def text(self) -> str:
        """For the table."""
        return f"{self.objective:.8g}" if self.claim == "optimal" and self.objective is not None else self.claim


def asked(problem: Problem, encoding: str, limit: float) -> Said:
    """One encoding on a model of its own."""
    import bilevel_lang as bl
    from bilevel_lang.errors import BilevelError

    model, text = problem.model()
    try:
        found = bl.solve(model, text, method="kkt", encoding=encoding, time_limit=limit)
    except BilevelError:
        return Said(encoding, "refused", None)
    status, exactness = found.status.value, found.exactness.value if found.exactness else ""
    if status in ("infeasible", "unbounded"):
        return Said(encoding, status, None)
    if status == "optimal" and exactness == "exact":
        return Said(encoding, "optimal", found.objective)
    return Said(encoding, "local" if found.verified else "none", found.objective if found.verified else None)


def deviation(one: Said, other: Said) -> float:
    """Between two claims of exactness; infinite where they are of different kinds."""
    if one.claim != other.claim:
        return math.inf
    if one.objective is None or other.objective is None:
        return 0.0
    return abs(one.objective - other.objective) / max(1.0, abs(one.objective))


def contradictions(problem: Problem, answers: list[Said]) -> Iterator[str]:
    """Pairs that do not agree, and local answers that are better than a proven one."""
    exact = [a for a in answers if a.exact]
    for one, other in itertools.combinations(exact, 2):
        if deviation(one, other) > AGREE:
            yield f"{problem.name}: {one.encoding} {one.text}, {other.encoding} {other.text}"
    sense = -1.0 if problem.sense == "max" else 1.0
    for proven, local in itertools.product(exact, answers):
        if local.claim != "local" or local.objective is None or proven.claim == "unbounded":
            continue
        better = proven.objective is None or sense * (proven.objective - local.objective) > BEATEN * max(
            1.0, abs(proven.objective)
        )
        if better:
            yield f"{problem.name}: {proven.encoding} proves {proven.text}, {local.encoding} has {local.objective:.8g}"


def summary(found: dict[str, list[Said]], encodings: tuple[str, ...]) -> Iterator[str]:
    """Counts by encoding, then the largest deviation of each pair."""
    yield f"{'encoding':20} {'problems':>9} {'exact':>6} {'local':>6} {'refused':>8} {'none':>5}"
    for name in encodings:
        mine = [a for answers in found.values() for a in answers if a.encoding == name]
        counts = [sum(a.claim == c for a in mine) for c in ("local", "refused", "none")]
        yield f"{name:20} {len(mine):9} {sum(a.exact for a in mine):6} {counts[0]:6} {counts[1]:8} {counts[2]:5}"
    yield f"\n{'pair of exact claims':32} {'problems':>9} {'largest deviation':>18}"
    for a, b in itertools.combinations(encodings, 2):
        pairs = [(x, y) for answers in found.values() for x in answers for y in answers if (x.encoding, y.encoding) == (a, b)]
        both = [deviation(x, y) for x, y in pairs if x.exact and y.exact]
        if both:
            yield f"{a + ' and ' + b:32} {len(both):9} {max(both):18.1e}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names that contain this text")
    parser.add_argument("--nlp", action="store_true", help="the encodings for local solvers too")
    parser.add_argument("--time-limit", type=float, default=10.0, help="seconds a run")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after these, with the table of what is done")
    wanted = parser.parse_args()
    encodings = (*EXACT, *LOCAL) if wanted.nlp else EXACT
    problems = [p for p in all_problems(("bilevel",)) if p.convex and not p.integer and wanted.only in p.name]
    print(describe_machine())
    began = time.perf_counter()
    found: dict[str, list[Said]] = {}
    wrong: list[str] = []
    for problem in problems:
        if time.perf_counter() - began > 60 * wanted.minutes:
            break
        found[problem.name] = [asked(problem, name, wanted.time_limit) for name in encodings]
        print(f"{problem.name:34} " + " ".join(f"{a.text:>14}" for a in found[problem.name]), flush=True)
        wrong += contradictions(problem, found[problem.name])
    print("\n" + "\n".join(summary(found, encodings)))
    print("\n" + ("\n".join(wrong) if wrong else "no contradiction"))
    print(f"\n{len(found)} of {len(problems)} problems in {time.perf_counter() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
