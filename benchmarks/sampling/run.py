"""How many follower LPs a second: bare highspy, Pyomo's persistent solver, and the sampling engine with one and two workers.

python benchmarks/sampling/run.py [--quick] [--table loops|workers]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402

from benchmarks.machine import describe_machine  # noqa: E402
from benchmarks.sampling.instance import SIZES, numbers, points  # noqa: E402
from benchmarks.sampling.loops import bare, ours, pyomo, recipe  # noqa: E402
from bilevel_lang.oracle.labelling import Labelling  # noqa: E402
from bilevel_lang.surrogate.sampling.designs.latin_hypercube import LatinHypercube  # noqa: E402
from bilevel_lang.surrogate.sampling.executors import executor_for  # noqa: E402
from bilevel_lang.surrogate.sampling.run import Plan, sample  # noqa: E402

SOLVES = {10: 20_000, 50: 8_000, 200: 2_000}
ROUNDS = 7


def loops(n: int, m: int, count: int) -> dict[str, float]:
    """Solves in a processor second by way, the best of several rounds; all ways agree on every value."""
    data, x = numbers(n, m), points(count)
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
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


@dataclass(frozen=True)
class Round:
    """Rates of one round: samples a second of ``one`` and ``two`` workers and of one and two loops of bare highspy, by the clock;
    ``spared`` is twice what two workers get through in a processor second, relative to one."""

    one: float
    two: float
    spared: float
    bare: float
    two_bare: float

    @property
    def ratio(self) -> float:
        return self.two / self.one


def workers(n: int, m: int, count: int) -> list[Round]:
    """One worker, two that are up already, one and two bare loops, in turns: what else the machine does changes by the second."""
    made = recipe(numbers(n, m))
    plan = Plan(made.space, LatinHypercube(), count)
    found = []
    with executor_for(1) as alone, executor_for(2) as pair:
        for executor, number in ((alone, 1), (pair, 2)):
            _all_spent(executor, number)
            sample(made, Plan(made.space, LatinHypercube(), 16 * number, shard_size=1), executor)
            list(executor.map(_bare_loop, *zip(*[(n, m, 16)] * 2 * number, strict=True)))
        for _ in range(ROUNDS):
            one, one_spent = _timed(made, plan, alone, 1)
            two, two_spent = _timed(made, plan, pair, 2)
            single = _bare_loop(n, m, count // 2)
            both = pair.map(_bare_loop, [n] * 2, [m] * 2, [count // 2] * 2)
            found.append(Round(one, two, 2 * two_spent / one_spent, single, sum(both)))
    return found


def _timed(made: Labelling, plan: Plan, executor: Executor, number: int) -> tuple[float, float]:
    """Samples in a second by the clock, and in a processor second of all ``number`` workers."""
    before, began = _all_spent(executor, number), time.perf_counter()
    sample(made, plan, executor)
    seconds = time.perf_counter() - began
    return plan.samples / seconds, plan.samples / (_all_spent(executor, number) - before)


def _bare_loop(n: int, m: int, count: int) -> float:
    """Solves a second of bare highspy by the clock; runs in a worker."""
    return count / bare(numbers(n, m), points(count), time.perf_counter)[0]


def table_of_loops(share: int) -> None:
    print("Solves in a processor second, one core:\n")
    print("| follower LP | bare highspy | Pyomo persistent | bilevel-lang | of bare | times Pyomo |\n|---|---|---|---|---|---|")
    for n, m in SIZES:
        rate = loops(n, m, SOLVES[n] // share)
        own = rate["ours"]
        cells = [f"{n} x {m}", *(f"{rate[way]:,.0f}" for way in ("bare", "pyomo", "ours"))]
        print("| " + " | ".join([*cells, f"{own / rate['bare']:.0%}", f"{own / rate['pyomo']:.1f}"]) + " |", flush=True)


def table_of_workers(share: int) -> None:
    print(f"\nSamples drawn, labelled and put together in a second, by the clock; {ROUNDS} rounds.")
    print("The load is what others left running on these cores, the machine's own ratio that of bare highspy:\n")
    print("| follower LP | load | 1 worker, best | 2 workers, best | ratio | median ratio | machine's own | spared |")
    print("|---|---|---|---|---|---|---|---|")
    for n, m in SIZES:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        rounds = workers(n, m, SOLVES[n] // share)
        one, two, single, both = (max(getattr(r, each) for r in rounds) for each in ("one", "two", "bare", "two_bare"))
        ratios = (two / one, median(r.ratio for r in rounds), both / single, median(r.spared for r in rounds))
        cells = [f"{n} x {m}", f"{load:.1f}", f"{one:,.0f}", f"{two:,.0f}", *(f"{ratio:.2f}" for ratio in ratios)]
        print("| " + " | ".join(cells) + " |", flush=True)


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
