from __future__ import annotations

import time

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from bilevel_lang.errors import UsageError
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import WarmLp, warm_relaxation

PLAIN = SolverOptions()


def transport(seed: int) -> MatrixProgram:
    r = np.random.default_rng(seed)
    m, n = 6, 9
    return MatrixProgram(
        lower=np.zeros(n),
        upper=np.full(n, 4.0),
        integer=np.zeros(n, dtype=bool),
        cost=r.integers(-5, 6, n).astype(float),
        matrix=sp.csr_matrix(r.integers(-3, 4, (m, n)).astype(float)),
        row_lower=np.full(m, -np.inf),
        row_upper=r.integers(3, 20, m).astype(float),
    )


def minimum(program: MatrixProgram, cost: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float | None:
    """By scipy, from nothing."""
    found = linprog(cost, A_ub=program.matrix, b_ub=program.row_upper, bounds=np.column_stack([lower, upper]))
    return float(found.fun) if found.status == 0 else None


@pytest.mark.parametrize("primal", [False, True])
def test_every_solve_is_the_optimum_of_the_lp_as_it_is_then(primal: bool) -> None:
    program = transport(1)
    lp = WarmLp(program, PLAIN, primal=primal)
    r = np.random.default_rng(2)
    for _ in range(25):
        cost = r.integers(-5, 6, program.columns).astype(float)
        lower = r.integers(0, 2, program.columns).astype(float)
        upper = lower + r.integers(0, 3, program.columns)
        lp.set_cost(cost)
        lp.set_bounds(lower, upper)
        answer, expected = lp.solve(), minimum(program, cost, lower, upper)
        if expected is None:
            assert answer.termination is Termination.INFEASIBLE
            assert answer.x is None
        else:
            assert answer.termination is Termination.OPTIMAL
            assert answer.objective == pytest.approx(expected, abs=1e-7)
    assert lp.solves == 25


def test_row_duals_give_the_reduced_costs() -> None:
    program = transport(3)
    answer = WarmLp(program, PLAIN, primal=False).solve()
    assert answer.x is not None and answer.row_duals is not None
    reduced = program.cost - program.matrix.T @ answer.row_duals
    inside = (answer.x > 1e-7) & (answer.x < 4 - 1e-7)
    assert inside.any() and (answer.x <= 1e-7).any()
    assert np.abs(reduced[inside]).max() < 1e-7
    assert reduced[answer.x <= 1e-7].min() > -1e-7
    assert reduced[answer.x >= 4 - 1e-7].max(initial=-1.0) < 1e-7


def test_bounds_can_be_given_back_after_an_infeasible_solve() -> None:
    program = transport(4)
    lp = WarmLp(program, PLAIN, primal=False)
    before = lp.solve().objective
    row = program.matrix.toarray()[0]
    lp.set_bounds(np.where(row > 0, 1e4, 0.0), np.where(row > 0, 2e4, 0.0))
    assert lp.solve().termination is Termination.INFEASIBLE
    lp.set_bounds(program.lower, program.upper)
    assert lp.solve().objective == pytest.approx(before)


def test_unbounded_is_said() -> None:
    free = np.full(9, np.inf)
    program = transport(5)
    lp = WarmLp(program, PLAIN, primal=False)
    lp.set_cost(np.zeros(9))
    lp.set_bounds(-free, free)
    assert lp.solve().termination is Termination.OPTIMAL
    cost = np.zeros(9)
    cost[0] = 1.0
    assert minimum(program, cost, -free, free) is None
    lp.set_cost(cost)
    assert lp.solve().termination in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED)


def test_after_the_deadline_nothing_is_solved() -> None:
    lp = WarmLp(transport(6), PLAIN, primal=False, deadline=time.perf_counter() - 1.0)
    assert lp.solve().termination is Termination.LIMIT
    assert lp.solves == 0


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(UsageError, match="no_such_option"):
        WarmLp(transport(7), SolverOptions(extra={"no_such_option": 1}), primal=False)


