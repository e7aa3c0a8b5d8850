"""Labels a second through the general engine: second stages of facility location, and INVP's full data set.

    python benchmarks/two_stage/rates.py [--quick]

Linear recourse with exact subgradients, and integer recourse at the gaps of the published data (1 % on 10 x 10, else 5 %), at
first stages as Neur2SP draws them: each facility is closed with a share of its own, uniform on 0, 0.1, ..., 0.9. One core; a rate
is solves in a second of the processor. INVP: 248,500 values at decisions and scenarios drawn all over, as the follower of a
bilevel program.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
import pyomo.environ as pyo  # noqa: E402

from benchmarks.machine import describe_machine  # noqa: E402
from benchmarks.two_stage import invp  # noqa: E402
from benchmarks.two_stage.instances import named  # noqa: E402

LINEAR = {10: (4_000, 400), 25: (800, 200), 50: (250, 100)}
"""Size: solves a second that are to be reached, and decisions that are asked about."""

INTEGER = {10: (3 * 75, 0.01, 40), 25: (3 * 2, 0.05, 10)}
"""Size: solves a second (three times what the published code reaches here), gap, decisions."""

LABELS = 248_500


def decisions(count: int, facilities: int, seed: int = 0) -> np.ndarray:
    """(count, facilities) as the published data have them."""
    draw = np.random.default_rng(seed)
    return (draw.random((count, facilities)) >= draw.integers(0, 10, (count, 1)) / 10).astype(float)


def rate(family: str, size: int, points: int, scenarios: int, gap: float | None = None) -> tuple[float, str]:
    """Solves in a processor second, and the way that the engine took."""
    import bilevel_lang as bl
    from bilevel_lang.reformulation.stochastic.compilation import compile_program
    from bilevel_lang.reformulation.stochastic.second_stage import SecondStage

    with TemporaryDirectory() as folder:
        problem = bl.resolve(*named(f"{family}_{size}_{size}_{scenarios}/0").model(Path(folder)))
    assert problem.stochastic is not None
    arrays = compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays
    stage, asked = SecondStage(arrays, relaxed=False, gap=gap), decisions(points, size)
    began = time.process_time()
    found = stage.costs(asked)
    seconds = time.process_time() - began
    assert found is not None and np.isfinite(found.values).all()
    return stage.solves / seconds, stage.way


def invp_labels(recourse: str, technology: str, count: int) -> tuple[float, str]:
    """Processor seconds for ``count`` values of the second stage, and the way that the engine took."""
    import bilevel_lang as bl
    from bilevel_lang.oracle.labelling import labelling

    data = invp.data(recourse, technology)
    m = pyo.ConcreteModel()
    m.x, m.xi = pyo.Var([0, 1], bounds=(0, 5)), pyo.Var([0, 1], bounds=(5, 15))
    m.y = pyo.Var(range(4), domain=pyo.Binary if data["binary"] else pyo.NonNegativeIntegers)
    work, gain = [[2, 3, 4, 5], [6, 1, 3, 2]], [16, 19, 23, 28]
    m.capacity = pyo.Constraint(
        [0, 1],
        rule=lambda m, r: sum(work[r][j] * m.y[j] for j in m.y) + sum(data["technology"][r][k] * m.x[k] for k in m.x) <= m.xi[r],
    )
    m.first = pyo.Objective(expr=m.x[0] + m.xi[0])
    m.second = pyo.Objective(expr=-sum(gain[j] * m.y[j] for j in m.y))
    m.second.deactivate()
    problem = bl.resolve(m, "bilevel x xi\nmin second y capacity\n")
    way = labelling(problem, problem.agents[0])
    draw = np.random.default_rng(0)
    points = np.empty((count, 4))
    order = [name.startswith("xi") for name in way.space.names]
    grid = np.linspace(5, 15, 1000)
    points[:, ~np.array(order)] = draw.uniform(0, 5, (count, 2))
    points[:, np.array(order)] = grid[draw.integers(0, 1000, (count, 2))]
    began = time.process_time()
    found = way.build()(points)
    seconds = time.process_time() - began
    assert found.feasible.all()
    return seconds, way.way


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the decisions")
    share = 10 if parser.parse_args().quick else 1
    print(describe_machine())
    print("| recourse | way | solves a second | wanted |\n|---|---|---|---|")
    for size, (wanted, points) in LINEAR.items():
        found, way = rate("LP", size, max(10, points // share), 10)
        print(f"| linear, {size} x {size} | {way} | {found:,.0f} | {wanted:,} |", flush=True)
    for size, (wanted, gap, points) in INTEGER.items():
        found, way = rate("CFLP", size, max(4, points // share), 3, gap)
        print(f"| integer, {size} x {size}, gap {gap:.0%} | {way} | {found:,.1f} | {wanted:,} |", flush=True)
    print(f"\n| {LABELS:,} values of | way | s | wanted |\n|---|---|---|---|")
    for recourse in "BI":
        for technology in "EH":
            seconds, way = invp_labels(recourse, technology, LABELS)
            print(f"| INVP_{recourse}_{technology} | {way} | {seconds:.2f} | 60 |", flush=True)


if __name__ == "__main__":
    main()
