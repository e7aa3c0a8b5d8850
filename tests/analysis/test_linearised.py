"""Gradients of the active rows and sides of pairs, against derivatives by hand."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

from bilevel_lang.analysis.linearised import NotLinearisedError, linearise
from bilevel_lang.reformulation.complementarity.pairs import take_pairs


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 4), initialize=4.0)
    m.y = pyo.Var(initialize=0.0)
    m.f = pyo.Objective(expr=m.x**2 + 2 * m.y, sense=pyo.maximize)
    m.pair = Complementarity(expr=complements(m.y >= 0, 5 - m.x >= 0))
    m.tight = pyo.Constraint(expr=m.x + m.y**2 + 3 * m.y <= 4)
    m.slack = pyo.Constraint(expr=m.x <= 7)
    m.equality = pyo.Constraint(expr=m.x - m.y == 4)
    return m


def linearised(m: Any) -> Any:
    return linearise(m, take_pairs(m)[1])


def test_gradients_in_units_of_the_variables() -> None:
    """The unit of x is 4: d/dx x^2 = 8 becomes 32, beside 2 for y; everything is then divided by its largest entry."""
    found = linearised(model())
    assert list(found.objective) == pytest.approx([-1.0, -2 / 32])
    (pair,) = found.pairs
    assert pair.left == {1: 1.0}
    assert pair.right is None
    assert not pair.biactive
    assert [(n.entries, n.lower, n.upper) for n in found.normals] == [
        ({0: 1.0, 1: 0.75}, -math.inf, 0.0),
        ({0: 1.0, 1: -0.25}, -math.inf, math.inf),
        ({0: 1.0}, -math.inf, 0.0),
    ]


def test_a_bound_that_a_side_states_is_not_stated_twice() -> None:
    m = model()
    m.y.setlb(0)
    assert len(linearised(m).normals) == 3


def test_fixed_variables_are_data() -> None:
    m = model()
    m.y.fix(0.0)
    assert linearised(m).columns == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda m: m.f.deactivate(), "no objective"),
        (lambda m: m.y.set_value(None), "not all multipliers"),
        (lambda m: m.y.set_value(0.5), "violated|complementary"),
        (lambda m: m.add_component("root", pyo.Constraint(expr=pyo.sqrt(m.y) <= 1)), "derivative"),
    ],
)
def test_what_cannot_be_linearised_is_said(spoil: Any, said: str) -> None:
    m = model()
    spoil(m)
    with pytest.raises(NotLinearisedError, match=said):
        linearised(m)
