"""How long the embedded program takes: an input-convex network and one of ReLUs of the same width, with HiGHS on one thread.

    python benchmarks/two_stage/embedding_time.py [--instance CFLP_50_50_100/0,INVP_I_H_36] [--smps FOLDER] [--width 64]
    --time-limit 600     of every program, by the clock
    --programs convex,published,pruned      some of them

Labels are expected costs at decisions drawn all over the first stage: true ones where the second stage can be listed, else of the
relaxed second stage. Three programs: the input-convex network as an LP, the ReLUs with the published big-M of 1e5 for every
neuron, the ReLUs with tightened bounds and pruned weights as the engine has them. Each is solved in a process of its own, which
is ended by force where HiGHS does not look at its clock. What stops at the limit counts as no less than that; the gap that each
had after as many seconds as the input-convex one took is that of a second run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
import scipy.sparse as sp  # noqa: E402

import bilevel_lang as bl  # noqa: E402
from benchmarks.machine import describe_machine  # noqa: E402
from benchmarks.two_stage.instances import named  # noqa: E402
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of  # noqa: E402
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays  # noqa: E402
from bilevel_lang.reformulation.stochastic.compilation import compile_program  # noqa: E402
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage  # noqa: E402
from bilevel_lang.solvers.highs import Highs  # noqa: E402
from bilevel_lang.solvers.matrix import MatrixProgram  # noqa: E402
from bilevel_lang.solvers.solver import SolverOptions  # noqa: E402
from bilevel_lang.surrogate.bounds.input_set import InputSet  # noqa: E402
from bilevel_lang.surrogate.bounds.interval import NetworkBounds  # noqa: E402
from bilevel_lang.surrogate.embedding.arrays import Embedding  # noqa: E402
from bilevel_lang.surrogate.embedding.construction import embed  # noqa: E402
from bilevel_lang.surrogate.network import Network  # noqa: E402
from bilevel_lang.surrogate.training.fitting import fit  # noqa: E402
from bilevel_lang.surrogate.training.labels import Labels  # noqa: E402
from bilevel_lang.surrogate.training.settings import Settings  # noqa: E402

PUBLISHED_M = 1e5


PROGRAMS = {"convex": "input-convex, LP", "published": "ReLU, published big-M 1e5", "pruned": "ReLU, tightened and pruned"}

PROCESSES = multiprocessing.get_context("fork")
"""Nothing has to be sent to a process but the answer back."""

PATIENCE = 1.02
"""Times the limit, after which HiGHS is not waited for."""

LONG = 6.0
"""Seconds of the input-convex network from which on the others are compared with it at equal time as well."""


@dataclass(frozen=True)
class Solved:
    """``claimed``: what the network says of the decision; ``gap`` in percent, None without a bound; ``seconds`` of the processor,
    ``clock`` by the clock, which the limit is for."""

    name: str
    binaries: int
    seconds: float
    clock: float
    ended: str
    claimed: float | None
    gap: float | None


def networks(arrays: TwoStageArrays, inputs: Decisions, width: int, samples: int, scenarios: int, steps: int) -> list[Network]:
    """Input-convex, ReLUs without regularisation, ReLUs with it, of one hidden layer each, on the same labels."""
    chosen = np.unique(np.linspace(0, arrays.scenarios - 1, scenarios).round().astype(int))
    some = arrays.restricted(chosen, np.full(len(chosen), 1 / len(chosen)))
    stage = SecondStage(some, relaxed=False)
    stage = stage if stage.way == "listed" else SecondStage(some, relaxed=True)
    points = inputs.sample(samples)
    whole = np.zeros((samples, arrays.first.columns))
    whole[:, inputs.seen] = points
    costs = stage.costs(whole)
    assert costs is not None
    values = costs.values.mean(axis=1)
    fine = np.isfinite(values)
    labels = Labels(points[fine], values[fine, None], inputs.inputs.lower, inputs.inputs.upper)
    settings = (
        Settings(kind="icnn", curvature=1, layers=(width,), steps=steps),
        Settings(kind="relu", l1=0.0, prune=0.0, layers=(width,), steps=steps),
        Settings(kind="relu", layers=(width,), steps=steps),
    )
    return [fit(labels, s).network for s in settings]


def programs(inputs: InputSet, trained: Sequence[Network]) -> dict[str, Embedding]:
    """The three embeddings over ``inputs``."""
    convex, plain, pruned = trained
    sides = [np.full(plain.neurons, side * PUBLISHED_M) for side in (-1.0, 1.0)]
    outputs = [np.full(plain.outputs, side * 1e9) for side in (-1.0, 1.0)]
    return {
        "convex": embed(convex, inputs, "split", ("down",)),
        "published": embed(plain, inputs, "big-m", ("both",), NetworkBounds(*sides, *outputs)),
        "pruned": embed(pruned, inputs, "split", ("down",)),
    }


def solve(name: str, found: Embedding, first: MatrixProgram, seen: np.ndarray, limit: float) -> Solved:
    """The ``first`` stage and the network's output of its columns ``seen``, minimised; ended by force shortly after ``limit``."""
    reading, writing = PROCESSES.Pipe(duplex=False)
    child = PROCESSES.Process(target=lambda: writing.send(solved(name, found, first, seen, limit)))
    before, clock = _of_children(), time.perf_counter()
    child.start()
    writing.close()
    if reading.poll(PATIENCE * limit + 1.0):
        answer: Solved = reading.recv()
        child.join()
        return answer
    child.kill()
    child.join()
    seconds, clock = _of_children() - before, time.perf_counter() - clock
    return Solved(name, found.binaries, seconds, clock, "killed: it did not stop at the limit", None, None)


