from __future__ import annotations

import itertools

import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.complementarity.kanzow_schwartz import KanzowSchwartz

GRID = [0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0]


def phi(a: float, b: float) -> float:
    """As Kanzow and Schwartz define it, by cases."""
    return a * b if a + b >= 0 else -(a * a + b * b) / 2


@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_the_row_is_that_of_the_paper(t: float) -> None:
    for left, right in itertools.product(GRID, GRID):
        (row,) = KanzowSchwartz().rows(left, right, t * t, "inequality")
        assert pyo.value(row.body) == pytest.approx(phi(left - t, right - t), abs=1e-12)
        assert not row.equality


def test_feasible_means_one_side_within_t() -> None:
    t = 0.25
    for left, right in itertools.product(GRID, GRID):
        (row,) = KanzowSchwartz().rows(left, right, t * t, "inequality")
        assert (pyo.value(row.body) <= 0) == (min(left, right) <= t)
