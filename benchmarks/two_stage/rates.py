"""Labels a second through the general engine: second stages of facility location, and INVP's full data set.

    python benchmarks/two_stage/rates.py [--quick]

Linear recourse with exact subgradients, and integer recourse at the gaps of the published data (1 % on 10 x 10, else 5 %), at
first stages as Neur2SP draws them: each facility is closed with a share of its own, uniform on 0, 0.1, ..., 0.9. One core; a rate
is solves in a second of the processor. Beside ours: of linear recourse a bare loop of one HiGHS, written for this LP alone, in
turns with ours, of which the best counts on both sides; of integer recourse the published protocol, a new MILP for each label,
with HiGHS in Gurobi's place and at most 30 s for each, at one scenario of every decision. INVP: 248,500 values at decisions and
scenarios drawn all over, as the follower of a bilevel program.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import highspy  # noqa: E402
import numpy as np  # noqa: E402
import pyomo.environ as pyo  # noqa: E402
import scipy.sparse as sp  # noqa: E402

from benchmarks.machine import describe_machine  # noqa: E402
from benchmarks.two_stage import invp  # noqa: E402
from benchmarks.two_stage.cflp import Cflp, cflp, demands  # noqa: E402
from benchmarks.two_stage.instances import named  # noqa: E402
from bilevel_lang.reformulation.stochastic.second_stage import chain  # noqa: E402
from bilevel_lang.solvers.highs import Highs  # noqa: E402
from bilevel_lang.solvers.hot_blocks import HotBlocks  # noqa: E402
from bilevel_lang.solvers.matrix import MatrixProgram  # noqa: E402
from bilevel_lang.solvers.solver import SolverOptions  # noqa: E402

LINEAR = {10: (4_000, 60), 25: (800, 30), 50: (250, 15)}
"""Size: solves a second that are to be reached, and decisions that are asked about."""

INTEGER = {10: (3 * 75, 0.01, 40), 25: (3 * 2, 0.05, 20), 50: (None, 0.05, 8)}
"""Size: solves a second (three times what the published code reaches here; it could not solve the last), gap, decisions."""

SCENARIOS, TURNS = 5, 5

LABELS = 248_500


def decisions(count: int, facilities: int, seed: int = 0) -> np.ndarray:
    """(count, facilities) as the published data have them."""
    draw = np.random.default_rng(seed)
    return (draw.random((count, facilities)) >= draw.integers(0, 10, (count, 1)) / 10).astype(float)


def stage_of(name: str, gap: float | None = None) -> Any:
    """The second stage of an instance as the engine makes it."""
    import bilevel_lang as bl
    from bilevel_lang.reformulation.stochastic.compilation import compile_program
    from bilevel_lang.reformulation.stochastic.second_stage import SecondStage

    with TemporaryDirectory() as folder:
        problem = bl.resolve(*named(name).model(Path(folder)))
    assert problem.stochastic is not None
    return SecondStage(compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays, relaxed=False, gap=gap)


def linear_rates(size: int, points: int) -> tuple[float, float]:
    """Solves in a processor second: ours, and the bare loop's; the best of turns."""
    stage, asked, data = stage_of(f"LP_{size}_{size}_{SCENARIOS}/0"), decisions(points, size), cflp(size, size)
    asked = asked[chain(asked)]
    ours = bare = np.inf
    for _ in range(TURNS):
        began = time.process_time()
        found = stage.costs(asked)
        ours = min(ours, time.process_time() - began)
        began = time.process_time()
        values = bare_loop(data, demands(size, SCENARIOS, 0), asked)
        bare = min(bare, time.process_time() - began)
        assert np.allclose(found.values, values, rtol=1e-7)
    return points * SCENARIOS / ours, points * SCENARIOS / bare


