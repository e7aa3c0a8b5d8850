"""The walk against coefficients by hand, and what cannot be evaluated."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest

from bilevel_lang.components.walker import Walker
from bilevel_lang.errors import ModelFileError


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x, m.p = pyo.Var(range(3)), pyo.Param(initialize=2, mutable=True)
    return m


def test_parts_by_hand() -> None:
    m = model()
    walker = Walker()
    found = walker.walk(3 * (m.x[0] + m.p) + m.x[0] * m.x[1] + 4, "it")
    a, b = id(m.x[0]), id(m.x[1])
    assert (found.constant, found.linear, found.nonlinear) == (10, {a: 3}, None)
    assert {tuple(sorted(pair)): c for pair, c in found.products.items()} == {tuple(sorted((a, b))): 1}
    assert walker.walk(pyo.exp(m.x[2]) + 1, "it").nonlinear is not None


def test_only_what_was_met_is_recorded_in_its_order() -> None:
    m = model()
    walker = Walker()
    walker.walk(m.x[2] + m.x[0], "it")
    walker.walk(m.x[0] + 1, "it")
    assert [v.name for v in walker.recorder.var_map.values()] == ["x[2]", "x[0]"]
    assert list(walker.recorder.var_order.values()) == [0, 1]


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_is_no_number_is_told_by_name(number: float) -> None:
    m = model()
    with pytest.raises(ModelFileError, match="row 'e' cannot be evaluated"):
        Walker().walk(m.x[0] * number + m.x[1], "row 'e'")
