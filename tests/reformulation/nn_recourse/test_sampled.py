from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.sampled import few_of


def test_scenarios_in_which_decisions_differ_are_all_there_and_the_others_stand_for_their_like() -> None:
    draw = np.random.default_rng(0)
    costs = 100.0 + np.arange(50.0) + draw.normal(0.0, 1.0, (6, 50))
    costs[:, 45:] += draw.normal(0.0, 500.0, (6, 5))
    weights = np.full(50, 0.02)
    chosen, share = few_of(costs, weights, 12)
    assert set(range(45, 50)) <= set(chosen.tolist())
    assert len(chosen) in (11, 12)
    assert share.sum() == pytest.approx(1.0)
    assert share[chosen >= 45] == pytest.approx(share[chosen >= 45][0])
    assert share[chosen < 45].min() > 3 * share[chosen >= 45][0]
    true, guess = costs @ weights, costs[:, chosen] @ share
    assert np.abs((guess - guess[0]) - (true - true[0])).max() < 0.2 * np.abs(true - true[0]).max()


def test_all_of_a_few_and_any_where_decisions_do_not_differ() -> None:
    weights = np.array([0.5, 0.25, 0.25])
    chosen, share = few_of(np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 9.0]]), weights, 16)
    assert chosen.tolist() == [0, 1, 2]
    assert share.tolist() == pytest.approx(weights.tolist())
    chosen, share = few_of(np.ones((2, 30)), np.full(30, 1 / 30), 6)
    assert len(chosen) == 6 and share.tolist() == pytest.approx([1 / 6] * 6)
