"""The optimal answers of an integer agent, counted by hand."""

from __future__ import annotations

import itertools

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.oracle.integer_face import integer_face
from bilevel_lang.oracle.optimal_face import NotDescribedError


def model(kind: str = "min") -> pyo.ConcreteModel:
    """Whole y1, y2 in 0..3 with y1 + y2 at least 3 - x, or, for a follower that maximises, at most that."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
    m.y = pyo.Var([1, 2], domain=pyo.Integers, bounds=(0, 3))
    m.F = pyo.Objective(expr=m.x + m.y[1])
    m.f = pyo.Expression(expr=m.y[1] + m.y[2])
    total = m.y[1] + m.y[2] + m.x
    m.c = pyo.Constraint(expr=total >= 3 if kind == "min" else total <= 3)
    return m


@pytest.mark.parametrize("kind", ["min", "max"])
@pytest.mark.parametrize("x", [0, 1, 3])
def test_the_set_is_that_of_the_best_answers(kind: str, x: int) -> None:
    m = model(kind)
    agent = bl.resolve(m, f"bilevel x\n{kind} f y c").agents[0]
    face = integer_face(agent, ComponentMap([(m.x, x), (m.y[1], 3 - x), (m.y[2], 0)]))
    assert face.exact
    assert all(twin.is_integer() for twin in face.twins.values())
    inside = set()
    rows = list(face.model.component_data_objects(pyo.Constraint, active=True))
    for pair in itertools.product(range(4), repeat=2):
        for variable, number in zip(m.y.values(), pair, strict=True):
            face.twins[variable].set_value(number)
        if all(
            (row.lb is None or pyo.value(row.body) >= row.lb) and (row.ub is None or pyo.value(row.body) <= row.ub)
            for row in rows
        ):
            inside.add(pair)
    assert inside == {(a, 3 - x - a) for a in range(4 - x)}


def test_an_agent_that_is_not_linear_is_not_described() -> None:
    m = model()
    m.bent = pyo.Expression(expr=m.y[1] ** 2 + m.y[2])
    agent = bl.resolve(m, "bilevel x\nmin bent y c").agents[0]
    with pytest.raises(NotDescribedError, match="not linear"):
        integer_face(agent, ComponentMap([(m.x, 0), (m.y[1], 0), (m.y[2], 3)]))
