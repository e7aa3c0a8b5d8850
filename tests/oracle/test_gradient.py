"""Derivatives against central differences and by hand."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.gradient import Gradient


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.y = pyo.Var([1, 2], initialize={1: 0.7, 2: 1.3})
    m.x = pyo.Var(initialize=2.1)
    m.k = pyo.Var(initialize=0.4)
    m.k.fix()
    m.p = pyo.Param(initialize=3.0, mutable=True)
    m.e = pyo.Expression(expr=pyo.exp(m.y[1] * m.x))
    return m


CASES = [
    lambda m: 3 * m.y[1] - m.p * m.y[2] + m.x,
    lambda m: m.y[1] ** 2 + m.y[1] * m.y[2] * m.k + m.x * m.y[2] + m.x**2,
    lambda m: m.e * m.y[2] + m.y[1],
    lambda m: m.y[1] ** 2 + m.e + pyo.log(m.y[2]) * m.k + (m.y[1] - m.x) ** 3,
    lambda m: pyo.sqrt(m.y[1]) / m.y[2] + m.y[1] ** m.x + pyo.sin(m.k) * m.y[2] + pyo.tan(m.y[1]),
    lambda m: (m.y[1] + m.y[2]) ** 2 * m.x,
    lambda m: m.x**2 + m.k,
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_against_central_differences(case: int) -> None:
    m = model()
    expression = CASES[case](m)
    found = {1: 0.0, 2: 0.0}
    for variable, derivative in Gradient(m.y.values()).derivatives(expression):
        found[variable.index()] += pyo.value(derivative)
    for i in (1, 2):
        middle, h = m.y[i].value, 1e-6
        m.y[i] = middle + h
        above = pyo.value(expression)
        m.y[i] = middle - h
        below = pyo.value(expression)
        m.y[i] = middle
        assert found[i] == pytest.approx((above - below) / (2 * h), rel=1e-7, abs=1e-8)


def test_sums_and_what_is_left_out() -> None:
    m = model()
    gradient = Gradient(m.y.values())
    gradient.add(2 * m.y[1] + m.x, m.x)
    gradient.add_term(m.y[1], -m.k)
    assert pyo.value(gradient.sum(m.y[1])) == pytest.approx(2 * 2.1 - 0.4)
    assert gradient.sum(m.y[2]) == 0.0


def test_a_kink_is_refused_and_a_constant_one_is_not() -> None:
    m = model()
    with pytest.raises(RefusedError, match="kink"):
        Gradient(m.y.values()).derivatives(abs(m.y[1] - m.x))
    assert [(v.index(), pyo.value(d)) for v, d in Gradient(m.y.values()).derivatives(abs(m.x) * m.y[1])] == [
        (1, pytest.approx(2.1))
    ]


def test_a_function_without_a_formula_is_refused() -> None:
    m = model()
    with pytest.raises(RefusedError, match="derivative"):
        Gradient(m.y.values()).derivatives(pyo.ceil(m.y[1]))
