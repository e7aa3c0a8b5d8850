"""Quadratics by eigenvalues: scale, rounding, other agents' variables, mixtures."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentSet

from bilevel_lang.oracle.curvature import Curvature, curvature, examine


@pytest.fixture
def m() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.y = pyo.Var([1, 2, 3])
    m.x = pyo.Var(bounds=(-5, 5))
    return m


def of(m: pyo.ConcreteModel, expression: object) -> Curvature:
    return curvature(expression, ComponentSet(m.y.values()))


def test_a_small_negative_square_is_not_lost_beside_a_large_positive_one(m: pyo.ConcreteModel) -> None:
    assert of(m, 1e9 * m.y[1] ** 2 - 0.1 * m.y[2] ** 2) is Curvature.UNKNOWN
    assert of(m, 1e9 * m.y[1] ** 2 + 1e4 * m.y[1] * m.y[2] + 0.025 * m.y[2] ** 2) is Curvature.CONVEX  # (31623 y1 + 0.158 y2)**2
    assert of(m, 1e9 * m.y[1] ** 2 + 1e4 * m.y[1] * m.y[2] + 0.0249 * m.y[2] ** 2) is Curvature.UNKNOWN


def test_squares_multiplied_out_in_floating_point_pass(m: pyo.ConcreteModel) -> None:
    assert of(m, (0.1 * m.y[1] + 0.2 * m.y[2] - 0.7 * m.y[3] + m.x) ** 2) is Curvature.CONVEX
    assert of(m, -((0.1 * m.y[1] + 0.3 * m.y[2]) ** 2)) is Curvature.CONCAVE


def test_products(m: pyo.ConcreteModel) -> None:
    assert of(m, m.y[1] * m.y[2]) is Curvature.UNKNOWN
    assert of(m, m.y[1] * m.x) is Curvature.AFFINE
    assert of(m, m.x**2) is Curvature.CONSTANT
    assert of(m, m.y[1] ** 2 + m.y[1] * m.y[2] + m.y[2] ** 2) is Curvature.CONVEX
    assert of(m, m.y[1] ** 2 + 3 * m.y[1] * m.y[2] + m.y[2] ** 2) is Curvature.UNKNOWN


def test_a_quadratic_part_and_a_cubic_of_others(m: pyo.ConcreteModel) -> None:
    form = m.y[1] ** 2 + m.y[1] * m.y[2] + m.y[2] ** 2
    assert of(m, form + m.x**3) is Curvature.CONVEX
    assert of(m, form + m.x**3 * m.y[1]) is Curvature.CONVEX
    assert of(m, form + m.x * m.y[1] ** 2) is Curvature.UNKNOWN
    assert of(m, form + pyo.exp(m.y[3])) is Curvature.CONVEX


def test_a_square_times_a_variable_of_others_needs_its_sign(m: pyo.ConcreteModel) -> None:
    assert of(m, m.x * (m.y[1] - m.x) ** 2) is Curvature.UNKNOWN
    m.x.setlb(0)
    assert of(m, m.x * (m.y[1] - m.x) ** 2) is Curvature.CONVEX


def test_smoothness_of_quadratics_and_kinks(m: pyo.ConcreteModel) -> None:
    owned = ComponentSet(m.y.values())
    assert examine(m.y[1] ** 2 + m.x * m.y[2], owned).smooth
    assert not examine(m.y[2] + abs(m.y[1] - m.x), owned).smooth
    assert examine(m.y[2] + abs(m.x), owned).smooth


def test_a_power_of_zero_needs_no_value(m: pyo.ConcreteModel) -> None:
    m.zero = pyo.Param(initialize=0, mutable=True)
    assert of(m, m.y[1] + (m.y[2] - 1) ** m.zero) is Curvature.AFFINE