def bare_loop(data: Cflp, wanted: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Costs (k, S) of linear recourse in units of flow, with nothing but HiGHS between two solves; duals are read as well."""
    f, c = data.transport.shape
    lp, none = highspy.HighsLp(), highspy.kHighsInf
    lp.num_col_, lp.num_row_ = f * c + c, c + f
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.zeros(f * c + c), np.zeros(f * c + c), np.full(f * c + c, none)
    lp.row_lower_, lp.row_upper_ = np.r_[np.zeros(c), np.full(f, -none)], np.r_[np.full(c, none), np.zeros(f)]
    serve = sp.hstack([sp.eye(c)] * (f + 1))
    room = sp.hstack([sp.kron(sp.eye(f), np.ones((1, c))), sp.csr_matrix((f, c))])
    matrix = sp.csc_matrix(sp.vstack([serve, room]))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    highs = highspy.Highs()
    for option, setting in (("output_flag", False), ("presolve", "off"), ("simplex_strategy", 1), ("threads", 1)):
        highs.setOptionValue(option, setting)
    highs.passModel(lp)
    columns, rooms, customers = (np.arange(a, b, dtype=np.int32) for a, b in ((0, f * c + c), (c, c + f), (0, c)))
    values = np.empty((len(asked), len(wanted)))
    for s, d in enumerate(wanted.astype(float)):
        highs.changeColsCost(len(columns), columns, np.r_[(data.transport / d).ravel(), data.penalty / d])
        highs.changeRowsBounds(c, customers, d, np.full(c, none))
        for k, x in enumerate(asked):
            highs.changeColsBounds(len(columns), columns, np.zeros(len(columns)), np.r_[np.outer(x, d).ravel(), d])
            highs.changeRowsBounds(f, rooms, np.full(f, -none), data.capacity * x)
            highs.run()
            solution = highs.getSolution()
            np.array(solution.row_dual), np.array(solution.col_dual)
            values[k, s] = highs.getInfo().objective_function_value
    return values


def integer_rates(size: int, points: int, gap: float) -> tuple[float, float, str]:
    """Solves in a processor second of ours and of the published protocol, and the way that ours took."""
    stage, asked = stage_of(f"CFLP_{size}_{size}_{SCENARIOS}/0", gap), decisions(points, size)
    began = time.process_time()
    found = stage.costs(asked)
    ours = time.process_time() - began
    began = time.process_time()
    for k, x in enumerate(asked):
        part = stage.arrays.scenario(k % SCENARIOS)
        shift = part.technology @ x
        program = MatrixProgram(
            part.lower,
            part.upper,
            stage.arrays.integer,
            part.cost,
            part.recourse,
            part.row_lower - shift,
            part.row_upper - shift,
        )
        run = Highs().run_matrix(program, SolverOptions(gap=gap, time_limit=30, threads=1))
        # Both have the optimum between their bound and their value.
        assert run.objective is None or found.bounds[k, k % SCENARIOS] <= run.objective + 1e-6
        assert run.bound is None or run.bound <= found.values[k, k % SCENARIOS] + 1e-6
    return stage.solves / ours, points / (time.process_time() - began), stage_name(stage)


def stage_name(stage: Any) -> str:
    """How MILPs are solved: by patterns, or by HiGHS."""
    return "patterns" if any(isinstance(one, HotBlocks) for one in stage._hot._kept.values()) else stage.way


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
    print("| recourse | way | solves a second | beside | wanted |\n|---|---|---|---|---|")
    for size, (wanted, points) in LINEAR.items():
        ours, bare = linear_rates(size, max(10, points // share))
        print(f"| linear, {size} x {size} | arrays | {ours:,.0f} | {bare:,.0f} (bare loop) | {wanted:,} |", flush=True)
    for size, (least, gap, points) in INTEGER.items():
        ours, protocol, way = integer_rates(size, max(4, points // share), gap)
        what = f"{ours:,.1f} | {protocol:,.2f} (a new model each) | {least or ''}"
        print(f"| integer, {size} x {size}, gap {gap:.0%} | {way} | {what} |", flush=True)
    print(f"\n| {LABELS:,} values of | way | s | wanted |\n|---|---|---|---|")
    for recourse in "BI":
        for technology in "EH":
            seconds, way = invp_labels(recourse, technology, LABELS)
            print(f"| INVP_{recourse}_{technology} | {way} | {seconds:.2f} | 60 |", flush=True)


if __name__ == "__main__":
    main()
