"""Every form of ``pyomo.mpec`` that has a meaning, at points that satisfy it and at others."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap
from pyomo.mpec import Complementarity, complements

from bilevel_lang.oracle.conditions import complementarity_violation, disjunction_violation, sos_violation
from bilevel_lang.problem import Disjunct, Disjunction, Row

FORMS: list[tuple[Any, list[tuple[float, float]], list[tuple[float, float]]]] = [
    (lambda x, y: complements(x >= 0, y >= 0), [(0, 2), (2, 0), (0, 0)], [(1, 1), (-1, 0), (0, -1)]),
    (lambda x, y: complements(x <= 3, y >= 1), [(3, 5), (2, 1)], [(2, 2), (4, 1), (3, 0)]),
    (lambda x, y: complements(x >= 0, y <= x + 1), [(0, 0), (2, 3)], [(1, 1), (0, 2)]),
    (lambda x, y: complements(pyo.inequality(0, x, 1), y), [(0, 3), (1, -3), (0.5, 0)], [(0, -1), (1, 1), (0.5, 1), (2, 0)]),
    (lambda x, y: complements(y, x >= 0), [(0, 3), (2, 0)], [(0, -1), (2, 1)]),
    (lambda x, y: complements(x + y <= 2, y - x), [(2, 0), (0.5, 0.5)], [(0, 2), (0, 1)]),
    (lambda x, y: complements(x == 1, y), [(1, 9)], [(2, 0)]),
]


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_forms(number: int) -> None:
    form, good, bad = FORMS[number]
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.c = Complementarity(expr=form(m.x, m.y))
    for points, holds in ((good, True), (bad, False)):
        for x, y in points:
            found = complementarity_violation(m.c, ComponentMap([(m.x, x), (m.y, y)]))
            assert (found < 1e-12) is holds, (x, y, found)


def test_nan_never_passes() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.c = Complementarity(expr=complements(pyo.log(m.x) >= 0, m.y >= 0))
    m.d = Complementarity(expr=complements(pyo.inequality(0, m.y, 1), pyo.log(m.x)))
    for condition in (m.c, m.d):
        assert complementarity_violation(condition, ComponentMap([(m.x, -1.0), (m.y, 0.0)])) == math.inf


def test_sos() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2, 3])
    m.one = pyo.SOSConstraint(var=m.x, sos=1)
    m.two = pyo.SOSConstraint(var=m.x, sos=2)
    for point, first, second in (((0, 4, 0), 0, 0), ((2, 4, 0), 2, 0), ((2, 0, 4), 2, 2)):
        values = ComponentMap(zip(m.x.values(), point, strict=True))
        assert (sos_violation(m.one, values), sos_violation(m.two, values)) == (first, second)


def choice(m: Any, negated: bool = False, told: bool = True) -> Disjunction:
    """u: x <= 2, or else x >= 4."""
    low = Row("low", m.x, None, 2.0, None)
    high = Row("high", m.x, 4.0, None, None)
    first = Disjunct("u", m.u if told else None, negated, (low,))
    return Disjunction("choice", (first, Disjunct("else", None, False, (high,))), "chull")


@pytest.mark.parametrize(
    ("x", "u", "off"),
    [
        (1, 1, 0),
        (5, 0, 0),
        (1, 0, 0.75),  # high is off by 3 of 4, the indicator by 1
        (5, 1, 1),  # low is off by 3 of 2, the indicator by 1
        (3, 1, 0.5),
        (3, 0, 0.25),
        (5, 1e-7, 1e-7),
        (math.nan, 1, math.inf),
    ],
)
def test_one_branch_and_what_its_indicator_says(x: float, u: float, off: float) -> None:
    m = pyo.ConcreteModel()
    m.x, m.u = pyo.Var(), pyo.Var()
    values = ComponentMap([(m.x, x), (m.u, u)])
    assert disjunction_violation(choice(m), values) == pytest.approx(off)
    values[m.u] = 1 - u
    assert disjunction_violation(choice(m, negated=True), values) == pytest.approx(off)


def test_a_choice_that_nothing_tells_is_the_one_that_fits() -> None:
    m = pyo.ConcreteModel()
    m.x, m.u = pyo.Var(), pyo.Var()
    for x, off in ((1, 0), (5, 0), (3, 0.25)):
        assert disjunction_violation(choice(m, told=False), ComponentMap([(m.x, x)])) == pytest.approx(off)
