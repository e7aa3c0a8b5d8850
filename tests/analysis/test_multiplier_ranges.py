"""Multipliers under ``dualvar`` that are not unique."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.analysis.multiplier_ranges import measure_multiplier_ranges
from bilevel_lang.verification import complete_values


def model(twice: bool = False, capped: bool = False) -> tuple[pyo.ConcreteModel, str]:
    """min 2 y, y >= 1: the price of ``c`` is 2. Stated twice, the two prices add up to 2; with y <= 1 beside, to 2 or more."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var()
    m.p = pyo.Var()
    m.F = pyo.Objective(expr=m.x + m.p)
    m.f = pyo.Expression(expr=2 * m.y)
    m.c = pyo.Constraint(expr=m.y >= 1)
    rows = ["c"]
    if twice:
        m.again = pyo.Constraint(expr=3 * m.y >= 3)
        rows.append("again")
    if capped:
        m.cap = pyo.Constraint(expr=m.y <= 1)
        rows.append("cap")
    return m, f"bilevel x\nmin f y {' '.join(rows)}\ndualvar p c"


@pytest.mark.parametrize(
    ("twice", "capped", "lower", "upper"),
    [(False, False, 2, 2), (True, False, 0, 2), (False, True, 2, math.inf), (True, True, 0, math.inf)],
)
def test_the_range_by_hand(twice: bool, capped: bool, lower: float, upper: float) -> None:
    m, emp = model(twice, capped)
    solution = bl.solve(m, emp)
    (found,) = solution.multiplier_ranges
    assert (found.variable, found.row) == ("p", "c")
    assert found.lower == pytest.approx(lower, abs=1e-6)
    assert found.upper == pytest.approx(upper, abs=1e-6)
    assert found.unique == (lower == upper)
    assert found.value == pytest.approx(lower, abs=1e-6)  # the leader takes the least
    assert any("not unique" in said for said in solution.messages) == (not found.unique)


def test_nothing_without_dualvar() -> None:
    m, emp = model()
    m.p.fix(0)
    emp = emp.replace("\ndualvar p c", "")
    solution = bl.solve(m, emp)
    assert solution.multiplier_ranges == ()
    problem = bl.resolve(m, emp)
    assert measure_multiplier_ranges(problem, complete_values(problem, solution.point)) == ()


def test_a_common_multiplier_has_no_range_of_one_agent() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2], bounds=(0, 10))
    m.p = pyo.Var(bounds=(None, 0))
    m.cost = pyo.Expression([1, 2], rule=lambda m, i: (m.x[i] - i) ** 2)
    m.total = pyo.Constraint(expr=m.x[1] + m.x[2] <= 2)
    agents = "equilibrium min cost(1) x(1) total min cost(2) x(2) total"
    solution = bl.solve(m, f"{agents} visol total dualvar p total")
    assert solution.variables["p"] == pytest.approx(-1, abs=1e-5)
    assert solution.multiplier_ranges == ()
