"""How long the embedded program takes: an input-convex network and one of ReLUs of the same width, with HiGHS on one thread.

    python benchmarks/two_stage/embedding_time.py [--instance CFLP_50_50_100/0] [--width 64] [--time-limit 600]

Labels are relaxed costs at decisions drawn as the published data have them. Three programs: the input-convex network as an LP,
the ReLUs with the published big-M of 1e5 for every neuron, the ReLUs with tightened bounds and pruned weights as the engine has
them. What stops at the limit counts as no less than that.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
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
from benchmarks.two_stage.rates import decisions  # noqa: E402
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays  # noqa: E402
from bilevel_lang.reformulation.stochastic.compilation import compile_program  # noqa: E402
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage  # noqa: E402
from bilevel_lang.solvers.highs import Highs  # noqa: E402
from bilevel_lang.solvers.matrix import MatrixProgram  # noqa: E402
from bilevel_lang.solvers.solver import SolverOptions  # noqa: E402
from bilevel_lang.surrogate.bounds.input_set import box  # noqa: E402
from bilevel_lang.surrogate.bounds.interval import NetworkBounds  # noqa: E402
from bilevel_lang.surrogate.embedding.arrays import Embedding  # noqa: E402
from bilevel_lang.surrogate.embedding.construction import embed  # noqa: E402
from bilevel_lang.surrogate.network import Network  # noqa: E402
from bilevel_lang.surrogate.training.fitting import fit  # noqa: E402
from bilevel_lang.surrogate.training.labels import Labels  # noqa: E402
from bilevel_lang.surrogate.training.settings import Settings  # noqa: E402

PUBLISHED_M = 1e5


@dataclass(frozen=True)
class Solved:
    """``claimed``: what the network says of the decision; ``gap`` in percent, None without a bound."""

    name: str
    binaries: int
    seconds: float
    ended: str
    claimed: float | None
    gap: float | None


def networks(arrays: TwoStageArrays, width: int, samples: int, scenarios: int, steps: int) -> tuple[Network, Network, Network]:
    """Input-convex, ReLUs without regularisation, ReLUs with it, of one hidden layer each, on the same labels."""
    some = arrays.restricted(np.arange(scenarios), np.full(scenarios, 1 / scenarios))
    n = arrays.first.columns
    points = decisions(samples, n)
    costs = SecondStage(some, relaxed=True).costs(points)
    assert costs is not None
    labels = Labels(points, costs.values.mean(axis=1)[:, None], np.zeros(n), np.ones(n))
    convex, plain, pruned = (
        Settings(kind="icnn", curvature=1, layers=(width,), steps=steps),
        Settings(kind="relu", l1=0.0, prune=0.0, layers=(width,), steps=steps),
        Settings(kind="relu", layers=(width,), steps=steps),
    )
    return fit(labels, convex).network, fit(labels, plain).network, fit(labels, pruned).network


def programs(n: int, convex: Network, plain: Network, pruned: Network) -> dict[str, Embedding]:
    """The three embeddings over n binary decisions."""
    inputs = box(np.zeros(n), np.ones(n), np.ones(n, dtype=bool), tuple(f"x{j}" for j in range(n)))
    sides = [np.full(plain.neurons, side * PUBLISHED_M) for side in (-1.0, 1.0)]
    outputs = [np.full(plain.outputs, side * 1e9) for side in (-1.0, 1.0)]
    return {
        "input-convex, LP": embed(convex, inputs, "split", ("down",)),
        "ReLU, published big-M 1e5": embed(plain, inputs, "big-m", ("both",), NetworkBounds(*sides, *outputs)),
        "ReLU, tightened and pruned": embed(pruned, inputs, "split", ("down",)),
    }


def solve(name: str, found: Embedding, cost: np.ndarray, limit: float) -> Solved:
    """The first stage of binaries with costs ``cost`` (n,) and the network's output, minimised."""
    n, k = len(cost), found.columns
    whole = MatrixProgram(
        np.concatenate([np.zeros(n), found.lower]),
        np.concatenate([np.ones(n), found.upper]),
        np.concatenate([np.ones(n, dtype=bool), found.integer]),
        np.concatenate([cost, np.zeros(k)]) + np.asarray(found.outputs.weights.toarray()).ravel(),
        sp.csr_matrix(found.matrix),
        found.row_lower,
        found.row_upper,
        constant=float(found.outputs.bias[0]),
    )
    began = time.process_time()
    run = Highs().run_matrix(whole, SolverOptions(time_limit=limit, gap=1e-4, threads=1))
    seconds = time.process_time() - began
    gap = None
    if run.objective is not None and run.bound is not None:
        gap = 100 * abs(run.objective - run.bound) / max(1.0, abs(run.objective))
    return Solved(name, found.binaries, seconds, run.termination.value, run.objective, gap)


def main() -> None:
    """Train, solve all three, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instance", default="CFLP_50_50_100/0")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--scenarios", type=int, default=10, help="of the instance, for the labels")
    parser.add_argument("--steps", type=int, default=2000, help="of training")
    parser.add_argument("--time-limit", type=float, default=600.0)
    asked = parser.parse_args()
    print(describe_machine())
    with TemporaryDirectory() as folder:
        problem = bl.resolve(*named(asked.instance).model(Path(folder)))
    assert problem.stochastic is not None
    arrays = compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays
    trained = networks(arrays, asked.width, asked.samples, asked.scenarios, asked.steps)
    print("| program | binaries | s | ended | it says | gap % |\n|---|---|---|---|---|---|")
    for name, found in programs(arrays.first.columns, *trained).items():
        r = solve(name, found, arrays.first.cost, asked.time_limit)
        says, gap = ("-" if v is None else f"{v:.2f}" for v in (r.claimed, r.gap))
        print(f"| {name} | {r.binaries} | {r.seconds:.2f} | {r.ended} | {says} | {gap} |", flush=True)


if __name__ == "__main__":
    main()
