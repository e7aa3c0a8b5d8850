"""Composition rules, against midpoint convexity at random points and against known functions."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyomo.common.collections import ComponentSet
from pyomo.core.expr.numeric_expr import AbsExpression
from pyomo.core.expr.visitor import identify_components

from bilevel_lang.oracle.curvature import curvature
from bilevel_lang.oracle.shapes import Curvature, shape_of, sum_curvature

BOXES = {"x": (-2.0, 3.0), "p": (0.0, 2.0), "n": (-3.0, -0.5), "t": (-2.0, 2.0), "q": (0.5, 4.0)}
OWNED = ("x", "p", "n")


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    for name, box in BOXES.items():
        m.add_component(name, pyo.Var(bounds=box))
    return m


def owned(m: pyo.ConcreteModel) -> ComponentSet:
    return ComponentSet(m.component(name) for name in OWNED)


LEAVES = st.one_of(st.sampled_from(sorted(BOXES)), st.sampled_from([-2.0, -0.5, 0.5, 1.0, 3.0]).map(str))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/"]), inner, inner).map(lambda t: f"({t[1]} {t[0]} {t[2]})"),
        st.tuples(inner, st.sampled_from(["2", "3", "4", "0.5", "1.5", "-1", "-2", "q", "0"])).map(lambda t: f"({t[0]})**{t[1]}"),
        st.tuples(st.sampled_from(["exp", "log", "sqrt", "abs", "cosh", "sin"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
    ),
    max_leaves=6,
)
NAMES = {name: getattr(pyo, name) for name in ("exp", "log", "sqrt", "cosh", "sin")} | {"abs": abs}


def number(expression: object) -> float:
    """The value; nan where the expression or a part of it is not real: abs of a complex number is a number in Python."""
    try:
        parts = [] if isinstance(expression, (int, float, complex)) else list(identify_components(expression, {AbsExpression}))
        if not all(math.isfinite(number(part.arg(0))) for part in parts):
            return math.nan
        return float(pyo.value(expression))  # type: ignore[arg-type]
    except (ValueError, ArithmeticError, TypeError):
        return math.nan


def test_a_part_that_is_not_real_has_no_value() -> None:
    m = model()
    m.n.set_value(-3.0)
    assert math.isnan(number(abs(m.n**0.5))) and math.isnan(number(2 + abs(m.p + m.n**0.5)))
    assert number(abs(m.n)) == 3.0 and number(abs(-2.0)) == 2.0 and number(1 - abs(abs(m.n) - 4)) == 0.0


@settings(max_examples=100)
@given(TREES, st.randoms(use_true_random=False))
def test_a_claim_survives_random_segments(text: str, random: object) -> None:
    check_claim(text, random)


@pytest.mark.slow
@settings(max_examples=2000)
@given(TREES, st.randoms(use_true_random=False))
def test_claims_survive_many_random_segments(text: str, random: object) -> None:
    check_claim(text, random)


def check_claim(text: str, random: object) -> None:
    m = model()
    try:
        expression = eval(text, {"__builtins__": {}}, NAMES | {name: m.component(name) for name in BOXES})
    except (ValueError, ArithmeticError, TypeError):
        return  # constants alone, and not defined
    if not hasattr(expression, "is_expression_type"):
        return
    claim = curvature(expression, owned(m))
    if claim is Curvature.UNKNOWN:
        return
    for _ in range(25):
        for name, (low, up) in BOXES.items():
            m.component(name).set_value(random.choice([low, up, random.uniform(low, up)]))  # type: ignore[attr-defined]
        ends = []
        for _side in range(2):
            spot = {n: random.uniform(*BOXES[n]) for n in OWNED}  # type: ignore[attr-defined]
            for name, value in spot.items():
                m.component(name).set_value(value)
            ends.append((spot, number(expression)))
        for name in OWNED:
            m.component(name).set_value((ends[0][0][name] + ends[1][0][name]) / 2)
        middle, mean = number(expression), (ends[0][1] + ends[1][1]) / 2
        if not all(math.isfinite(v) for v in (middle, mean)):
            continue
        slack = 1e-9 * (1 + abs(ends[0][1]) + abs(ends[1][1]))
        if claim.is_convex:
            assert middle <= mean + slack, (text, claim)
        if claim.is_concave:
            assert middle >= mean - slack, (text, claim)


@settings(max_examples=80)
@given(TREES, st.randoms(use_true_random=False))
def test_a_range_holds_at_random_points(text: str, random: object) -> None:
    m = model()
    try:
        expression = eval(text, {"__builtins__": {}}, NAMES | {name: m.component(name) for name in BOXES})
    except (ValueError, ArithmeticError, TypeError):
        return
    shape = shape_of(expression, owned(m))
    if isinstance(expression, complex) or expression is NotImplemented:
        assert shape.curvature is Curvature.UNKNOWN
        return
    for _ in range(25):
        for name, (low, up) in BOXES.items():
            m.component(name).set_value(random.choice([low, up, random.uniform(low, up)]))  # type: ignore[attr-defined]
        value = number(expression)
        if math.isfinite(value):
            slack = 1e-9 * (1 + abs(value))
            assert shape.lower - slack <= value <= shape.upper + slack, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp(x) - log(p + 1)", Curvature.CONVEX),
        ("t * exp(x)", Curvature.UNKNOWN),
        ("q * exp(x)", Curvature.CONVEX),
        ("-q * exp(x)", Curvature.CONCAVE),
        ("t**2 * abs(x)", Curvature.CONVEX),
        ("n**3", Curvature.CONCAVE),
        ("p**3", Curvature.CONVEX),
        ("x**3", Curvature.UNKNOWN),
        ("p**0.5", Curvature.CONCAVE),
        ("1 / (p + 1)", Curvature.CONVEX),
        ("1 / n", Curvature.CONCAVE),
        ("1 / x", Curvature.UNKNOWN),
        ("x / q", Curvature.AFFINE),
        ("x / t", Curvature.AFFINE),
        ("x**q", Curvature.UNKNOWN),
        ("q**x", Curvature.UNKNOWN),
        ("t * q", Curvature.CONSTANT),
        ("sqrt(q) * x", Curvature.AFFINE),
        ("sin(t) * x", Curvature.AFFINE),
    ],
)
def test_known_functions(text: str, expected: Curvature) -> None:
    m = model()
    expression = eval(text, {"__builtins__": {}}, NAMES | {name: m.component(name) for name in BOXES})
    assert curvature(expression, owned(m)) is expected


def test_a_bound_that_changes_changes_the_claim() -> None:
    m = model()
    expression = m.t * pyo.exp(m.x)
    assert curvature(expression, owned(m)) is Curvature.UNKNOWN
    m.t.setlb(0)
    assert curvature(expression, owned(m)) is Curvature.CONVEX
    m.t.fix(-1)
    assert curvature(expression, owned(m)) is Curvature.CONCAVE


def test_a_named_expression_is_looked_into() -> None:
    m = model()
    m.e = pyo.Expression(expr=pyo.exp(m.x))
    assert curvature(2 * m.e + m.p, owned(m)) is Curvature.CONVEX


@pytest.mark.parametrize(
    ("text", "smooth"),
    [
        ("abs(x)", False),
        ("abs(p)", True),
        ("abs(t)*x", True),
        ("sqrt(p)", False),
        ("sqrt(p + 1)", True),
        ("p**1.5", True),
        ("p**0.5", False),
    ],
)
def test_kinks_are_seen(text: str, smooth: bool) -> None:
    m = model()
    expression = eval(text, {"__builtins__": {}}, NAMES | {name: m.component(name) for name in BOXES})
    assert shape_of(expression, owned(m)).smooth is smooth


def test_sums_of_kinds() -> None:
    assert sum_curvature([Curvature.CONVEX, Curvature.AFFINE]) is Curvature.CONVEX
    assert sum_curvature([Curvature.CONVEX, Curvature.CONCAVE]) is Curvature.UNKNOWN
    assert sum_curvature([]) is Curvature.CONSTANT


def test_what_pyomo_makes_of_a_function_of_a_complex_number_is_unknown() -> None:
    impossible = pyo.exp((-2.0) ** 0.5)
    assert shape_of(impossible, ComponentSet()).curvature is Curvature.UNKNOWN
