from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.scenario_encoder.labels import PairCosts, comparable_means


def pairs(count: int = 12, scenarios: int = 15) -> PairCosts:
    """Costs of a formula; two of three pairs were not solved."""
    generator = np.random.default_rng(0)
    points, values = generator.uniform(size=(count, 2)), generator.uniform(size=(scenarios, 3))
    costs = 10 * points[:, :1] + values[:, 0] * points[:, 1:]
    costs[np.add.outer(np.arange(count), np.arange(scenarios)) % 3 > 0] = np.nan
    return PairCosts(points, values, costs, np.arange(float(count)), np.zeros(2), np.ones(2))


def test_means_do_not_depend_on_which_scenarios_a_decision_was_solved_in() -> None:
    generator = np.random.default_rng(0)
    scenarios, worth = generator.normal(size=(200, 3)), generator.normal(size=60)
    costs = worth[:, None] + 5.0 * (scenarios @ np.array([1.0, -2.0, 0.5]))[None, :] + 0.01 * generator.normal(size=(60, 200))
    for k in range(60):
        costs[k, generator.permutation(200)[8:]] = np.nan
    found = comparable_means(costs, scenarios)
    assert np.abs((found - found.mean()) - (worth - worth.mean())).max() < 0.05
    plain = np.nanmean(costs, axis=1)
    assert np.abs((plain - plain.mean()) - (worth - worth.mean())).max() > 3.0


def test_means_of_one_scenario_and_of_parameters_that_do_not_vary() -> None:
    costs = np.array([[1.0, np.nan], [np.nan, 4.0]])
    assert np.allclose(comparable_means(costs, np.ones((2, 2))), [1.0, 4.0])


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
