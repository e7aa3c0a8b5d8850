from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.uncertainty.laws import law
from bilevel_lang.uncertainty.sampling import WAYS, Discrete, Sampled, drawn, listed, why_not_listed

NORMAL, UNIFORM = law("normal", (45.0, 10.0)), law("uniform", (0.0, 1.0))
COIN = Discrete((1,), np.array([[0.0], [1.0]]), np.array([0.25, 0.75]))


def test_the_same_seed_gives_the_same_sample_and_another_seed_another_one() -> None:
    groups = (Sampled((0,), (NORMAL,), size=50), COIN)
    first, again, other = listed(groups, (1, 2)), listed(groups, (1, 2)), listed(groups, (1, 3))
    assert first.values.tolist() == again.values.tolist()
    assert first.values.tolist() != other.values.tolist()
    assert first.size == 100
    assert first.sampled


def test_a_group_does_not_change_the_numbers_of_the_others() -> None:
    alone = drawn((Sampled((0,), (NORMAL,)),), 20, (7, 0), 1)
    beside = drawn((Sampled((0,), (NORMAL,)), COIN), 20, (7, 0), 1)
    assert alone.values[:, 0].tolist() == beside.values[:, 0].tolist()


def test_what_is_tried_out_is_not_what_was_solved() -> None:
    groups = (Sampled((0,), (NORMAL,)),)
    assert drawn(groups, 5, (0, 0), 1).values.tolist() != drawn(groups, 5, (0, 0), 2).values.tolist()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_the_mean_and_the_spread_of_the_law(way: str) -> None:
    found = Sampled((0,), (NORMAL,)).draw(20_000, np.random.default_rng(3), way)
    assert found.mean() == pytest.approx(45.0, abs=4 * 10 / np.sqrt(20_000))
    assert found.std() == pytest.approx(10.0, rel=0.03)


def test_a_latin_hypercube_has_one_number_in_each_stratum_and_antithetic_pairs_their_mirror_images() -> None:
    cube = Sampled((0,), (UNIFORM,)).draw(100, np.random.default_rng(0), "latinhypercube")
    assert sorted(np.floor(100 * cube[:, 0]).astype(int)) == list(range(100))
    pairs = Sampled((0,), (UNIFORM,)).draw(10, np.random.default_rng(0), "antithetic")[:, 0]
    assert pairs[:5] + pairs[5:] == pytest.approx(np.ones(5))


def test_correlation_of_normal_laws_is_pearsons() -> None:
    group = Sampled((0, 1), (NORMAL, law("normal", (0.0, 3.0))), np.array([[1.0, -0.6], [-0.6, 1.0]]))
    found = group.draw(40_000, np.random.default_rng(1))
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(-0.6, abs=0.02)


def test_discrete_draws_have_their_frequencies() -> None:
    found = drawn((COIN,), 40_000, (0, 0), 1)
    assert found.values.mean() == pytest.approx(0.75, abs=0.01)


def test_parameters_stand_in_their_own_order_whatever_the_groups_are() -> None:
    late = Discrete((2,), np.array([[9.0]]), np.array([1.0]))
    early = Discrete((0, 1), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, 0.5]))
    assert listed((late, early), (0, 0)).values.tolist() == [[1, 2, 9], [3, 4, 9]]


def test_what_cannot_be_listed() -> None:
    assert why_not_listed((COIN,)) is None
    assert "without a `sample`" in str(why_not_listed((Sampled((0,), (NORMAL,)),)))
    twenty = tuple(Discrete((k,), np.array([[0.0], [1.0]]), np.array([0.5, 0.5])) for k in range(21))
    assert "2,097,152 scenarios" in str(why_not_listed(twenty))
