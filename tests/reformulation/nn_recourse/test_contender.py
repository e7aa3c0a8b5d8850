from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.contender import Contender, Premiums, ranked, reference, typical_spread
from bilevel_lang.reformulation.nn_recourse.scout import Scouted

ORDER, WEIGHTS = np.arange(10)[::-1], np.full(10, 0.1)


def contender(total: float, premiums: list[float], x: tuple[float, ...] = (0.0, 0.0)) -> Contender:
    relaxed = np.arange(10.0)
    one = Contender(Scouted(b"", np.array(x), relaxed, total), ORDER, WEIGHTS)
    for place, more in zip(ORDER, premiums, strict=False):
        one.enter(float(relaxed[place]) + more, float(relaxed[place]) + more)
    return one


def test_an_estimate_is_the_relaxed_total_and_the_mean_premium() -> None:
    one = contender(100.0, [1.0, 2.0, 6.0])
    assert one.tried == 3
    assert one.estimate() == pytest.approx(103.0)
    assert one.proven().tolist() == pytest.approx([0, 1, 2, 3, 4, 5, 6, 13, 10, 10])


def test_scenarios_that_are_dear_for_both_say_nothing_of_the_difference() -> None:
    dear = [500.0, 0.0, 300.0, 10.0, 40.0, 0.0, 700.0, 5.0]
    more = [0, 0.1, 0, 0.1, 0, 0, 0.1, 0]
    one, other = contender(100.0, dear), contender(101.0, [d + e for d, e in zip(dear, more, strict=True)])
    assert other.behind(one)
    assert not one.behind(other)
    assert not contender(101.0, dear[:7]).behind(one)


def test_a_few_scenarios_decide_nothing_where_others_show_that_single_ones_make_the_difference() -> None:
    front = contender(100.0, [0.0] * 10)
    one, wild = contender(101.0, [0.0] * 8), contender(100.0, [0.0, 0.0, 0.0, 40.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    spread = typical_spread([front, one, wild])
    assert spread == pytest.approx(np.std([40.0] + [0.0] * 9, ddof=1) / np.sqrt(2.0))
    assert one.behind(front)
    assert not one.behind(front, spread)
    assert typical_spread([]) == typical_spread([front]) == 0.0


def test_a_decision_given_up_early_does_not_look_cheap_because_its_scenarios_were() -> None:
    cheap_first = [0.0, 0.0, 0.0, 0.0, 50.0, 50.0, 50.0, 50.0]
    front = contender(100.0, cheap_first)
    loser = contender(110.0, cheap_first[:4])
    assert loser.estimate() < front.estimate()
    assert loser.against(front) == pytest.approx(135.0)
    assert ranked([loser, front]) == [front, loser]
    assert reference([loser, front]) is front
    assert ranked([contender(1.0, [])]) == []


def test_premiums_of_decisions_given_up_early_are_those_of_as_many_scenarios() -> None:
    cheap_first = [0.0, 0.0, 0.0, 0.0, 50.0, 50.0, 50.0, 50.0]
    points = [(a, b) for a in (0.0, 1.0) for b in (0.0, 0.25, 0.5, 0.75, 1.0)]
    both = [contender(1.0, cheap_first if a else cheap_first[:4], (a, b)) for a, b in points]
    learned = Premiums(both, np.zeros(2), np.ones(2), np.ones(2))(np.array(points))
    assert learned == pytest.approx(np.full(10, 25.0), abs=1e-6)


def test_a_value_far_from_its_bound_counts_as_the_bound() -> None:
    one = contender(100.0, [])
    one.enter(5000.0, 12.0)
    one.enter(100.5, 100.0)
    assert one.costs == [12.0, 100.5]
    assert one.bounds == [12.0, 100.0]


def test_premiums_that_follow_the_decision_are_learned() -> None:
    points = [(a, b) for a in (0.0, 1.0) for b in np.linspace(0.0, 1.0, 20)]
    seen = [contender(1.0, [50.0 + 40.0 * a] * 3, (a, b)) for a, b in points]
    learned = Premiums(seen, np.zeros(2), np.ones(2), np.array([3.0, 0.0]))
    low, high = learned(np.array([[0.0, 0.5], [1.0, 0.5]]))
    assert low == pytest.approx(50.0, abs=2.0)
    assert high == pytest.approx(90.0, abs=2.0)


def test_what_is_unlike_all_that_was_tried_is_in_doubt() -> None:
    x = np.zeros((3, 6))
    x[1, 0] = x[2, :3] = 1.0
    cost = np.array([7.0, 7.0, 7.0, 7.0, 7.0, 0.0])
    learned = Premiums([contender(1.0, [80.0] * 3, tuple(x[0]))], np.zeros(6), np.ones(6), cost)
    same, near, far = learned.doubt(x)
    assert 0.0 < same < near < far
    assert learned.spread <= 80.0 <= far
    many = Premiums([contender(1.0, [80.0] * 3, tuple(x[0]))] * 30, np.zeros(6), np.ones(6), cost)
    assert many.spread < 0.5 * learned.spread
    nothing = Premiums([], np.zeros(6), np.ones(6), cost)
    assert nothing(x).tolist() == [0.0, 0.0, 0.0]
    assert np.isinf(nothing.doubt(x)).all()
