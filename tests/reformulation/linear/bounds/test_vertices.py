from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.vertices import bound_basic_multipliers
from tests.reformulation.linear.bounds.bases import basic_extremes
from tests.reformulation.linear.random_followers import mpec_of, random_bilevel


def bounded(model: Any, annotation: str = "bilevel x\nmin f y e") -> tuple[Any, Box]:
    mpec = mpec_of(model, annotation)
    box = Box(mpec.program.lower, mpec.program.upper)
    for agent in mpec.agents:
        bound_basic_multipliers(agent, mpec.program, box)
    return mpec, box


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_of_lp_followers_they_are_the_largest_basic_multipliers(seed: int) -> None:
    mpec, box = bounded(random_bilevel(seed))
    agent = mpec.agents[0]
    matrix = agent.sides[:, agent.owned].T.toarray()
    assert box.upper[agent.multipliers] == pytest.approx(basic_extremes(matrix, agent.gradient_constant), abs=1e-6)


def test_multipliers_that_a_dualvar_shows_are_left_alone() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y, m.p = pyo.Var(bounds=(0, 3)), pyo.Var(bounds=(0, 9)), pyo.Var()
    m.e = pyo.Constraint(expr=m.y >= m.x)
    m.f = pyo.Expression(expr=m.y)
    m.leader = pyo.Objective(expr=m.y - m.p)
    hidden, box = bounded(m)
    assert np.isfinite(box.upper[hidden.right]).all()
    shown, box = bounded(m, "bilevel x\nmin f y e\ndualvar p e")
    assert np.isinf(box.upper[shown.right]).all()


def test_a_large_network_is_bounded_without_enumeration() -> None:
    # A chain of 30 stores: 30 balances with a level and a flow each, far more bases than could be tried.
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 3))
    m.y = pyo.Var(range(60), bounds=(0, 9))
    m.e = pyo.Constraint(range(30), rule=lambda m, t: m.y[t] == (m.y[t - 1] if t else m.x) + m.y[30 + t] - 1)
    m.f = pyo.Expression(expr=sum(m.y[t] for t in range(30)))
    m.leader = pyo.Objective(expr=m.y[29])
    mpec, box = bounded(m)
    assert np.isfinite(box.upper[mpec.right]).all()
    assert "totally unimodular" in box.origin[int(mpec.right[0])]
    # Holding one unit more in every store costs 30, and no price can be more than all costs together.
    assert box.upper[mpec.right].max() == pytest.approx(30, rel=1e-6)
