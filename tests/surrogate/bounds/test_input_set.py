"""Sets of inputs: shapes, crossed bounds, and the refusal that names what has no bound."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.bounds.input_set import box


def test_names_are_made_where_none_are_given() -> None:
    assert box(np.zeros(2), np.ones(2)).names == ("x[0]", "x[1]")


def test_crossed_bounds_and_wrong_shapes_are_errors() -> None:
    with pytest.raises(ValueError, match=r"x\[1\] has the bounds 2.0 and 1.0"):
        box(np.array([0.0, 2.0]), np.ones(2))
    with pytest.raises(ValueError, match="nan"):
        box(np.array([np.nan]), np.ones(1))
    with pytest.raises(ValueError, match="do not fit"):
        box(np.zeros(2), np.ones(3))


def test_unbounded_inputs_are_named_with_how_many_more() -> None:
    opened = box(np.array([0.0, 0.0, -np.inf]), np.array([1.0, np.inf, 3.0]), names=("a", "b", "c"))
    with pytest.raises(RefusedError, match=r"big-m needs bounds of all inputs, and b lies in \[0, inf\] \(and 1 more inputs\)"):
        opened.require_bounded("big-m")
    box(np.zeros(2), np.ones(2)).require_bounded("big-m")
