"""Sizes: what they are by hand, and the two laws (a shift changes nothing, a factor multiplies)."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.magnitude import magnitude, row_violation, unit_of


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(), pyo.Var(), pyo.Var(bounds=(0, 0.25))
    return m


def values(m: pyo.ConcreteModel, x: float = 7.0, y: float = 0.0, z: float = 0.0) -> ComponentMap:
    return ComponentMap([(m.x, x), (m.y, y), (m.z, z)])


def test_units() -> None:
    m = model()
    at = values(m, y=-3.0)
    assert [unit_of(v, at) for v in (m.x, m.y, m.z)] == [7.0, 3.0, 0.25]
    assert unit_of(m.y, values(m)) == 1.0


def test_terms_by_hand() -> None:
    m = model()
    found = magnitude(1e6 * m.x + 3 * m.y - 8 * m.z + 5 * m.x * m.y, [m.y, m.z], values(m))
    assert (found.terms[m.y], found.terms[m.z], found.total) == (35.0, 2.0, 35.0)
    assert found.slope(values(m)) == 35.0


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-5, 5)), min_size=1, max_size=6), st.floats(-9, 9))
def test_a_plain_sum_has_the_size_of_the_same_terms_in_another_form(terms: list[tuple[int, int]], y: float) -> None:
    m = model()
    own = [m.y, m.z]
    variables = [m.x, m.y, m.z]
    at = values(m, y=y, z=0.125)
    plain = sum((factor * variables[k] for k, factor in terms), 1.5)
    first, second = magnitude(plain, own, at), magnitude((2 * plain) / 2, own, at)
    assert first.total == pytest.approx(second.total, abs=1e-12)
    for v in own:
        assert first.terms[v] == pytest.approx(second.terms[v], abs=1e-12)


def test_a_square_does_not_vanish_at_its_minimum() -> None:
    m = model()
    assert magnitude((m.y - 3) ** 2, [m.y], values(m, y=3.0)).total == pytest.approx(18.0)
    assert magnitude((m.y - 3) ** 4, [m.y], values(m, y=3.0)).total == pytest.approx(81.0)


FORMS = [
    lambda m: 2 * m.y - m.x * m.z,
    lambda m: (m.y - m.x) ** 2 + m.z,
    lambda m: pyo.exp(m.y) - m.x * pyo.sin(m.z) + m.y**2,
]


@given(st.integers(-30, 30), st.sampled_from(range(3)), st.floats(-3, 3), st.floats(0, 0.25))
def test_a_factor_multiplies_and_a_shift_changes_nothing(power: int, form: int, y: float, z: float) -> None:
    m = model()
    at, factor = values(m, y=y, z=z), 2.0**power
    size = magnitude(FORMS[form](m), [m.y, m.z], at).total
    assert magnitude(factor * FORMS[form](m), [m.y, m.z], at).total == pytest.approx(factor * size, rel=1e-9)
    assert magnitude(FORMS[form](m) + 1e6 + m.x**2, [m.y, m.z], at).total == pytest.approx(size, rel=1e-6)


def test_rows_smaller_than_one_are_measured_by_their_own_size() -> None:
    m = model()
    assert row_violation(1e-6 * m.y, 1e-6, None, values(m)) == pytest.approx(1.0)
    assert row_violation(m.y, 1.0, None, values(m, y=0.9)) == pytest.approx(0.1)
    assert row_violation(1e6 * m.y, 1.0, None, values(m)) == pytest.approx(1.0)
    assert row_violation(m.y, None, 1e6, values(m, y=1.5e6)) == pytest.approx(0.5)
    assert row_violation(m.y, -1.0, 1.0, values(m)) == 0.0
    assert row_violation(pyo.log(m.y), None, 1.0, values(m)) == math.inf


def test_terms_that_cancel_at_full_steps_are_not_small() -> None:
    """x*y**2 - y**4/2 at x = 1/2 is 0 at y = 0, 1 and -1, and 3/32 half-way."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-1, 1)), pyo.Var(bounds=(-1, 1))
    for y in (0.0, 1.0, -1.0):
        size = magnitude(m.x * m.y**2 - 0.5 * m.y**4, [m.y], ComponentMap([(m.x, 0.5), (m.y, y)])).total
        assert size >= 3 / 32 - 1e-12