# --- One objective after the other over one relaxation, within a budget.


def whole_program(matrix: np.ndarray, upper: np.ndarray, columns_up: float = 4.0) -> MatrixProgram:
    n = matrix.shape[1]
    return MatrixProgram(
        lower=np.zeros(n),
        upper=np.full(n, columns_up),
        integer=np.ones(n, dtype=bool),
        cost=np.ones(n),
        matrix=sp.csr_matrix(matrix),
        row_lower=np.full(len(upper), -np.inf),
        row_upper=upper,
    )


def test_objective_after_objective_each_from_scratch_is_the_same() -> None:
    random = np.random.default_rng(0)
    matrix, upper = random.integers(-1, 4, (6, 5)).astype(float), random.integers(3, 9, 6).astype(float)
    lp = warm_relaxation(whole_program(matrix, upper), 1000)
    for _ in range(20):
        columns = random.permutation(5)[: random.integers(1, 4)]
        factors = random.integers(-3, 4, len(columns)).astype(float)
        cost = np.zeros(5)
        cost[columns] = factors
        expected = linprog(-cost, matrix, upper, bounds=[(0, 4)] * 5)
        assert lp.largest(columns, factors).value == pytest.approx(-expected.fun, abs=1e-9)
    assert lp.solves == 20


def test_unbounded_infeasible_and_a_spent_budget_are_told_apart() -> None:
    one = np.ones((1, 1))
    free = warm_relaxation(whole_program(-one, np.zeros(1), np.inf), 1000)
    assert free.largest(np.array([0]), np.ones(1)).termination is Termination.UNBOUNDED
    empty = warm_relaxation(whole_program(one, np.array([-1.0])), 1000)
    assert empty.largest(np.array([0]), np.ones(1)).termination is Termination.INFEASIBLE
    spent = warm_relaxation(whole_program(one, np.ones(1)), 1)
    ends = [spent.largest(np.array([0]), np.ones(1)).termination for _ in range(3)]
    assert ends[-1] is Termination.LIMIT


@pytest.mark.parametrize("seed", range(12))
def test_a_first_solve_with_presolve_is_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bilevel_lang.solvers.warm_lp.LARGE", 0)
    program = transport(seed)
    lp = WarmLp(program, PLAIN, primal=True)
    answer = lp.solve_first()
    assert answer.objective == pytest.approx(minimum(program, program.cost, program.lower, program.upper), abs=1e-7)
    other = np.random.default_rng(seed).integers(-5, 6, program.columns).astype(float)
    lp.set_cost(other)
    assert lp.solve().objective == pytest.approx(minimum(program, other, program.lower, program.upper), abs=1e-7)


def test_a_first_solve_without_a_point_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bilevel_lang.solvers.warm_lp.LARGE", 0)
    program = transport(4)
    row = program.matrix.toarray()[0]
    lp = WarmLp(program, PLAIN, primal=True)
    lp.set_bounds(np.where(row > 0, 1e4, 0.0), np.where(row > 0, 2e4, 0.0))
    assert lp.solve_first().termination is Termination.INFEASIBLE


def test_the_basis_tells_which_sides_hold_the_point() -> None:
    program = transport(1)
    lp = WarmLp(program, PLAIN, primal=False)
    answer = lp.solve()
    assert answer.x is not None
    columns, rows = lp.resting()
    assert (columns != 0).sum() + (rows != 0).sum() == program.columns
    np.testing.assert_allclose(answer.x[columns < 0], program.lower[columns < 0], atol=1e-9)
    np.testing.assert_allclose(answer.x[columns > 0], program.upper[columns > 0], atol=1e-9)
    np.testing.assert_allclose((program.matrix @ answer.x)[rows > 0], program.row_upper[rows > 0], atol=1e-8)
    # The vertex is what these sides determine.
    held = np.vstack([np.eye(program.columns)[columns != 0], program.matrix.toarray()[rows != 0]])
    assert np.linalg.matrix_rank(held) == program.columns
