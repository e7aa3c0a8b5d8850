"""Samples and their labels: what may stand in them, how they are cut and put together, and what their hash sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.surrogate.dataset import DataSet, Outcome, concatenated


def samples(count: int = 6, shift: float = 0.0) -> DataSet:
    """``count`` samples of two inputs, every third infeasible."""
    inputs = np.arange(2.0 * count).reshape(count, 2) + shift
    feasible = np.arange(count) % 3 != 2
    nothing = np.where(feasible, 1.0, np.nan)
    return DataSet(
        inputs,
        feasible,
        inputs.sum(axis=1) * nothing,
        gradients=inputs * nothing[:, None],
        responses=inputs[:, :1] * nothing[:, None],
        leader=nothing,
        input_names=("x[1]", "x[2]"),
        response_names=("y",),
    )


def test_outcomes_follow_from_feasibility() -> None:
    assert samples().outcome_counts() == {
        Outcome.OPTIMAL: 4,
        Outcome.INFEASIBLE: 2,
        Outcome.UNBOUNDED: 0,
        Outcome.LIMIT: 0,
        Outcome.FAILED: 0,
    }


def test_parts_put_together_again_are_the_whole() -> None:
    whole = samples()
    again = concatenated([whole.subset(slice(0, 2)), whole.subset([2, 3]), whole.subset(np.arange(6) > 3)])
    assert again.content_hash() == whole.content_hash()
    assert len(whole.subset([])) == 0


def test_split_is_a_partition_that_the_seed_decides() -> None:
    whole = samples(50)
    rest, held = whole.split(0.2, seed=7)
    assert (len(rest), len(held)) == (40, 10)
    assert sorted([*rest.inputs[:, 0], *held.inputs[:, 0]]) == list(whole.inputs[:, 0])
    assert whole.split(0.2, seed=7)[1].content_hash() == held.content_hash()
    assert whole.split(0.2, seed=8)[1].content_hash() != held.content_hash()


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_beyond_the_whole_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        samples().split(share, seed=0)


def test_the_hash_sees_every_array_the_names_and_the_order() -> None:
    whole = samples()
    other = replace(whole, leader=np.where(whole.feasible, 2.0, np.nan))
    changed = [other, replace(whole, leader=None), replace(whole, input_names=("x[1]", "x[3]")), whole.subset([1, 0, 2, 3, 4, 5])]
    hashes = {data.content_hash() for data in [whole, *changed]}
    assert len(hashes) == 5


def test_the_hash_does_not_see_which_nan_or_zero_it_is() -> None:
    one = DataSet(np.array([[0.0]]), np.array([False]), np.array([np.nan]))
    two = DataSet(np.array([[-0.0]]), np.array([False]), -np.array([np.nan]))
    assert one.content_hash() == two.content_hash()


def test_what_cannot_be_is_refused() -> None:
    inputs, feasible, values = np.zeros((2, 1)), np.array([True, False]), np.array([1.0, np.nan])
    DataSet(inputs, feasible, values)
    wrong = {
        "inputs have the shape": {"inputs": np.zeros(2)},
        "inputs have to be finite": {"inputs": np.array([[np.inf], [0.0]])},
        "values are": {"values": np.zeros(3)},
        "finite where feasible": {"values": np.array([1.0, 1.0])},
        "gradients are": {"gradients": np.zeros((2, 2))},
        "responses are": {"responses": np.zeros((2, 1)), "response_names": ("a", "b")},
        "names for": {"input_names": ("a", "b")},
        "float32": {"inputs": np.zeros((2, 1), dtype=np.float32)},
    }
    for message, change in wrong.items():
        with pytest.raises(ValueError, match=message):
            DataSet(**{"inputs": inputs, "feasible": feasible, "values": values, **change})  # type: ignore[arg-type]


def test_different_data_sets_are_not_put_together() -> None:
    whole = samples()
    with pytest.raises(ValueError, match="nothing"):
        concatenated([])
    with pytest.raises(ValueError, match="some have not"):
        concatenated([whole, replace(whole, leader=None)])
    with pytest.raises(ValueError, match="different inputs"):
        concatenated([whole, replace(whole, input_names=("a", "b"))])
