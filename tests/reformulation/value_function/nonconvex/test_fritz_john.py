"""The conditions hold at optima, whatever the qualification, and exclude what is stationary only in the wrong direction."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.value_function.nonconvex.fritz_john import add_fritz_john, finish_block, prepare_block
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, Termination


def model_of(
    objective: Any, *rows: Any, bounds: tuple[float | None, float | None] = (-1, 1), sense: str = "min"
) -> tuple[Any, Any]:
    """x fixed by the caller, y the follower's; the conditions are in block ``fj`` of the same model."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-2, 2))
    m.y = pyo.Var(bounds=bounds)
    m.leader = pyo.Objective(expr=m.y)
    m.f = pyo.Expression(expr=objective(m))
    m.rows = pyo.ConstraintList()
    for row in rows:
        m.rows.add(row(m))
    agent = bl.resolve(m, f"bilevel x\n{sense} f y {'rows' if rows else ''}\n").agents[0]
    m.fj = pyo.Block()
    prepare_block(m.fj)
    finish_block(m.fj, add_fritz_john(m.fj, agent, 1.0))
    return m, agent


def holds(m: Any, x: float, y: float) -> bool:
    m.x.fix(x)
    m.y.fix(y)
    run = by_name("scip").run(m, SolverOptions())
    assert run.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)
    return run.has_solution


@pytest.mark.parametrize(("x", "y"), [(0.25, 0.5), (1, 1), (0.25, -1)])
def test_local_minima_inside_and_at_bounds_fulfil_them(x: float, y: float) -> None:
    m, _ = model_of(lambda m: m.y**3 / 3 - m.x * m.y)
    assert holds(m, x, y)


@pytest.mark.parametrize(("x", "y"), [(0.25, 0.4), (0.25, -0.5), (0.25, 1)])
def test_other_points_and_local_maxima_do_not(x: float, y: float) -> None:
    m, _ = model_of(lambda m: m.y**3 / 3 - m.x * m.y)
    assert not holds(m, x, y)


def test_a_max_agent_is_the_negated_one() -> None:
    m, _ = model_of(lambda m: m.x * m.y - m.y**3 / 3, sense="max")
    assert holds(m, 0.25, 0.5)
    assert not holds(m, 0.25, -0.5)


def test_an_optimum_without_a_qualification_fulfils_them() -> None:
    """min x*y subject to y**2 <= 0 has the optimum y = 0, where no KKT multiplier exists for x != 0 (Dempe and Dutta 2012)."""
    m, _ = model_of(lambda m: m.x * m.y, lambda m: m.y**2 <= 0)
    assert holds(m, 1, 0)


def test_equalities_have_multipliers_of_either_sign() -> None:
    for side in (0.5, -0.5):
        m, _ = model_of(lambda m: m.y**3, lambda m, side=side: m.y**3 - m.x == side)
        assert holds(m, 0, math.copysign(0.5 ** (1 / 3), side))


def test_a_concave_objective_leaves_the_bounds_alone() -> None:
    m, _ = model_of(lambda m: -(m.y**2))
    assert holds(m, 0, 1)
    assert holds(m, 0, -1)
    assert not holds(m, 0, 0)


def test_variables_in_rows_have_no_condition_of_second_order() -> None:
    m, _ = model_of(lambda m: -(m.y**2), lambda m: m.y + m.x <= 0.5)
    assert len(m.fj.curvature) == 0
    assert holds(m, 0, 0.5)


def test_a_second_derivative_that_may_not_exist_is_left_out() -> None:
    m, _ = model_of(lambda m: m.y**1.5 - m.x * m.y, bounds=(0, 1))
    assert len(m.fj.curvature) == 0


def test_integer_variables_count_as_fixed() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-2, 2))
    m.y = pyo.Var(bounds=(-1, 1))
    m.n = pyo.Var(domain=pyo.Binary)
    m.leader = pyo.Objective(expr=m.y)
    m.f = pyo.Expression(expr=(m.y - 0.5 * m.n) ** 2 + m.n * m.x)
    agent = bl.resolve(m, "bilevel x\nmin f y n\n").agents[0]
    m.fj = pyo.Block()
    prepare_block(m.fj)
    finish_block(m.fj, add_fritz_john(m.fj, agent, 1.0))
    m.n.fix(1)
    assert holds(m, 1, 0.5)
    assert not holds(m, 1, 0)
