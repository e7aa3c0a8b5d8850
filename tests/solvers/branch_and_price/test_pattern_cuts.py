from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.solvers.branch_and_price.pattern_cuts import PatternCuts, cut_of
from bilevel_lang.solvers.branch_and_price.pricing import priced
from bilevel_lang.solvers.branch_and_price.switched import switched
from tests.solvers.branch_and_price.switching import KINDS, decisions, second_stage, true_cost


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_cuts_are_below_the_true_cost_everywhere_and_above_the_relaxed_one_where_they_are_made(kind: str, seed: int) -> None:
    program, technology, domain = second_stage(kind, seed)
    form = switched(program, technology, domain)
    assert form is not None
    cuts, points = PatternCuts(form), decisions()[:: 1 if kind == "bought" else 3]
    true = np.array([true_cost(program, technology, x) for x in points])
    finite = np.flatnonzero(np.isfinite(true))
    assert len(finite) > 3
    for at in finite[:: max(1, len(finite) // 6)]:
        cut = cuts.cut(points[at], 1e-6)
        assert cut is not None
        assert (points @ cut.slope + cut.offset <= true + 1e-6).all()
        relaxed = true_cost(program, technology, points[at], whole=False)
        assert cut.at(points[at]) >= relaxed - 1e-5 * abs(relaxed)


@pytest.mark.parametrize("kind", KINDS)
def test_any_duals_make_a_cut_that_is_below(kind: str) -> None:
    program, technology, domain = second_stage(kind, 7)
    form, draw = switched(program, technology, domain), np.random.default_rng(7)
    assert form is not None
    points = decisions()
    true = np.array([true_cost(program, technology, x) for x in points])
    for _ in range(20):
        duals = draw.normal(5, 15, form.technology.shape[0])
        cut = cut_of(form, priced(form.form, form.form.program.cost, form.box, form.room, duals))
        assert (points @ cut.slope + cut.offset <= true + 1e-6).all()


def test_cuts_between_decisions_hold_at_decisions() -> None:
    program, technology, domain = second_stage("larger", 5)
    form = switched(program, technology, domain)
    assert form is not None
    cuts, points, draw = PatternCuts(form), decisions(), np.random.default_rng(1)
    true = np.array([true_cost(program, technology, x) for x in points])
    for _ in range(10):
        x = np.append(draw.random(3), 0.0)
        cut = cuts.cut(x, 1e-6)
        assert cut is not None
        assert (points @ cut.slope + cut.offset <= true + 1e-6).all()


def test_the_gap_of_the_linear_relaxation_is_mostly_closed() -> None:
    left, all_of_it = 0.0, 0.0
    for seed in range(6):
        program, technology, domain = second_stage("open", seed)
        form, x = switched(program, technology, domain), np.array([1.0, 1.0, 1.0, 0.0])
        assert form is not None
        cut = PatternCuts(form).cut(x, 1e-6)
        assert cut is not None
        true = true_cost(program, technology, x)
        left += true - cut.at(x)
        all_of_it += true - true_cost(program, technology, x, whole=False)
    assert all_of_it > 10
    assert left < 0.2 * all_of_it


def test_no_time_no_cut() -> None:
    form = switched(*second_stage("open", 0))
    assert form is not None
    assert PatternCuts(form).cut(np.ones(4), 1e-3, time.perf_counter()) is None
