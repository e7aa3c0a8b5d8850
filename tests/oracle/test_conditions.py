"""Every form of ``pyomo.mpec`` that has a meaning, at points that satisfy it and at others."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap
from pyomo.mpec import Complementarity, complements

from bilevel_lang.oracle.conditions import complementarity_violation, sos_violation

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
