from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.uncertainty.laws import law
from bilevel_lang.uncertainty.leaning import TAIL, leaning
from bilevel_lang.uncertainty.sampling import Discrete, Group, Sampled

NORMALS = tuple(Sampled((k,), (law("normal", (10.0 * k, 2.0)),)) for k in range(3))


def test_scenarios_are_wide_and_high_or_low_together() -> None:
    found = leaning(NORMALS, 4000, (0, 0), 4)
    scaled = (found - np.array([0.0, 10.0, 20.0])) / 2.0
    assert np.abs(scaled).max() <= 3.0902 + 1e-3  # the normal quantile of TAIL
    assert TAIL == 1e-3
    # A mean of three independent ones is seldom far out, and these are.
    plain = np.random.default_rng(0).normal(size=(4000, 3)).mean(axis=1)
    mean = scaled.mean(axis=1)
    assert (np.abs(mean) > 1.0).mean() > 1.5 * (np.abs(plain) > 1.0).mean()
    # And of one high and one low there are more as well.
    apart = np.abs(scaled[:, 0] - scaled[:, 1])
    assert (apart > 3.0).mean() > 1.2 * (np.abs(np.diff(np.random.default_rng(1).normal(size=(4000, 2)))) > 3.0).mean()


def test_only_what_the_law_can_give() -> None:
    rows = np.array([[1.0, 9.0], [2.0, 7.0], [5.0, 5.0], [8.0, 8.0]])
    groups: tuple[Group, ...] = (
        Discrete((2, 0), rows, np.array([0.98, 0.01, 0.0, 0.01])),
        Sampled((1,), (law("uniform", (3.0, 4.0)),)),
    )
    found = leaning(groups, 300, (1, 2), 4)
    assert {tuple(row) for row in found[:, [2, 0]]} == {(1.0, 9.0), (2.0, 7.0), (8.0, 8.0)}
    # Rows that are seldom are seen as often as any other.
    assert (found[:, 2] == 2.0).mean() == pytest.approx(1 / 3, abs=0.15)
    assert found[:, 1].min() >= 3.0 and found[:, 1].max() <= 4.0


def test_the_same_for_the_same_seed() -> None:
    one, again, other = (leaning(NORMALS, 5, (0, seed), 4) for seed in (0, 0, 1))
    assert one.tolist() == again.tolist() != other.tolist()
    assert len(np.unique(one, axis=0)) == 5
