from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic.evaluation import Evaluation
from bilevel_lang.reformulation.stochastic.incumbent import Found, Incumbent, too_short
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.stochastic.test_decomposition import servers
from tests.reformulation.stochastic.test_extensive import arrays_of_text

POINTS = np.array([[1.0, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]])


def begun() -> tuple[Incumbent, list[Evaluation], list[float]]:
    arrays = arrays_of_text(*servers(1))
    bases = [float(arrays.first.cost @ x) for x in POINTS]
    decisions = [Evaluation(arrays, x, b, np.full(6, -np.inf)) for x, b in zip(POINTS, bases, strict=True)]
    totals = [b + float(arrays.probabilities @ recourse_at(arrays, x).values) for x, b in zip(POINTS, bases, strict=True)]
    return Incumbent(arrays, 1e-9), decisions, totals


def test_the_best_of_several() -> None:
    incumbent, decisions, totals = begun()
    assert incumbent.limit == np.inf
    assert not incumbent.arrived(-np.inf)
    assert all(incumbent.evaluate(d, None) for d in decisions)
    assert incumbent.evaluated == 3
    assert incumbent.best == pytest.approx(min(totals))
    assert incumbent.known is decisions[int(np.argmin(totals))]
    found = incumbent.found(None, min(totals), 5, 7)
    assert found.termination is Termination.OPTIMAL
    assert [found.value, found.proven] == pytest.approx([min(totals)] * 2)
    assert found.within == 0.0
    assert incumbent.found(None, min(totals) - 1, 5, 7).termination is Termination.LIMIT


def test_a_first_answer_that_is_not_exact_is_no_proof_until_it_is_sharpened() -> None:
    incumbent, decisions, totals = begun()
    first = decisions[0]
    assert incumbent.evaluate(first, None)
    first.values += 1.0
    incumbent.best += 1.0
    found = incumbent.found(None, np.inf, 1, 1)
    assert found.termination is Termination.LIMIT
    assert found.value == pytest.approx(totals[0] + 1)
    assert found.proven == found.bound == pytest.approx(totals[0])
    assert found.within == pytest.approx(1 / abs(totals[0] + 1))
    assert "its scenarios are solved to a relative gap of " in too_short(found)
    incumbent.sharpen(None)
    assert incumbent.best == pytest.approx(totals[0])
    assert incumbent.found(None, np.inf, 1, 1).termination is Termination.OPTIMAL


def test_what_one_decision_takes_is_found_out_and_told_where_time_was_too_short() -> None:
    incumbent, decisions, _ = begun()
    later = time.perf_counter() + 60
    assert incumbent.timed(decisions[0], later) == 0.0, "six scenarios are all of them"
    assert incumbent.solves == 6
    assert not incumbent.evaluate(decisions[1], time.perf_counter())
    found = incumbent.found(None, -1e3, 1, 1)
    assert found.x is None
    assert found.needs == np.inf
    assert too_short(found).endswith("takes more than the time limit, and time was over before")
    assert too_short(Found(Termination.LIMIT, None, None, 0, 0, 0, 0, 0, 0, 0)) == ""


def test_without_a_decision_and_with_nothing_left_it_is_infeasible() -> None:
    incumbent, _, _ = begun()
    assert incumbent.found(None, np.inf, 1, 1).termination is Termination.INFEASIBLE
    assert incumbent.found(Termination.INTERRUPTED, -5.0, 1, 1).termination is Termination.INTERRUPTED