def _of_children() -> float:
    """Processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def solved(name: str, found: Embedding, first: MatrixProgram, seen: np.ndarray, limit: float) -> Solved:
    """The ``first`` stage and the network's output of its columns ``seen``, minimised."""
    n, k = first.columns, found.columns
    place = np.concatenate([seen, np.arange(n, n + len(found.lower))])
    wide = sp.csr_matrix(found.matrix).tocoo()
    rows = sp.csr_matrix((wide.data, (wide.row, place[wide.col])), shape=(wide.shape[0], n + k))
    cost = np.concatenate([first.sense * first.cost, np.zeros(k)])
    np.add.at(cost, place, np.asarray(found.outputs.weights.toarray()).ravel())
    whole = MatrixProgram(
        np.concatenate([first.lower, found.lower]),
        np.concatenate([first.upper, found.upper]),
        np.concatenate([first.integer, found.integer]),
        cost,
        sp.csr_matrix(sp.vstack([sp.hstack([first.matrix, sp.csr_matrix((first.rows, k))]), rows])),
        np.concatenate([first.row_lower, found.row_lower]),
        np.concatenate([first.row_upper, found.row_upper]),
        constant=float(found.outputs.bias[0]),
    )
    began, clock = time.process_time(), time.perf_counter()
    run = Highs().run_matrix(whole, SolverOptions(time_limit=limit, gap=1e-4, threads=1))
    seconds, clock = time.process_time() - began, time.perf_counter() - clock
    gap = None
    if run.objective is not None and run.bound is not None:
        gap = 100 * abs(run.objective - run.bound) / max(1.0, abs(run.objective))
    return Solved(name, found.binaries, seconds, clock, run.termination.value, run.objective, gap)


def row(instance: str, r: Solved, note: str = "") -> str:
    """A line of the table."""
    says, gap = ("-" if v is None else f"{v:.2f}" for v in (r.claimed, r.gap))
    return (
        f"| {instance} | {PROGRAMS[r.name]}{note} | {r.binaries} | {r.seconds:.2f} | {r.clock:.2f} | {r.ended} | {says} | {gap} |"
    )


def compare(name: str, smps: Path | None, asked: argparse.Namespace) -> Iterator[str]:
    """The lines of one instance."""
    with TemporaryDirectory() as folder:
        problem = bl.resolve(*named(name, smps).model(Path(folder)))
    assert problem.stochastic is not None
    compiled = compile_program(problem, problem.stochastic.scenarios(None, 0))
    arrays = compiled.arrays
    domain = domain_of(arrays, tuple(v.name for v in compiled.first))
    inputs = Decisions(arrays, arrays.sense * arrays.first.cost, domain, 0)
    trained = networks(arrays, inputs, asked.width, asked.samples, asked.scenarios, asked.steps)
    convex = 0.0
    for kind, found in programs(inputs.inputs, trained).items():
        if kind in asked.programs.split(","):
            r = solve(kind, found, arrays.first, inputs.seen, asked.time_limit)
            yield row(name, r)
            convex = r.clock if kind == "convex" else convex
            if kind != "convex" and convex > LONG and r.clock > convex:
                yield row(name, solve(kind, found, arrays.first, inputs.seen, convex), ", stopped when the first was done")


def main() -> None:
    """Train, solve all programs of all instances, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instance", default="CFLP_50_50_100/0", help="one or more, with commas between them")
    parser.add_argument("--smps", type=Path, help="a folder with SIPLIB's sslp_*.cor, .tim and .sto")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--scenarios", type=int, default=10, help="of the instance, for the labels")
    parser.add_argument("--steps", type=int, default=2000, help="of training")
    parser.add_argument("--programs", default=",".join(PROGRAMS))
    parser.add_argument("--time-limit", type=float, default=600.0)
    asked = parser.parse_args()
    print(describe_machine())
    print(
        "| instance | program | binaries | s | by the clock | ended | it says | gap % |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in asked.instance.split(","):
        for text in compare(name, asked.smps, asked):
            print(text, flush=True)


if __name__ == "__main__":
    main()
