from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import SampleFileError
from bilevel_lang.reformulation.nn_recourse.pair_labels import SHARD, PairRecipe, PairSampler
from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.dataset import Outcome
from bilevel_lang.surrogate.sampling.executors import ThisProcess
from tests.reformulation.nn_recourse.shops import COST, expected_profit, shop, table
from tests.reformulation.stochastic.test_extensive import arrays_of_text

VALUES = np.array([[95.0, 35.0], [45.0, 65.0], [25.0, 118.0], [33.0, 71.0]])
POINTS = np.array([[a, b] for a in (0.0, 3.0, 7.0, 12.0) for b in (0.0, 4.0, 11.0)])
DOMAIN = box(np.zeros(2), np.full(2, 12.0), np.array([True, True]), ("x[1]", "x[2]"))


def recipe(each: int = 2) -> PairRecipe:
    arrays = arrays_of_text(shop(), table(VALUES, np.full(4, 0.25)))
    return PairRecipe(arrays, np.array([0, 1]), each, None, seed=0)


def test_costs_are_those_of_the_pairs() -> None:
    data = recipe(each=2).label(POINTS)
    assert data.responses is not None
    assert (np.isfinite(data.responses).sum(axis=1) == 2).all()
    for x, costs in zip(POINTS, data.responses, strict=True):
        for value, cost in zip(VALUES, costs, strict=True):
            if np.isfinite(cost):
                # As a minimisation, and without what is paid in the first stage.
                assert cost == pytest.approx(-expected_profit(x, value[None, :], np.ones(1)) - float(np.array(COST) @ x))
    assert np.allclose(data.values, np.nanmean(data.responses, axis=1))


def test_shards_see_scenarios_of_their_own_whoever_works() -> None:
    whole = PairSampler(recipe(), DOMAIN, ThisProcess())
    data = whole(POINTS, lambda: False)
    assert whole.solves == 2 * len(POINTS)
    assert len(POINTS) > SHARD
    assert np.array_equal(data.responses, whole(POINTS, lambda: False).responses, equal_nan=True)
    assert data.responses is not None
    seen = [set(np.flatnonzero(np.isfinite(row))) for row in data.responses]
    assert all(one == seen[0] for one in seen[:SHARD])
    assert seen[0] != seen[-1]
    again = recipe().label(POINTS[SHARD:])
    assert np.array_equal(data.responses[SHARD:], again.responses, equal_nan=True)


def test_a_folder_is_gone_on_from_and_belongs_to_one_program(tmp_path: Path) -> None:
    first = PairSampler(recipe(), DOMAIN, ThisProcess(), tmp_path)
    data = first(POINTS, lambda: False)
    second = PairSampler(recipe(), DOMAIN, ThisProcess(), tmp_path)
    assert np.array_equal(data.responses, second(POINTS, lambda: False).responses, equal_nan=True)
    assert second.solves == 0
    other = replace(recipe(), arrays=arrays_of_text(shop(price=50.0), table(VALUES, np.full(4, 0.25))))
    with pytest.raises(SampleFileError, match="the problem has changed"):
        PairSampler(other, DOMAIN, ThisProcess(), tmp_path)(POINTS, lambda: False)


def test_no_time_is_told_and_not_kept(tmp_path: Path) -> None:
    late = replace(recipe(), until=time.time() - 1.0)
    data = PairSampler(late, DOMAIN, ThisProcess(), tmp_path)(POINTS, lambda: False)
    assert data.outcomes is not None and (data.outcomes == Outcome.LIMIT).all()
    assert not data.feasible.any()
    assert not list(tmp_path.rglob("shard-*"))


def test_pairs_without_an_answer_have_no_cost() -> None:
    m = shop(whole=False)
    m.must = pyo.Constraint(expr=10 * m.sold[1] >= m.d[1] - 50)
    text = "jrandvar d[1] d[2]\n 0.5 95 60\n 0.5 40 60\nstage 2 sold left stock demand must\n"
    given = PairRecipe(arrays_of_text(m, text), np.array([0, 1]), 2, None, seed=0)
    data = given.label(np.array([[0.0, 0.0], [6.0, 0.0]]))
    assert data.responses is not None
    # Nothing bought: the 45 of the first scenario cannot be sold.
    assert np.isfinite(data.responses).tolist() == [[False, True], [True, True]]
    assert data.feasible.all()
