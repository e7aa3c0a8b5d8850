"""Witnesses are checked with the function itself; convex functions have none."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentSet

from bilevel_lang.oracle.sampled_curvature import Witness, box, refute_convex, refute_convex_row
from bilevel_lang.problem import Row


def model() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-1, 1))
    m.y, m.z = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(-5, 5))
    return m


def owned(m: Any) -> ComponentSet:
    return ComponentSet([m.y, m.z])


def load(m: Any, witness: Witness) -> None:
    for name, value in witness.point:
        variable = m.find_component(name)
        assert variable.lb <= value <= variable.ub
        variable.set_value(value)


@pytest.mark.parametrize(
    ("build", "eigenvalue"),
    [
        (lambda m: m.y * m.z, lambda m: -1.0),
        (lambda m: -((m.y - 2.0) ** 2) + m.z**2, lambda m: -2.0),
        (lambda m: pyo.sin(3 * m.y), lambda m: -9 * pyo.value(pyo.sin(3 * m.y))),
        (lambda m: m.x * m.y**2, lambda m: 2 * m.x.value),
        (lambda m: pyo.exp(-m.y) - m.z**4, lambda m: -12 * m.z.value**2),
    ],
)
def test_the_eigenvalue_is_that_of_the_hessian_worked_out_by_hand(build: Any, eigenvalue: Any) -> None:
    m = model()
    witness = refute_convex(build(m), owned(m))
    assert witness is not None
    load(m, witness)
    assert witness.eigenvalue == pytest.approx(eigenvalue(m), rel=1e-6) and witness.eigenvalue < 0
    assert witness.text.startswith("Hessian eigenvalue -")


@pytest.mark.parametrize(
    "build",
    [
        lambda m: m.y**2 + m.z**2 + 2 * m.y * m.z,
        lambda m: pyo.exp(m.y - m.x) + m.z**4,
        lambda m: 1e9 * m.y**2 + 1e-9 * m.z**2,
        lambda m: -pyo.log(m.y + 1) + m.x * m.z,
        lambda m: abs(m.y - m.x),
        lambda m: 3 * m.y + m.x**3,
    ],
)
def test_a_convex_function_has_no_witness(build: Any) -> None:
    m = model()
    assert refute_convex(build(m), owned(m)) is None
    assert refute_convex(-build(m), owned(m), -1.0) is None


def test_the_same_model_gives_the_same_witness() -> None:
    found = [refute_convex(m.y * m.z * m.x, owned(m)) for m in (model(), model())]
    assert found[0] == found[1] and found[0] is not None


def test_the_model_keeps_its_values() -> None:
    m = model()
    m.y.set_value(4.0)
    assert refute_convex(m.y * m.z, owned(m)) is not None
    assert m.y.value == 4.0 and m.z.value is None


def row(body: Any, lower: float | None, upper: float | None) -> Row:
    return Row("c", body, lower, upper, None)


@pytest.mark.parametrize(
    ("build", "lower", "upper"),
    [
        (lambda m: m.y**2 + m.z**2, 4.0, None),
        (lambda m: m.y**2 + m.z**2, 4.0, 4.0),
        (lambda m: m.y**2 + m.z, 1.0, 2.0),
        (lambda m: m.y * m.z, None, 1.0),
        (lambda m: m.y * m.z + m.x, 1.0, 1.0),
    ],
)
def test_a_set_is_refuted_by_a_point_between_two_of_its_own(build: Any, lower: float | None, upper: float | None) -> None:
    m = model()
    body = build(m)
    witness = refute_convex_row(row(body, lower, upper), owned(m))
    assert witness is not None
    load(m, witness)
    value = pyo.value(body)
    assert (lower is not None and value < lower - 1e-6) or (upper is not None and value > upper + 1e-6)


@pytest.mark.parametrize(
    ("build", "lower", "upper"),
    [
        (lambda m: m.y**2 + m.z**2, None, 4.0),
        (lambda m: m.y * (m.z + 5), 1.0, None),  # not concave, and a convex set
        (lambda m: (m.y - 2) ** 2 + 0 * m.z, 0.0, 0.0),  # y = 2
        (lambda m: m.y**3, 1.0, None),
        (lambda m: m.y**3 + m.x, 1.0, 1.0),  # a single y for each x
    ],
)
def test_a_convex_set_is_not_refuted_whatever_its_function(build: Any, lower: float | None, upper: float | None) -> None:
    m = model()
    assert refute_convex_row(row(build(m), lower, upper), owned(m)) is None


def test_boxes_are_made_finite() -> None:
    m = pyo.ConcreteModel()
    m.a, m.b, m.c = pyo.Var(), pyo.Var(bounds=(3, None)), pyo.Var(bounds=(None, -3))
    assert [box(v) for v in (m.a, m.b, m.c)] == [(-10.0, 10.0), (3.0, 23.0), (-23.0, -3.0)]
