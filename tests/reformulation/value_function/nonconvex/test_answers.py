"""A follower's global answers against closed forms."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.reformulation.value_function.nonconvex.answers import Answer, best_answer
from bilevel_lang.solvers.solver import SolverOptions, Termination


def answer_of(model: Any, annotation: str, **values: float) -> Answer:
    agent = bl.resolve(model, annotation).agents[0]
    point = ComponentMap((model.find_component(name), value) for name, value in values.items())
    return best_answer(agent, point, 1.0, SolverOptions())


def quartic(lower: float | None = -1, upper: float | None = 1) -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-2, 2))
    m.y = pyo.Var(bounds=(lower, upper))
    m.leader = pyo.Objective(expr=m.y)
    m.f = pyo.Expression(expr=m.y**4 / 4 - m.x * m.y)
    return m


@pytest.mark.parametrize("x", [0.125, -0.5, 2.0])
def test_the_answer_is_the_root_of_the_derivative_or_a_bound(x: float) -> None:
    model = quartic()
    found = answer_of(model, "bilevel x\nmin f y\n", x=x, y=0)
    y = min(1.0, math.copysign(abs(x) ** (1 / 3), x))
    assert found.values is not None
    assert found.values[model.y] == pytest.approx(y, abs=1e-6)
    assert found.value == pytest.approx(y**4 / 4 - x * y, abs=1e-11)
    assert found.loss < 1e-6


def test_of_two_valleys_the_deeper_one_is_found() -> None:
    model = quartic()
    model.f.set_value((model.y**2 - 0.25) ** 2 - 0.01 * model.x * model.y)
    assert answer_of(model, "bilevel x\nmin f y\n", x=1, y=-0.5).values[model.y] > 0.49  # type: ignore[index]
    assert answer_of(model, "bilevel x\nmin f y\n", x=-1, y=0.5).values[model.y] < -0.49  # type: ignore[index]


def test_a_max_follower_has_its_value_in_its_own_sense() -> None:
    model = quartic()
    model.f.set_value(model.x * model.y - model.y**4 / 4)
    assert answer_of(model, "bilevel x\nmax f y\n", x=1, y=0).value == pytest.approx(0.75)


def test_without_a_feasible_answer_there_is_none() -> None:
    model = quartic()
    model.row = pyo.Constraint(expr=model.y**2 <= model.x)
    found = answer_of(model, "bilevel x\nmin f y row\n", x=-1, y=0)
    assert (found.values, found.value, found.ended) == (None, None, Termination.INFEASIBLE)


def test_an_answer_lost_to_rounding_of_the_others_is_found_again() -> None:
    model = quartic()
    model.row = pyo.Constraint(expr=model.y**2 <= model.x)
    found = answer_of(model, "bilevel x\nmin f y row\n", x=-1e-9, y=0)
    assert found.value == pytest.approx(0, abs=1e-9)


def test_without_a_best_answer_a_good_one_is_given() -> None:
    model = quartic(None, None)
    model.f.set_value(model.x * model.y**2)
    found = answer_of(model, "bilevel x\nmin f y\n", x=-1, y=0)
    assert not found.bounded
    assert found.value is not None
    assert found.value < -1e3


def test_a_function_that_is_not_defined_at_the_point_is_no_answer() -> None:
    model = quartic()
    model.f.set_value(model.y * pyo.log(model.x))
    found = answer_of(model, "bilevel x\nmin f y\n", x=-1, y=0)
    assert (found.values, found.ended) == (None, Termination.FAILED)
