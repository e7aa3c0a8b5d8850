from __future__ import annotations

import itertools

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity.lin_fukushima import LinFukushima
from tests.reformulation.problems import pairs

pytest.importorskip("casadi")

GRID = [-1.0, -0.4, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5, 1.0, 3.0]


@pytest.mark.parametrize("t", [0.3, 0.7])
def test_the_two_rows_are_those_of_the_paper(t: float) -> None:
    for left, right in itertools.product(GRID, GRID):
        above, below = LinFukushima().rows(left, right, t * t, "inequality")
        assert above.body - above.limit == pytest.approx(left * right - t * t)
        assert below.body - below.limit == pytest.approx(t * t - (left + t) * (right + t))


def test_the_rows_alone_keep_the_sides_above_minus_t() -> None:
    t = 0.5
    for left, right in itertools.product(GRID, GRID):
        above, below = LinFukushima().rows(left, right, t * t, "inequality")
        if above.body <= above.limit and pyo.value(below.body) <= 0:
            assert min(left, right) >= -t


def test_the_bounds_are_gone_from_the_relaxed_model_and_hold_in_the_answer() -> None:
    m = pairs()
    m.leader.set_value((m.x + 1) ** 2 + (m.y + 1) ** 2)  # both sides would like to be negative
    made = bl.reformulate(m, "", encoding="lin-fukushima")
    assert all(v.lb is None for v in made.model.encoding.slack.values())
    run = made.run(bl.Options(starts=2))
    assert run.values is not None
    assert all(run.values[v] >= 0 for v in made.model.encoding.slack.values())
    assert run.objective == pytest.approx(2.0, abs=1e-6)
