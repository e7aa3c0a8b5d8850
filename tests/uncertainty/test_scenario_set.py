from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.uncertainty.scenario_set import ScenarioSet, product, wrong_probability


@pytest.mark.parametrize(
    ("probabilities", "said"),
    [
        ([0.5, 0.5], None),
        ([0.333333, 0.333333, 0.333333], None),
        ([1 / 3, 1 / 3, 1 / 3], None),
        ([0.5, 0.499998], "sum to 0.999998, not to 1"),
        ([0.5, 0.500002], "sum to 1.000002"),
        ([1.2, -0.2], "-0.2 is negative"),
        ([0.0, 1.0], None),
    ],
)
def test_probabilities(probabilities: list[float], said: str | None) -> None:
    found = wrong_probability(np.array(probabilities))
    assert found is None if said is None else said in str(found)


def test_a_product_has_all_combinations() -> None:
    left = ScenarioSet(np.array([[1.0], [2.0]]), np.array([0.25, 0.75]))
    right = ScenarioSet(np.array([[5.0, 6.0], [7.0, 8.0]]), np.array([0.5, 0.5]), sampled=True)
    both = product([left, right])
    assert both.values.tolist() == [[1, 5, 6], [1, 7, 8], [2, 5, 6], [2, 7, 8]]
    assert both.probabilities.tolist() == [0.125, 0.125, 0.375, 0.375]
    assert both.sampled
    assert both.mean() == pytest.approx([1.75, 6.0, 7.0])


def test_names() -> None:
    values = np.zeros((2, 1))
    assert ScenarioSet(values, np.array([0.5, 0.5])).name(1) == "2"
    assert ScenarioSet(values, np.array([0.5, 0.5]), names=("dry", "wet")).name(1) == "wet"
