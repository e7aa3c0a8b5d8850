"""The mapping from originals to twins against a ComponentMap of the same pairs."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang.components.twins import Twins


def pairs() -> tuple[Any, list[Any], list[Any]]:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(3))
    m.z = pyo.Var(range(3))
    return m, list(m.x.values()), list(m.z.values())


def test_reads_like_a_component_map() -> None:
    _, originals, copies = pairs()
    mine, theirs = Twins(originals, copies), ComponentMap(zip(originals, copies, strict=True))
    assert len(mine) == len(theirs) == 3
    for find in (list, lambda t: list(t.keys()), lambda t: list(t.values())):
        assert [id(v) for v in find(mine)] == [id(v) for v in find(theirs)]
    assert [(id(a), id(b)) for a, b in mine.items()] == [(id(a), id(b)) for a, b in theirs.items()]
    for original in originals:
        assert original in mine and mine[original] is theirs[original]


def test_what_has_no_twin() -> None:
    m, originals, copies = pairs()
    twins = Twins(originals[:2], copies[:2])
    assert m.x[2] not in twins and twins.get(m.x[2]) is None
    with pytest.raises(KeyError):
        twins[m.x[2]]


def test_lists_of_different_lengths_are_a_mistake() -> None:
    _, originals, copies = pairs()
    with pytest.raises(ValueError, match="3 originals and 2 twins"):
        Twins(originals, copies[:2])
