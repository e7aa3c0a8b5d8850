"""Enclosures against values at random points, and the traps of undefined points."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyomo.common.collections import ComponentSet

from bilevel_lang.oracle.value_range import defined_everywhere, value_range
from tests.oracle.test_shapes import BOXES, NAMES, TREES, model, number


@settings(max_examples=60)
@given(TREES, st.randoms(use_true_random=False))
def test_a_finite_range_holds_and_the_expression_is_defined(text: str, random: object) -> None:
    m = model()
    try:
        expression = eval(text, {"__builtins__": {}}, NAMES | {name: m.component(name) for name in BOXES})
    except (ValueError, ArithmeticError, TypeError):
        return
    if isinstance(expression, complex):
        return
    low, up = value_range(expression)
    for _ in range(30):
        for name, (a, b) in BOXES.items():
            m.component(name).set_value(random.choice([a, b, random.uniform(a, b)]))  # type: ignore[attr-defined]
        value = number(expression)
        if math.isfinite(low) or math.isfinite(up):
            assert math.isfinite(value), text
        if math.isfinite(value):
            slack = 1e-9 * (1 + abs(value))
            assert low - slack <= value <= up + slack, text


def test_a_convex_expression_is_largest_at_a_corner() -> None:
    m = model()
    assert value_range((m.x - m.p) ** 2)[1] == pytest.approx(16.0)  # x = -2, p = 2
    assert value_range(m.x**2 - m.x)[1] == pytest.approx(6.0)  # at x = -2 and x = 3; intervals alone say 11
    assert value_range(m.x - m.x + 0 * m.p) == (0.0, 0.0)


def test_a_number_is_its_own_range() -> None:
    m = model()
    m.x.fix(2.0)
    assert value_range(3.0) == (3.0, 3.0) and value_range(m.x**2) == (4.0, 4.0)
    m.x.fix(-1.0)
    assert value_range(pyo.log(m.x)) == (-math.inf, math.inf)


def test_the_model_keeps_its_values() -> None:
    m = model()
    m.x.set_value(1.5)
    value_range(m.x**2)
    assert m.x.value == 1.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log(q)", True),
        ("log(p)", False),
        ("sqrt(p)", True),
        ("sqrt(x)", False),
        ("1 / x", False),
        ("1 / n", True),
        ("p**0.5", True),
        ("p**-1", False),
        ("n**-2", True),
        ("x**3", True),
        ("x**q", False),
        ("q**x", True),
        ("exp(-sqrt(x))", False),
    ],
)
def test_definedness(text: str, expected: bool) -> None:
    m = model()
    names = {name: m.component(name) for name in BOXES}
    expression = eval(text, {"__builtins__": {}}, NAMES | names)
    assert defined_everywhere(expression, ComponentSet(names.values())) is expected
