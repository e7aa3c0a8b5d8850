"""The class of local answers: from the modeller's variables and reported multipliers back to the MPEC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.analysis.local_answer import stationarity_of
from bilevel_lang.solution import Stationarity
from bilevel_lang.verification import complete_values


def kind_of(m: Any, emp: str, **options: Any) -> tuple[bl.BilevelSolution, Stationarity | None]:
    solution = bl.solve(m, emp, encoding="scholtes", **options)
    problem = bl.resolve(m, emp)
    assert solution.point is not None
    return solution, stationarity_of(problem, solution.point, complete_values(problem, solution.point))


def projection() -> pyo.ConcreteModel:
    """min (x - 1)^2 + (y - 1.5)^2, y the point of [0, 2], x + y in [0, 2], nearest to x: at x = y = 1 the row is biactive."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 3))
    m.y = pyo.Var(bounds=(0, 2))
    m.F = pyo.Objective(expr=(m.x - 1) ** 2 + (m.y - 1.5) ** 2)
    m.f = pyo.Expression(expr=(m.y - m.x) ** 2)
    m.c = pyo.Constraint(expr=(0, m.y + m.x, 2.0))
    return m


def test_an_answer_with_a_biactive_range() -> None:
    solution, found = kind_of(projection(), "bilevel x\nmin f y c")
    assert solution.variables == pytest.approx({"x": 1, "y": 1}, abs=1e-6)
    assert found is not None
    # On the branch y = x the objective falls with slope 1 in x at (1, 1), on the branch y = 2 - x it rises: a strict minimum.
    assert found.descent is False
    assert found.kind in ("S", "B")
    assert found.biactive >= 1
    assert solution.stationarity is not None
    assert solution.stationarity.kind == found.kind
    assert f"stationary({found.kind}): no first-order descent direction" in " ".join(solution.messages)


def test_a_point_that_is_not_a_minimum_has_a_descent_direction() -> None:
    m = projection()
    solution = bl.solve(m, "bilevel x\nmin f y c", encoding="scholtes")
    problem = bl.resolve(m, "bilevel x\nmin f y c")
    assert solution.point is not None
    values = complete_values(problem, solution.point)
    values[m.x] = values[m.y] = 0.5
    # y = x = 1/2 is the follower's free optimum: all multipliers are 0, and the leader would go up.
    at = replace(solution.point, values=values, multipliers=tuple((n, 0.0, c) for n, _, c in solution.point.multipliers))
    found = stationarity_of(problem, at, values)
    assert found is not None
    assert (found.kind, found.multipliers, found.descent) == (None, None, True)


def test_an_mpec_of_the_users_own_with_a_mixed_condition() -> None:
    """min (y - 2)^2 + x^2 / 2 with 0 <= y <= 1 _|_ y - x: y is x, cut to [0, 1]."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-3, 3), initialize=0.5)
    m.y = pyo.Var(bounds=(0, 1), initialize=0.5)
    m.F = pyo.Objective(expr=(m.y - 2) ** 2 + 0.5 * m.x**2)
    m.c = Complementarity(expr=complements(pyo.inequality(0, m.y, 1), m.y - m.x))
    solution, found = kind_of(m, "")
    # Along y = x the leader gains up to x = 1 (slope -2 + 1), beyond it y stays and x costs: both sides are zero there.
    assert solution.variables == pytest.approx({"x": 1, "y": 1}, abs=1e-5)
    assert found is not None
    assert found.descent is False
    assert (found.pairs, found.biactive) == (2, 1)


def test_none_without_complementarities() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(initialize=1.0)
    m.F = pyo.Objective(expr=pyo.exp(m.x) - m.x)
    problem = bl.resolve(m, "")
    solution = bl.solve(m, "", solver="ipopt")
    assert solution.point is not None
    assert stationarity_of(problem, solution.point, complete_values(problem, solution.point)) is None
    assert solution.stationarity is None


def test_what_cannot_be_told_is_said() -> None:
    m = projection()
    solution = bl.solve(m, "bilevel x\nmin f y c", encoding="scholtes")
    problem = bl.resolve(m, "bilevel x\nmin f y c")
    assert solution.point is not None
    found = stationarity_of(problem, replace(solution.point, multipliers=()), complete_values(problem, solution.point))
    assert found is not None
    assert found.kind is None
    assert found.how.startswith("not computed")


def test_a_proven_answer_gets_no_class() -> None:
    assert bl.solve(projection(), "bilevel x\nmin f y c").stationarity is None
