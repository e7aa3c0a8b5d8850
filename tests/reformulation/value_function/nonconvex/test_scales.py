"""The scale of an objective follows its units."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.value_function.nonconvex.scales import ROW_TOLERANCE, Scale, scales_of


def scale(unit: float, formula: Any = None) -> Scale:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-1, 1))
    m.y = pyo.Var(bounds=(-1, 1))
    m.leader = pyo.Objective(expr=m.y)
    m.f = pyo.Expression(expr=unit * (m.y**4 - m.x * m.y) if formula is None else formula(m))
    (found,) = scales_of(bl.resolve(m, "bilevel x\nmin f y\n").agents)
    return found


@pytest.mark.parametrize("unit", [2.0**-20, 1024.0])
def test_units_of_the_objective_change_factor_and_epsilon_alike(unit: float) -> None:
    one, other = scale(1.0), scale(unit)
    assert other.factor == pytest.approx(one.factor / unit)
    assert other.epsilon == pytest.approx(one.epsilon * unit)


def test_epsilon_is_what_a_sharp_row_may_miss() -> None:
    found = scale(1.0)
    assert found.epsilon * found.sharp == pytest.approx(ROW_TOLERANCE)
    assert 1e-11 < found.epsilon < 1e-8


def test_an_objective_without_the_follower_has_size_one() -> None:
    assert scale(1.0, lambda m: m.x**2).factor == 1.0


def test_it_is_the_same_each_time() -> None:
    assert scale(1.0) == scale(1.0)
