"""Thousands of small random instances by every exact encoding, beside enumeration that knows none of them.

    python benchmarks/agreement/run.py                       1000 instances, every family in turn
    python benchmarks/agreement/run.py --count 5000 --seed 7 others, and more
    python benchmarks/agreement/run.py --family nash         one family
    python benchmarks/agreement/run.py --only dualvar/18     one instance, with all that is said

A wrong claim (another objective, a bound that cuts the optimum off, infeasible where there is a solution, a point or multipliers
that break a condition) makes the exit code 1. Refusals and runs without a claim are counted.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

# Before numpy is imported: the processes share the cores already.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.agreement.comparison import Verdict, verdict
from benchmarks.agreement.enumeration import Answer, enumerate_optimum
from benchmarks.agreement.generator import instance
from benchmarks.agreement.instances import FAMILIES, Instance
from benchmarks.agreement.methods import METHODS, claims
from benchmarks.machine import describe_machine


def judged(case: tuple[str, int, tuple[str, ...]]) -> list[Verdict]:
    """All verdicts of one instance."""
    family, seed, methods = case
    problem = instance(family, seed)
    answer = enumerate_optimum(problem)
    return [_judged(problem, answer, method) for method in methods]


def _judged(problem: Instance, answer: Answer, method: str) -> Verdict:
    try:
        return verdict(problem, answer, next(claims(problem, (method,))))
    except Exception as error:
        # An error that is none of the package's own: the table names the instance and goes on.
        return Verdict(problem.name, method, "wrong", why=f"{type(error).__name__}: {error}")


def table(verdicts: list[Verdict], families: tuple[str, ...]) -> Iterator[str]:
    """Counts by method, then by family."""
    yield f"{'encoding':20} {'instances':>9} {'solved':>7} {'refused':>8} {'no claim':>9} {'wrong':>6} {'largest deviation':>18}"
    for method in METHODS:
        part = [v for v in verdicts if v.method == method]
        if part:
            count = Counter(v.outcome for v in part)
            largest = max(v.deviation for v in part)
            head = f"{method:20} {len(part):9} {count['solved']:7} {count['refused']:8} {count['open']:9} {count['wrong']:6}"
            yield f"{head} {largest:18.1e}"
    yield f"\n{'family':20} {'instances':>9} {'all solved':>11} {'wrong':>6}"
    for family in families:
        part = [v for v in verdicts if v.instance.startswith(f"{family}/")]
        names = {v.instance for v in part}
        unsolved = {v.instance for v in part if v.outcome != "solved"}
        yield f"{family:20} {len(names):9} {len(names - unsolved):11} {sum(v.outcome == 'wrong' for v in part):6}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="instances, over all families")
    parser.add_argument("--seed", type=int, default=0, help="the first seed of every family")
    parser.add_argument("--family", choices=FAMILIES, action="append", help="a family; all of them by default")
    parser.add_argument("--method", choices=METHODS, action="append", help="a method; all of them by default")
    parser.add_argument("--only", help="family/seed of one instance")
    parser.add_argument("--open", action="store_true", help="print the runs without a claim too")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after these, with the table of what is done")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    asked = parser.parse_args()
    families, methods = tuple(asked.family or FAMILIES), tuple(asked.method or METHODS)
    if asked.only:
        family, _, seed = asked.only.partition("/")
        model, text = instance(family, int(seed)).model()
        model.pprint()
        print(text + "\n")
        for each in judged((family, int(seed), methods)):
            print(f"{each.method:20} {each.outcome:8} {each.why}")
        return 0
    cases = [(families[k % len(families)], asked.seed + k // len(families), methods) for k in range(asked.count)]
    print(describe_machine())
    began = time.perf_counter()
    verdicts: list[Verdict] = []
    with ProcessPoolExecutor(asked.jobs) as pool:
        for found in pool.map(judged, cases, chunksize=5):
            verdicts += found
            for each in found:
                if each.outcome == "wrong" or (asked.open and each.outcome == "open"):
                    print(f"{each.outcome} {each.instance} {each.method}: {each.why}", flush=True)
            if time.perf_counter() - began > 60 * asked.minutes:
                pool.shutdown(cancel_futures=True)
                break
    print("\n".join(table(verdicts, families)))
    print(f"\nseeds from {asked.seed} on, {time.perf_counter() - began:.0f} s with {asked.jobs} processes")
    return 1 if any(v.outcome == "wrong" for v in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
