from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.nn_recourse.candidates import MOST, SECONDS, SHARE, SOLVES, how_many, ranked
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.surrogate.network import Affine, Network
from tests.reformulation.nn_recourse.shops import COST, OTHERS, ROOM, shop, table
from tests.reformulation.stochastic.test_extensive import arrays_of_text

SLOPES = np.array([-31.0, -17.5])
LINE = Network(2, (), Affine(sp.csr_matrix(SLOPES[None, :]), np.zeros(1)))


def decisions() -> Decisions:
    arrays = arrays_of_text(shop(), table(*OTHERS[0]))
    return Decisions(arrays, Cuts(arrays).cost, domain_of(arrays, ("x[1]", "x[2]")), 0)


@pytest.mark.parametrize("listed", [True, False])
def test_the_cheapest_by_the_network_that_the_first_stage_allows(listed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not listed:
        monkeypatch.setattr("bilevel_lang.reformulation.nn_recourse.candidates.LISTED", 10)
    own = np.array([6.0, 6.0])
    found = ranked(decisions(), LINE, own, 4)
    assert found.shape == (4, 2)
    assert (found.sum(axis=1) <= ROOM).all()
    assert not (found == own).all(axis=1).any()
    said = found @ (np.array(COST) + SLOPES)
    assert (np.diff(said) >= -1e-9).all()
    if listed:
        grid = [(a, b) for a in range(13) for b in range(13) if a + b <= ROOM and (a, b) != (6, 6)]
        truth = sorted(float(np.array(x) @ (np.array(COST) + SLOPES)) for x in grid)[:4]
        assert np.allclose(said, truth)


def test_none_wanted() -> None:
    assert ranked(decisions(), LINE, np.array([9.0, 9.0]), 0).shape == (0, 2)


def test_many_in_few_scenarios_and_few_in_many() -> None:
    assert how_many(4, 1, 0.0) == MOST
    assert how_many(100, 1, 0.0) == SOLVES // 100
    assert how_many(SOLVES + 1, 1, 0.0) == 0
    # Two decisions took a tenth of the time that there is.
    assert how_many(4, 2, 0.1 * SECONDS) == 20
    assert how_many(4, 1, 1.0, left=10.0) == round(SHARE * 10.0)
    assert how_many(4, 1, 1.0, left=0.0) == 0
