from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.scout import Scout
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_hot_recourse import loads


def scout(until: float | None = None) -> Scout:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    return Scout(arrays, Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0), until)


def relaxed_totals() -> dict[bytes, float]:
    """By the same facilities with service that may be split, each scenario solved by itself."""
    arrays = arrays_of_text(facilities(False), ANNOTATION)
    second = [float(arrays.probabilities @ recourse_at(arrays, x).values) for x in corners()]
    return {x.tobytes(): q + arrays.first.objective_at(x) for x, q in zip(corners(), second, strict=True)}


def test_relaxed_totals_are_those_of_the_linear_program() -> None:
    found, expected = scout(), relaxed_totals()
    assert len(found.ask(corners())) == 8
    assert found.ask(corners()) == []
    assert {s.x.tobytes(): s.total for s in found.found.values()} == pytest.approx(expected)


@pytest.mark.parametrize("number", range(8))
def test_from_every_corner_down_to_one_without_a_better_neighbour(number: int) -> None:
    found, expected = scout(), relaxed_totals()
    end = found.descend(corners()[number])
    assert end is not None
    assert end.total == pytest.approx(expected[end.x.tobytes()])
    beside = [x for x in corners() if np.abs(x - end.x).sum() == 1]
    assert all(expected[x.tobytes()] >= end.total - 1e-9 for x in beside)


def test_cuts_save_what_they_prove_to_be_no_better() -> None:
    found, expected = scout(), relaxed_totals()
    found.ask(corners()[:1])
    best = min(expected.values())
    found.ask(corners(), best + 1e-6)
    left_out = [x for x in corners() if x.tobytes() not in {s.x.tobytes() for s in found.found.values()}]
    assert all(expected[x.tobytes()] >= best + 1e-6 for x in left_out)
    assert min(s.total for s in found.found.values()) == pytest.approx(best)


def test_no_time_finds_nothing() -> None:
    found = scout(time.perf_counter() - 1.0)
    assert found.descend(corners()[0]) is None
    assert found.best() is None


def test_a_share_of_the_rounding_counts_in_what_was_found_and_what_is_found() -> None:
    arrays = loads()
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b")), 0)
    whole, half, none = (Scout(arrays, decisions, None) for _ in range(3))
    whole.share = half.share = 1.0
    points = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    half.ask(points[:2])
    half.reweigh(0.5)
    for one in (whole, half, none):
        one.ask(points)
    for key, found in whole.found.items():
        other, base = half.found[key], none.found[key]
        assert other.total == pytest.approx((found.total + base.total) / 2)
        assert other.expected == pytest.approx((found.expected + base.relaxed) / 2)
        assert (other.relaxed == pytest.approx(base.relaxed)) and base.expected == pytest.approx(base.relaxed)
    assert any(f.total > none.found[k].total + 1.0 for k, f in whole.found.items())
