"""The box of the leader's decisions, from the model's bounds and from all rows."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_embed.domain import NoPointError
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction


def test_bounds_follow_from_the_rows() -> None:
    # x + y <= 8 with y >= x - 1 leaves x <= 4.5.
    for upper in (10.0, None):
        _, inputs, domain = arrays(continuous(upper))
        assert len(inputs) == 1 and domain.names == ("x",)
        assert domain.lower[0] == 0.0 and domain.upper[0] == pytest.approx(4.5, abs=1e-7)


def test_whole_inputs_have_whole_bounds() -> None:
    _, _, domain = arrays(interdiction())
    assert domain.integer.all() and domain.lower.tolist() == [0] * 4 and domain.upper.tolist() == [1] * 4


def test_an_input_without_bounds_is_named() -> None:
    m, info = continuous(None)
    m.cap.deactivate()
    m.y.setub(None)
    with pytest.raises(RefusedError, match=r"`x` has no upper bound"):
        arrays((m, info))


def test_rows_that_contradict_one_another() -> None:
    m, info = continuous()
    m.never = pyo.Constraint(expr=m.x >= 9)
    with pytest.raises(NoPointError):
        arrays((m, info))
