from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.scenario_encoder.labels import PairCosts, drawn_sets


def pairs(count: int = 12, scenarios: int = 15) -> PairCosts:
    """Costs of a formula; two of three pairs were not solved."""
    generator = np.random.default_rng(0)
    points, values = generator.uniform(size=(count, 2)), generator.uniform(size=(scenarios, 3))
    costs = 10 * points[:, :1] + values[:, 0] * points[:, 1:]
    costs[np.add.outer(np.arange(count), np.arange(scenarios)) % 3 > 0] = np.nan
    return PairCosts(points, values, costs, np.arange(float(count)), np.zeros(2), np.ones(2))


def test_a_set_costs_the_mean_of_pairs_that_were_solved() -> None:
    given = pairs()
    sets = drawn_sets(given, 9, np.random.default_rng(1))
    weights = sets.weights.toarray()
    assert np.bincount(sets.owner).tolist() == [9] * 12
    assert (weights >= 0).all()
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert not weights[np.isnan(given.costs[sets.owner])].any()
    assert np.allclose(sets.costs, (weights * np.nan_to_num(given.costs[sets.owner])).sum(axis=1))
    sizes = (weights > 0).sum(axis=1)
    assert len(set(sizes)) > 3
    # Some lean to one side, and are not equally likely.
    assert any(len(set(np.round(row[row > 0], 9))) > 1 for row in weights)


def test_the_same_sets_for_the_same_seed() -> None:
    one, other, third = (drawn_sets(pairs(), 5, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (one.weights != other.weights).nnz == 0
    assert (one.weights != third.weights).nnz > 0


def test_parts_are_parted_by_decisions() -> None:
    given = pairs()
    training, held = given.split(0.25, seed=0)
    assert (len(training), len(held)) == (9, 3)
    together = np.vstack([training.points, held.points])
    assert {tuple(x) for x in together} == {tuple(x) for x in given.points}


def test_the_hash_is_of_the_numbers() -> None:
    given = pairs()
    assert given.content_hash() == pairs().content_hash()
    assert given.content_hash() != given.rows(np.arange(11)).content_hash()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"costs": np.zeros((12, 14))}, "do not fit"),
        ({"costs": np.full((12, 15), np.nan)}, "no cost in any scenario"),
        ({"weights": np.full(12, -1.0)}, "weights have to be >= 0"),
        ({"scenarios": np.full((15, 3), np.inf)}, "finite"),
    ],
)
def test_what_makes_no_sense(change: dict[str, np.ndarray], message: str) -> None:
    given = pairs()
    names = ("points", "scenarios", "costs", "weights", "lower", "upper")
    with pytest.raises(ValueError, match=message):
        PairCosts(**{name: change.get(name, getattr(given, name)) for name in names})
