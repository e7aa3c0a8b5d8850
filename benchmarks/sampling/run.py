"""How many follower LPs a second: bare highspy, Pyomo's persistent solver, and the sampling engine with one and two workers.

python benchmarks/sampling/run.py [--quick] [--table loops|workers]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import Executor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402

from benchmarks.machine import describe_machine  # noqa: E402
from benchmarks.sampling.instance import SIZES, numbers, points  # noqa: E402
from benchmarks.sampling.loops import bare, ours, pyomo, recipe  # noqa: E402
from bilevel_lang.surrogate.sampling.designs.latin_hypercube import LatinHypercube  # noqa: E402
from bilevel_lang.surrogate.sampling.executors import executor_for  # noqa: E402
from bilevel_lang.surrogate.sampling.run import Plan, sample  # noqa: E402

SOLVES = {10: 20_000, 50: 8_000, 200: 2_000}
REPEATS = 3


def loops(n: int, m: int, count: int) -> dict[str, float]:
    """Solves in a processor second by way, the best of several rounds; all ways agree on every value."""
    data, x = numbers(n, m), points(count)
    best: dict[str, float] = {}
    for _ in range(REPEATS):
        found = {}
        for way, most in ((bare, count), (pyomo, max(100, count // 20)), (ours, count)):
            seconds, found[way.__name__] = way(data, x[:most])
            best[way.__name__] = max(best.get(way.__name__, 0.0), most / seconds)
        for values in found.values():
            assert np.allclose(values, found["bare"][: len(values)], rtol=1e-7, atol=1e-7)
    return best


def _spent(pause: float) -> tuple[int, float]:
    """Which worker this is and what processor time it has used. With a pause that lets the others come to their turn."""
    time.sleep(pause)
    return os.getpid(), time.process_time()


def _all_spent(executor: Executor, number: int) -> float:
    """Processor seconds of all ``number`` workers and of this process so far."""
    seen: dict[int, float] = {}
    while len(seen) < number:
        seen.update(executor.map(_spent, [0.2] * 2 * number))
    return sum(seconds for pid, seconds in seen.items() if pid != os.getpid()) + time.process_time()


def workers(n: int, m: int, count: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """With one and with two workers that are up already: samples in a second by the clock, and in a processor second of all."""
    made = recipe(numbers(n, m))
    found = []
    for number in (1, 2):
        with executor_for(number) as executor:
            _all_spent(executor, number)
            sample(made, Plan(made.space, LatinHypercube(), 16 * number, shard_size=1), executor)
            before, began = _all_spent(executor, number), time.perf_counter()
            sample(made, Plan(made.space, LatinHypercube(), count), executor)
            seconds = time.perf_counter() - began
            found.append((count / seconds, count / (_all_spent(executor, number) - before)))
    return found[0], found[1]


def table_of_loops(share: int) -> None:
    print("Solves in a processor second, one core:\n")
    print("| follower LP | bare highspy | Pyomo persistent | bilevel-lang | of bare | times Pyomo |\n|---|---|---|---|---|---|")
    for n, m in SIZES:
        rate = loops(n, m, SOLVES[n] // share)
        own = rate["ours"]
        cells = [f"{n} x {m}", *(f"{rate[way]:,.0f}" for way in ("bare", "pyomo", "ours"))]
        print("| " + " | ".join([*cells, f"{own / rate['bare']:.0%}", f"{own / rate['pyomo']:.1f}"]) + " |", flush=True)


def table_of_workers(share: int) -> None:
    print("\nSamples drawn, labelled and put together; the load is what others left running on these cores:\n")
    print("| follower LP | load | 1 worker, by the clock | 2 workers | ratio | a processor second of 1 | of 2 | best ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for n, m in SIZES:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        one, two = workers(n, m, SOLVES[n] // share)
        rates = (
            f"{one[0]:,.0f} | {two[0]:,.0f} | {two[0] / one[0]:.2f} | {one[1]:,.0f} | {two[1]:,.0f} | {2 * two[1] / one[1]:.2f}"
        )
        print(f"| {n} x {m} | {load:.1f} | {rates} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the solves")
    parser.add_argument("--table", choices=("loops", "workers"), help="this one alone")
    arguments = parser.parse_args()
    share = 10 if arguments.quick else 1
    print(describe_machine())
    if arguments.table != "workers":
        table_of_loops(share)
    if arguments.table != "loops":
        table_of_workers(share)


if __name__ == "__main__":
    main()
