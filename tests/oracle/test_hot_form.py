"""What goes to the warm solver as rows, as bounds and as conditions."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.oracle.hot_form import HotForm, hot_form
from tests.oracle.followers import sampled


def form(*, curved: bool = False) -> HotForm:
    """Rows of one variable with and without inputs (one with a negative factor), a condition, a row, a matrix entry."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1], bounds=(0, 4))
    m.y = pyo.Var([0, 1], bounds=(0, 10))
    m.cost = pyo.Expression(expr=m.y[0] - m.y[1] + m.x[1] * m.y[1])
    m.upper = pyo.Constraint(expr=-2 * m.y[0] >= -8 - m.x[0])
    m.tight = pyo.Constraint(expr=m.y[0] <= 5 - m.x[1])
    m.still = pyo.Constraint(expr=3 * m.y[1] <= 12)
    m.alone = pyo.Constraint(expr=m.x[0] + m.x[1] <= 5)
    m.row = pyo.Constraint(expr=m.y[0] + m.y[1] >= m.x[0])
    m.entry = pyo.Constraint(expr=m.x[0] * m.y[0] + m.x[1] * m.y[0] <= 3)
    m.leader = pyo.Objective(expr=m.x[0])
    return hot_form(sampled(m, "bilevel x\nmin cost y upper tight still alone row entry").arrays)


def named(found: HotForm, rows: np.ndarray) -> list[str]:
    return [found.agent.row_names[i] for i in rows]


def test_rows_are_sorted_by_what_they_hold() -> None:
    found = form()
    assert named(found, found.rows) == ["row", "entry"]
    assert named(found, found.bound_rows.rows) == ["upper", "tight"]
    assert named(found, found.conditions) == ["alone"]
    assert named(found, found.rows[found.moving_rows]) == ["row"]
    assert found.program.upper.tolist() == [10, 4]
    assert found.costly.tolist() == [found.agent.response_names.index("y[1]")]
    assert not found.costs_only and not found.sides_only


def test_the_tightest_bound_wins_and_is_known() -> None:
    found = form()
    phi = found.agent.features.at(np.array([[0.0, 0.0], [0.0, 4.0], [2.0, 0.0]]))
    bounds = found.bounds(phi)
    assert bounds.upper[:, 0].tolist() == [4, 1, 5]
    tight, wide = named(found, found.bound_rows.rows).index("tight"), named(found, found.bound_rows.rows).index("upper")
    assert bounds.upper_row[:2, 0].tolist() == [wide, tight] and (bounds.lower_row == -1).all()


def test_variants_hold_what_moves() -> None:
    found = form()
    points = np.array([[1.0, 2.0], [3.0, 0.5]])
    phi = found.agent.features.at(points)
    variants = found.variants(phi, found.bounds(phi))
    for i, (a, b) in enumerate(points):
        program = variants.program(found.program, i)
        # Pyomo stores `y[0] + y[1] >= x[0]` as x[0] - y[0] - y[1] <= 0.
        assert program.row_upper[0] == -a and program.row_upper[1] == 3
        assert program.matrix[1, 0] == a + b
        assert program.cost[1] == pytest.approx(b - 1)
        assert program.upper[0] == min((8 + a) / 2, 5 - b)


def test_conditions_have_the_tolerance_of_constant_rows() -> None:
    found = form()
    points = np.array([[2.0, 3.0], [2.0, 3.0 + 1e-8], [2.0, 3.001]])
    assert found.satisfied(found.agent.features.at(points)).tolist() == [True, True, False]


def test_bounds_that_cross_by_rounding_are_equal() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 10))
    m.cost = pyo.Expression(expr=m.y)
    m.upper = pyo.Constraint(expr=m.y <= m.x)
    m.leader = pyo.Objective(expr=m.x)
    found = hot_form(sampled(m, "bilevel x\nmin cost y upper").arrays)
    bounds = found.bounds(np.array([[-1e-12], [-1e-3]]))
    assert bounds.lower[0] == bounds.upper[0] and bounds.lower[1] > bounds.upper[1]
