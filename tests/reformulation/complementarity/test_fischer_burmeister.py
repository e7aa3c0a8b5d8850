from __future__ import annotations

import itertools

import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.complementarity.fischer_burmeister import FischerBurmeister

GRID = [0.1, 0.2, 0.5, 1.0, 3.0]


@pytest.mark.parametrize("mu", [1e-8, 0.1, 1.0])
def test_zero_exactly_where_the_product_is_mu(mu: float) -> None:
    for left in GRID:
        (row,) = FischerBurmeister().rows(left, mu / left, mu, "equality")
        assert row.equality
        assert pyo.value(row.body) == pytest.approx(0.0, abs=1e-12)


def test_the_inequality_says_that_the_product_is_at_most_mu() -> None:
    for left, right in itertools.product(GRID, GRID):
        (row,) = FischerBurmeister().rows(left, right, 0.31, "inequality")
        assert (pyo.value(row.body) <= 0) == (left * right <= 0.31)


def test_a_negative_side_breaks_the_equality() -> None:
    (row,) = FischerBurmeister().rows(-1.0, -0.1, 0.1, "equality")
    assert pyo.value(row.body) < -1
