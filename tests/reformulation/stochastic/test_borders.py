"""Feasibility cuts, against the relaxed second stage of every decision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.borders import borders_at
from bilevel_lang.reformulation.stochastic.enumeration import binary_points
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from tests.reformulation.stochastic.plants import plants
from tests.reformulation.stochastic.test_decomposition import servers
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def tight_servers() -> TwoStageArrays:
    """Server location in which nothing can be left over: a random side."""
    m, text = servers(1)
    for j in m.J:
        m.over[j].setub(0)
    return arrays_of_text(m, text)


@pytest.mark.parametrize("arrays", [tight_servers(), arrays_of_text(*plants(4)), arrays_of_text(*plants(4, -1))])
def test_a_decision_without_an_answer_is_beyond_and_none_with_one_is(arrays: TwoStageArrays) -> None:
    points = binary_points(arrays.first)
    values = np.array([recourse_at(_relaxed(arrays), x).values for x in points])
    impossible = ~np.isfinite(values).all(axis=1)
    assert 0 < impossible.sum() < len(points)
    for x, row in zip(points[impossible], values[impossible], strict=True):
        found = borders_at(arrays, x, np.flatnonzero(~np.isfinite(row)), None)
        assert found.beyond(x[None, :]).all()
        assert not found.beyond(points[~impossible]).any()


def test_one_decision_takes_others_with_it() -> None:
    arrays = arrays_of_text(*plants(6))
    points = binary_points(arrays.first)
    found = borders_at(arrays, np.zeros(6), np.array([0]), None)
    # 6 are demanded, of which 3 lots of a half make 1.5: it takes 4.5 plants.
    assert found.beyond(points).tolist() == (points.sum(axis=1) < 5).tolist()


def test_without_time_there_is_none() -> None:
    arrays = arrays_of_text(*plants(4))
    found = borders_at(arrays, np.zeros(4), np.array([0, 1]), 0.0)
    assert found.constants.shape == (0,)
    assert not found.beyond(np.zeros((3, 4))).any()


def _relaxed(arrays: TwoStageArrays) -> TwoStageArrays:
    return replace(arrays, integer=np.zeros(len(arrays.lower), dtype=bool))
