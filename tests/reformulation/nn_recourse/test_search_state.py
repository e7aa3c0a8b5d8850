from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse import search_state
from bilevel_lang.reformulation.nn_recourse.bounding import Bounding
from bilevel_lang.reformulation.nn_recourse.decisions import domain_of
from bilevel_lang.reformulation.nn_recourse.search_state import SearchState
from bilevel_lang.reformulation.nn_recourse.time_shares import TimeShares
from bilevel_lang.reformulation.options import Options
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text

ARRAYS = arrays_of_text(facilities(True), ANNOTATION)


def state(**nn: object) -> SearchState:
    options = Options(method="nn-embed", nn=NnOptions(**nn))  # type: ignore[arg-type]
    bounding = Bounding(ARRAYS, None, None)
    return SearchState.begun(ARRAYS, domain_of(ARRAYS, ("a", "b", "c")), options, bounding, TimeShares(None))


def test_all_decisions_are_wanted_where_they_are_few_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    one = state()
    assert one.auto and one.every is not None
    assert {tuple(x) for x in one.every.tolist()} == {tuple(x) for x in corners().tolist()}
    assert one.wanted == 8
    assert state(samples=10).wanted == 10
    monkeypatch.setattr(search_state, "SAMPLES", 5)
    assert (state(network="icnn").every, state(network="icnn").wanted, state(network="icnn").auto) == (None, 5, False)
    assert state().every is not None
    monkeypatch.setattr(search_state, "LISTED", 4)
    assert (state().every, state().wanted) == (None, 5)


def test_decisions_where_cuts_were_made_are_whole_and_the_last_ones_come_first() -> None:
    one = state()
    assert len(one.visited()) == 0 and one.bounded.bound == -np.inf
    visited = np.zeros((2, ARRAYS.first.columns))
    visited[0, one.decisions.seen], visited[1, one.decisions.seen] = (0.6, 0.2, 1.0), (0.0, 0.9, 0.0)
    one.bounded = replace(one.bounded, visited=visited)
    assert one.visited().tolist() == [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
