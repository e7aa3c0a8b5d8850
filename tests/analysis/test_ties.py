"""The spread of the leader's objective over the follower's optimal answers, against answers known by hand."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.analysis.ties import measure_ties, worst_row_violations
from bilevel_lang.solution import Point, Tie
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.verification import complete_values, verify


def at(m: Any, emp: str, values: dict[str, float]) -> tuple[Tie, ...]:
    """The ties of a point that is verified here."""
    problem = bl.resolve(m, emp)
    point = Point(ComponentMap((m.find_component(name), value) for name, value in values.items()))
    return measure_ties(problem, complete_values(problem, point), verify(problem, point), SolverOptions())


def indifferent(leader: Any, **more: Any) -> pyo.ConcreteModel:
    """min y1 + y2, y1 + y2 >= 1 + x: the follower does not mind which of the two it is."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var([1, 2], bounds=(0, 2))
    m.F = pyo.Objective(expr=leader(m), sense=more.get("sense", pyo.minimize))
    m.f = pyo.Expression(expr=m.y[1] + m.y[2])
    m.c = pyo.Constraint(expr=m.y[1] + m.y[2] >= 1 + m.x)
    return m


EMP = "bilevel x\nmin f y c"
ORIGIN = {"x": 0.0, "y[1]": 0.0, "y[2]": 1.0}


@pytest.mark.parametrize(
    ("leader", "best", "worst"),
    [
        (lambda m: 3 * m.y[1] - m.y[2], -1, 3),
        (lambda m: m.x + m.y[1] + m.y[2], 1, 1),
        (lambda m: (m.y[1] - 0.5) ** 2, 0, 0.25),  # convex: the worst is at an end, which SCIP finds
        (lambda m: m.y[1] * m.y[2], 0, 0.25),
    ],
)
def test_spread_by_hand(leader: Any, best: float, worst: float) -> None:
    (tie,) = at(indifferent(leader), EMP, ORIGIN)
    assert tie.measured
    assert tie.best == pytest.approx(best, abs=1e-6)
    assert tie.worst == pytest.approx(worst, abs=1e-6)
    assert tie.unique == (best == worst)
    if not tie.unique and leader(indifferent(leader)).polynomial_degree() == 1:
        assert tie.worst_answer == pytest.approx({"y[1]": 1.0, "y[2]": 0.0}, abs=1e-6)


def test_a_leader_that_maximises_has_them_the_other_way_round() -> None:
    (tie,) = at(indifferent(lambda m: 3 * m.y[1] - m.y[2], sense=pyo.maximize), EMP, {"x": 0.0, "y[1]": 1.0, "y[2]": 0.0})
    assert (tie.best, tie.worst) == pytest.approx((3, -1), abs=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_an_objective_does_not_matter(scale: float) -> None:
    m = indifferent(lambda m: scale * (3 * m.y[1] - m.y[2]))
    m.f.set_value(scale * (m.y[1] + m.y[2]))
    (tie,) = at(m, EMP, ORIGIN)
    assert not tie.unique
    assert (tie.best, tie.worst) == pytest.approx((-scale, 3 * scale), rel=1e-6)


def test_rows_of_the_leader_bind_the_best_and_are_named_with_the_worst() -> None:
    m = indifferent(lambda m: 3 * m.y[1] - m.y[2])
    m.cap = pyo.Constraint(expr=m.y[1] >= 0.25)
    m.other = pyo.Constraint(expr=m.y[2] >= 0.5)
    (tie,) = at(m, EMP, {"x": 0.0, "y[1]": 0.25, "y[2]": 0.75})
    assert (tie.best, tie.worst) == pytest.approx((0, 3), abs=1e-6)
    assert tie.violated == ("other",)
    problem = bl.resolve(m, EMP)
    values = complete_values(problem, Point(ComponentMap([(m.x, 0.0), (m.y[1], 0.25), (m.y[2], 0.75)])))
    assert dict(worst_row_violations(problem, values, SolverOptions())) == pytest.approx({"cap": 0.25, "other": 0.5})


def test_no_limit_is_infinite() -> None:
    m = indifferent(lambda m: m.x - m.y[2])
    m.y[2].setub(None)
    m.f.set_value(m.y[1])
    (tie,) = at(m, EMP, {"x": 0.0, "y[1]": 0.0, "y[2]": 1.0})
    assert tie.best == -math.inf
    assert tie.worst == pytest.approx(-1.0)
    assert not tie.unique


def test_followers_are_taken_in_turn() -> None:
    m = indifferent(lambda m: m.x)
    m.v = pyo.Var(bounds=(0, 1))
    m.F.set_value(3 * m.y[1] - m.y[2] + m.v)
    m.g = pyo.Expression(expr=(m.v - 0.5) ** 2)
    first, second = at(m, f"{EMP}\nmin g v", {**ORIGIN, "v": 0.5})
    assert (first.best, first.worst) == pytest.approx((-0.5, 3.5), abs=1e-6)
    assert second.unique
    assert second.best == pytest.approx(-0.5, abs=1e-6)


def test_nothing_is_said_of_an_agent_that_the_leader_does_not_mind() -> None:
    assert at(indifferent(lambda m: m.x), EMP, ORIGIN) == ()


def test_what_is_not_measured_is_said() -> None:
    m = indifferent(lambda m: m.y[1])
    m.f.set_value(-((m.y[1] - 1) ** 2))
    (tie,) = at(m, EMP, {"x": 0.0, "y[1]": 2.0, "y[2]": 0.0})
    assert not tie.measured
    assert not tie.unique
    assert "convex" in tie.how
    (tie,) = at(indifferent(lambda m: m.y[1]), EMP, {"x": 0.0, "y[1]": 2.0, "y[2]": 0.0})
    assert "not verified" in tie.how


def test_published_examples() -> None:
    """Floudas et al. (1999), 9.1.1: y1 = 4 is the follower's optimum and y2 anything in [2, 5.5]; Bard (1998): one answer."""
    m = pyo.ConcreteModel()
    m.x, m.y1, m.y2 = pyo.Var(bounds=(0, None)), pyo.Var(), pyo.Var()
    m.F = pyo.Objective(expr=-m.x - 3 * m.y1 + 2 * m.y2)
    rows = [-2 * m.x + m.y1 + 4 * m.y2 <= 16, 8 * m.x + 3 * m.y1 - 2 * m.y2 <= 48, -2 * m.x + m.y1 - 3 * m.y2 <= -12]
    m.c = pyo.Constraint([0, 1, 2], rule=lambda m, k: rows[k])
    m.y1.setlb(0)
    m.y1.setub(4)
    solution = bl.solve(m, "bilevel x\nmax y1 y2 c")
    (tie,) = solution.ties
    assert solution.objective == pytest.approx(-13)
    # At x = 5: y2 <= 5.5 by the first row, and the others ask for y2 >= 2 and y2 >= 2.
    assert (tie.best, tie.worst) == pytest.approx((-13, -5 - 12 + 11), abs=1e-5)
    assert not tie.unique
