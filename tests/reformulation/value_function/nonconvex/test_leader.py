from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.reformulation.value_function.nonconvex.leader import SMALLEST_SIZE, LeaderGoal


def game(sense: int) -> tuple[pyo.ConcreteModel, LeaderGoal]:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 5))
    m.goal = pyo.Objective(expr=3 * m.x - 2 * m.y + 1, sense=sense)
    m.f = pyo.Expression(expr=m.y**2)
    return m, LeaderGoal(bl.resolve(m, "bilevel x\nmin f y\n"))


@pytest.mark.parametrize(("sense", "value"), [(pyo.minimize, 3.0), (pyo.maximize, -3.0)])
def test_the_value_is_that_of_a_minimisation(sense: int, value: float) -> None:
    m, goal = game(sense)
    assert goal
    assert goal.value(ComponentMap([(m.x, 2.0), (m.y, 2.0)])) == value


def test_the_size_is_that_of_the_terms() -> None:
    m, goal = game(pyo.minimize)
    assert goal.size(ComponentMap([(m.x, 2.0), (m.y, 3.5)])) >= 6  # the terms are 6 and -7, and cancel
    assert goal.size(ComponentMap([(m.x, 0.0), (m.y, 0.0)])) >= SMALLEST_SIZE


def test_without_a_leader_all_points_are_the_same() -> None:
    m, _ = game(pyo.minimize)
    m.goal.deactivate()
    m.g = pyo.Expression(expr=m.x)
    goal = LeaderGoal(bl.resolve(m, "equilibrium\nmin f y\nmin g x\n"))
    assert not goal
    assert goal.value(ComponentMap([(m.x, 2.0), (m.y, 2.0)])) == 0
