from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.blame import why_infeasible, why_unbounded
from tests.reformulation.stochastic.test_extensive import arrays_of_text

LAW = "randvar d discrete 0.25 1 0.25 2 0.25 6 0.25 4\nstage 2 d y near far\n"


def name(number: int) -> str:
    return "abcd"[number]


def reach(width: float, least: float = 0.0) -> TwoStageArrays:
    """|x - d| <= width in every scenario: an interval of decisions for each of them."""
    m: Any = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=1.0, mutable=True)
    m.x, m.y = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, width))
    m.first = pyo.Constraint(expr=m.x >= least)
    m.near = pyo.Constraint(expr=m.x - m.d <= m.y)
    m.far = pyo.Constraint(expr=m.d - m.x <= m.y)
    m.cost = pyo.Objective(expr=m.x + m.y)
    return arrays_of_text(m, LAW)


@pytest.mark.parametrize(
    ("width", "least", "said"),
    [
        (2.0, 0.0, "both scenario c and the 2 scenarios before it"),  # [0, 3], [0, 4], [4, 5], ...
        (0.4, 0.0, "scenario c has no answer, whatever"),  # the interval of 6 lies beyond 5
        (9.0, 6.0, "rows of the first stage contradict"),
    ],
)
def test_what_contradicts_what(width: float, least: float, said: str) -> None:
    assert said in str(why_infeasible(reach(width, least), name, 30.0))


def test_two_that_do_not_go_together() -> None:
    arrays = reach(0.4)
    first_two = arrays.restricted(np.arange(2), np.full(2, 0.5))
    assert "both scenario b and scenario a" in str(why_infeasible(first_two, name, 30.0))


def test_no_time_and_nothing_to_blame() -> None:
    assert why_infeasible(reach(2.0), name, -1.0) is None
    assert why_infeasible(reach(5.0), name, 30.0) is None
    assert why_unbounded(reach(2.0), name, 30.0) is None


def test_variables_that_may_have_been_forgotten_in_the_second_stage_are_named() -> None:
    m: Any = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=1.0, mutable=True)
    m.x, m.y, m.z = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9))
    m.first = pyo.Constraint(expr=m.x >= 1)
    m.serve = pyo.Constraint(expr=m.x + m.y + 0 * m.z == m.d)
    m.spare = pyo.Constraint(expr=m.z >= m.d - 9)
    m.cost = pyo.Objective(expr=m.x + m.y + m.z)
    arrays = arrays_of_text(m, "randvar d discrete 0.5 2 0.5 6\nstage 2 d z serve spare\n")
    said = str(why_infeasible(arrays, name, 30.0, ("x", "y")))
    assert "both scenario b and scenario a" in said
    assert "`y` of stage 1 is in rows of stage 2 alone" in said
    assert "`x`" not in said
