"""Functions whose curvature is known from the textbooks, beyond sums and monotone compositions."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest

from bilevel_lang.oracle.composition import Shape, compose, number_shape, settled
from bilevel_lang.oracle.shapes import Curvature, shape_of
from tests.oracle.test_shapes import BOXES, NAMES, model, owned

# x in [-2, 3], p in [0, 2], n in [-3, -0.5] are owned; t in [-2, 2], q in [0.5, 4] are others'.
KNOWN = [
    ("x**2 / p", Curvature.CONVEX),  # quadratic over linear
    ("(x**2 + n**2 + 1) / (p + 1)", Curvature.CONVEX),
    ("(x - t)**2 / (p + 1)", Curvature.CONVEX),
    ("x**4 / (p + 1)**3", Curvature.CONVEX),
    ("x**2 / (p + 1)**2", Curvature.UNKNOWN),
    ("sqrt(x**2 + p**2 + 1)", Curvature.CONVEX),  # a norm
    ("sqrt((x - t)**2 + p**2)", Curvature.CONVEX),
    ("sqrt(x**2 + p**2 - x*p)", Curvature.CONVEX),
    ("sqrt(x**2 + p**2 - 3*x*p)", Curvature.UNKNOWN),
    ("(x**2 - x*p + p**2)**1.5", Curvature.CONVEX),
    ("exp(x**2 + p**2 - x*p)", Curvature.CONVEX),
    ("exp(x**2 + p**2 - 3*x*p)", Curvature.UNKNOWN),
    ("log(exp(x) + exp(p) + 2)", Curvature.CONVEX),  # log-sum-exp
    ("log(exp(x) + t)", Curvature.UNKNOWN),
    ("log(exp(x) + q * exp(n))", Curvature.CONVEX),
    ("sqrt(p * (x + 3))", Curvature.CONCAVE),  # geometric mean
    ("p**0.3 * (x + 3)**0.7", Curvature.CONCAVE),
    ("p**0.3 * (x + 3)**0.8", Curvature.UNKNOWN),
    ("log(p * (x + 3))", Curvature.CONCAVE),
    ("p * (x + 3)", Curvature.UNKNOWN),
    ("1 / (p * (x + 3))", Curvature.CONVEX),
    ("exp(x) / (p + 1)", Curvature.CONVEX),
    ("exp(x) * exp(n)", Curvature.CONVEX),
    ("exp(x) * x**2", Curvature.UNKNOWN),
    ("x * x", Curvature.CONVEX),
    ("(x + 1) * (x + 1)", Curvature.CONVEX),
    ("(x + p) * (x - p)", Curvature.UNKNOWN),
    ("exp((x + p) * (x - p) + 2 * p**2)", Curvature.CONVEX),
]


@pytest.mark.parametrize(("text", "expected"), KNOWN)
def test_functions_of_the_textbooks(text: str, expected: Curvature) -> None:
    m = model()
    expression = eval(text, {"__builtins__": {}}, NAMES | {name: m.component(name) for name in BOXES})
    assert shape_of(expression, owned(m)).curvature is expected


@pytest.mark.parametrize(
    ("text", "low", "up"),
    [
        ("exp(x)", math.exp(-2), math.exp(3)),
        ("sqrt(q)", math.sqrt(0.5), 2.0),
        ("log(q)", math.log(0.5), math.log(4)),
        ("log(p)", -math.inf, math.log(2)),
        ("x**2", 0.0, 9.0),
        ("x**3", -8.0, 27.0),
        ("n**3", -27.0, -0.125),
        ("1 / q", 0.25, 2.0),
        ("1 / p", 0.5, math.inf),
        ("1 / n", -2.0, -1 / 3),
        ("abs(x)", 0.0, 3.0),
        ("abs(n)", 0.5, 3.0),
        ("cosh(x)", 1.0, math.inf),
        ("sin(x)", -1.0, 1.0),
    ],
)
def test_ranges_of_functions(text: str, low: float, up: float) -> None:
    m = model()
    expression = eval(text, {"__builtins__": {}}, NAMES | {name: m.component(name) for name in BOXES})
    shape = shape_of(expression, owned(m))
    assert (shape.lower, shape.upper) == (pytest.approx(low), pytest.approx(up))


def test_a_power_needs_a_sign() -> None:
    assert settled(Shape(Curvature.UNKNOWN, -1.0, 1.0, convex_power=0.5)).convex_power is None
    assert settled(Shape(Curvature.UNKNOWN, 0.0, 1.0, convex_power=0.5)).curvature is Curvature.CONVEX
    assert settled(Shape(Curvature.UNKNOWN, 0.0, 1.0, concave_power=0.5)).curvature is Curvature.UNKNOWN


def test_a_node_of_unknown_kind_says_nothing() -> None:
    m = model()
    node = pyo.Expr_if(m.x >= 0, m.x, 0)
    assert compose(node, [number_shape(1.0), Shape(Curvature.AFFINE), number_shape(0.0)]).curvature is Curvature.UNKNOWN
