"""What is measured, one stage in one process: ``python -m benchmarks.reformulate.stages STAGE N`` prints a line of JSON."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo

import bilevel_lang as bl
from benchmarks.reformulate.instance import ANNOTATION, LEADERS, build
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.registry import choose

Timed = Callable[[], Any]


def resolve(model: Any) -> Timed:
    """From names to agents."""
    info = bl.parse(ANNOTATION)
    return lambda: bl.resolve(model, info)


def arrays(model: Any) -> Timed:
    """What ``solve`` reports as ``seconds.reformulate``: from the resolved problem to what the solver is given."""
    problem = bl.resolve(model, ANNOTATION)
    options = Options(method="auto")
    return lambda: choose(problem, options)[0].prepare(problem, options)


def components(model: Any) -> Timed:
    """``bl.reformulate``: resolve, clone, and the block of Pyomo components."""
    info = bl.parse(ANNOTATION)
    return lambda: bl.reformulate(model, info)


def clone(model: Any) -> Timed:
    """Pyomo's clone of the model and nothing else."""
    return lambda: model.clone()


def core_kkt(model: Any) -> Timed:
    """Pyomo's ``core.kkt`` on the follower alone, in place: no clone, no leader."""
    model.o.deactivate()
    model.follower = pyo.Objective(expr=model.f.expr)
    transformation = pyo.TransformationFactory("core.kkt")
    return lambda: transformation.apply_to(model, parameterize_wrt=[model.x])


def solve(model: Any) -> Timed:
    """The whole of ``bl.solve``: verification and tie test as well. Raises AssertionError where the answer is not proven."""

    def run() -> Any:
        found = bl.solve(model, ANNOTATION)
        assert found.status is bl.Status.OPTIMAL and all(tie.unique for tie in found.ties), found.status
        return found

    return run


STAGES: dict[str, Callable[[Any], Timed]] = {
    "resolve": resolve,
    "arrays": arrays,
    "components": components,
    "clone": clone,
    "core-kkt": core_kkt,
    "solve": solve,
}


def peak() -> float:
    """The most memory that the process has held so far, MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most) / (2**20 if sys.platform == "darwin" else 2**10)


def filled() -> list[list[bytes]]:
    """Objects in the room that Python holds free: some 3 MiB after loading Pyomo, where a small model would fit in."""
    kept = []
    for sizes in (range(16, 480, 16), (600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 76_800)):
        before = peak()
        while peak() < before + 1:
            kept.append([b"1" * size for size in sizes])
    return kept


def measure(stage: str, n: int, fill: bool = False) -> dict[str, float]:
    """Processor seconds of building the model and of the stage, and the memory (MiB) that each has added to the peak.

    What a first call has to load and what the garbage collector owes are settled before the clock starts. ``fill`` (for a process
    of its own): free room is filled before, so that what the model takes shows.
    """
    STAGES[stage](build(LEADERS))()
    full = filled() if fill else []
    gc.collect()  # else it may come upon the model, which is small beside what is loaded
    before = peak()
    began = time.process_time()
    model = build(n)
    built = time.process_time()
    held = peak()
    run = STAGES[stage](model)
    start = time.process_time()
    kept = run()
    done = time.process_time()
    del kept, full
    return {"build": built - began, "seconds": done - start, "model": held - before, "peak": peak() - before}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), fill=True)))
