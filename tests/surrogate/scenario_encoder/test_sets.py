from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.scenario_encoder.sets import SetDraw
from tests.surrogate.scenario_encoder.test_labels import pairs


def test_a_set_costs_the_mean_of_pairs_that_were_solved() -> None:
    given = pairs()
    sets = SetDraw(given).each(40, np.random.default_rng(1))
    weights = sets.matrix(len(given.scenarios)).toarray()
    assert np.bincount(sets.owner).tolist() == [40] * len(given)
    assert (weights >= 0).all()
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert not weights[np.isnan(given.costs[sets.owner])].any()
    assert np.allclose(sets.costs, (weights * np.nan_to_num(given.costs[sets.owner])).sum(axis=1))


def test_sets_are_of_all_sizes_and_probabilities_and_lean_to_both_sides() -> None:
    given = pairs()
    draw = SetDraw(given)
    sets = draw.each(200, np.random.default_rng(1))
    sizes = (sets.weights > 0).sum(axis=1)
    solved = np.isfinite(given.costs).sum(axis=1)[sets.owner]
    for size in (1, 2, 3):
        assert (sizes == size).sum() > 50
    assert (sizes == solved).mean() > 0.3
    even = np.ptp(np.where(sets.weights > 0, sets.weights, sets.weights.max(axis=1, keepdims=True)), axis=1) < 1e-9
    assert 0.2 < even.mean() < 0.7
    # Of sets with every scenario, means go far beyond those of even probabilities, to either side.
    values = (sets.matrix(len(given.scenarios)) @ given.scenarios)[:, 0]
    plain = np.array([given.scenarios[np.isfinite(row), 0].mean() for row in given.costs])[sets.owner]
    away = (values - plain)[(sizes == solved) & ~even] / given.scenarios[:, 0].std()
    assert away.min() < -0.4 and away.max() > 0.4


def test_the_same_sets_for_the_same_seed() -> None:
    one, other, third = (SetDraw(pairs()).each(5, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one.weights, other.weights)
    assert not np.array_equal(one.weights, third.weights)


def test_a_step_looks_at_few_groups_and_at_all_of_them_in_the_end() -> None:
    draw = SetDraw(pairs())
    generator = np.random.default_rng(0)
    batches = [draw.batch(50, 2, generator) for _ in range(60)]
    assert draw.groups > 2
    assert all(len(set(draw.group[batch])) <= 2 for batch in batches)
    assert set(np.concatenate(batches)) == set(range(len(pairs())))
    assert len(set(draw.group[draw.batch(500, draw.groups, generator)])) == draw.groups


def test_parts_of_sets_are_themselves() -> None:
    sets = SetDraw(pairs()).each(4, np.random.default_rng(2))
    part = sets.slice(5, 9)
    assert np.array_equal(part.owner, sets.owner[5:9])
    assert np.array_equal(part.costs, sets.costs[5:9])
    assert (part.matrix(15) != sets.matrix(15)[5:9]).nnz == 0
