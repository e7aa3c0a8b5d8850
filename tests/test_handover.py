"""Between the modeller's model and its clone with soft rows."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang import reformulate, resolve, solve
from bilevel_lang.handover import of_modeller, to_modeller, to_problem, write
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Point

TEXT = "bilevel x\nmin cost y low\nadjustequ low abs 3 high sqr 2 tie abs 5"


def model() -> Any:
    """y >= x for the follower; x <= 2 and x + y == 6 for the leader, who wants y near 5."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 10)), pyo.Var(bounds=(0, 10))
    m.low = pyo.Constraint(expr=m.y - m.x >= 0)
    m.high = pyo.Constraint(expr=m.x <= 2)
    m.tie = pyo.Constraint(expr=m.x + m.y == 6)
    m.cost = pyo.Expression(expr=m.y)
    m.obj = pyo.Objective(expr=(m.y - 5) ** 2)
    return m


def test_a_point_gets_the_slacks_that_its_violations_need() -> None:
    m = model()
    problem = resolve(m, TEXT)
    there = to_problem(problem, Point(ComponentMap([(m.x, 4.0), (m.y, 1.0)])))
    slacks = {slack.name: there.values[slack] for soft in problem.softening.rows for slack, _ in soft.slacks}
    assert slacks == {
        "soft.below[low]": 3,
        "soft.above[high]": 2,
        "soft.below[tie]": 1,
        "soft.above[tie]": 0,
    }
    assert {v.name: value for v, value in there.values.items() if v.name in "xy"} == {"x": 4, "y": 1}
    assert not any(v is m.x for v in there.values)


def test_the_answer_is_the_modellers_and_says_what_is_violated() -> None:
    m = model()
    solution = solve(m, TEXT)
    # y = x as y costs 1 and the row 3; (x - 5)^2 + 2 (x - 2)^2 + 5 |2 x - 6| has its kink at x = 3, where it is 4 + 2.
    assert dict(solution.variables) == {"x": pytest.approx(3, abs=1e-5), "y": pytest.approx(3, abs=1e-5)}
    assert solution.objective == pytest.approx(6, abs=1e-4)
    assert sorted(v.name for v in solution.point.values) == ["x", "y"]
    assert m.x in solution.point.values and m.y in solution.point.values
    assert [c for _, _, c in solution.point.multipliers] == [m.low]
    assert any(note.startswith("soft row `high` is violated by 1,") for note in solution.messages)
    assert not any("`low`" in note for note in solution.messages)
    assert (m.x.value, m.y.value) == pytest.approx((3, 3), abs=1e-5)


def test_a_reformulation_leads_back_to_the_modellers_variables() -> None:
    m = model()
    made = reformulate(m, TEXT, encoding="sos1")
    assert m.x in made.variables and m.y in made.variables and len(made.variables) == 2
    point = made.recover(made.run(Options()))
    assert point.values[m.x] == pytest.approx(3, abs=1e-4)
    assert [multiplier.component for multiplier in made.multipliers] == [m.low]


def test_without_soft_rows_nothing_changes() -> None:
    m = model()
    text = "bilevel x\nmin cost y low"
    m.high.deactivate()
    problem = resolve(m, text)
    assert problem.softening is None and problem.model is m
    point = Point(ComponentMap([(m.x, 3.0)]))
    assert to_problem(problem, point) is point
    solution = solve(m, text)
    assert to_modeller(problem, solution) is solution
    made = reformulate(m, text)
    assert of_modeller(made) is made
    m.x.set_value(0.0)
    write(problem, solution)
    assert m.x.value == pytest.approx(3, abs=1e-5)
