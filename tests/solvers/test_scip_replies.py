"""What a judge says, as SCIP is told; the search itself is in test_scip_handler.py."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bilevel_lang.solvers.scip_replies import Replies, finite
from bilevel_lang.solvers.scip_session import TreeSession
from tests.solvers.judges import Bound, Even

RESULTS = SimpleNamespace(
    CUTOFF="cutoff", REDUCEDDOM="reduced", DIDNOTFIND="nothing", INFEASIBLE="infeasible", BRANCHED="branched"
)


@dataclass
class Column:
    lower: float = 0.0
    upper: float = 9.0

    def getLbLocal(self) -> float:  # noqa: N802 - SCIP's name
        return self.lower

    def getUbLocal(self) -> float:  # noqa: N802 - SCIP's name
        return self.upper


class Scip:
    """As much of SCIP as a change of bounds needs: whether a column has no value left, and whether its bound moved."""

    def tightenVarUb(self, column: Column, bound: float, force: bool) -> tuple[bool, bool]:  # noqa: N802 - SCIP's name
        moved = bound < column.upper
        column.upper = min(column.upper, bound)
        return column.upper < column.lower, moved

    def tightenVarLb(self, column: Column, bound: float, force: bool) -> tuple[bool, bool]:  # noqa: N802 - SCIP's name
        moved = bound > column.lower
        column.lower = max(column.lower, bound)
        return column.upper < column.lower, moved


def replies(*columns: Column) -> Replies:
    session = TreeSession(None, list(columns), Even(), time.perf_counter(), watched=list(columns))
    return Replies(Scip(), session, RESULTS)


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ([], "nothing"),
        ([Bound(0, True, 9.0)], "nothing"),  # which holds already
        ([Bound(0, True, 8.0)], "reduced"),
        ([Bound(0, False, 3.0), Bound(1, False, 0.0)], "reduced"),
        ([Bound(0, True, 4.0), Bound(0, False, 5.0)], "cutoff"),
    ],
)
def test_bounds_that_follow(changes: list[Any], result: str) -> None:
    assert replies(Column(), Column())._apply(changes, RESULTS.DIDNOTFIND) == result


@pytest.mark.parametrize(
    ("change", "crosses"),
    [
        (Bound(0, True, 1.0), True),
        (Bound(0, True, 2.0), False),
        (Bound(0, True, 2.0 - 1e-10), False),  # by rounding only
        (Bound(0, False, 6.0), True),
        (Bound(0, False, 5.0), False),
    ],
)
def test_a_child_beyond_the_other_bound_has_no_point(change: Any, crosses: bool) -> None:
    assert replies(Column(2.0, 5.0))._crosses(change) is crosses


def test_bounds_of_the_watched_columns() -> None:
    lower, upper = replies(Column(1.0, 2.0), Column(3.0, 4.0))._bounds()
    assert (lower == np.array([1.0, 3.0])).all()
    assert (upper == np.array([2.0, 4.0])).all()


def test_scips_infinity_is_none() -> None:
    assert [finite(v) for v in (1.0, -1e20, 1e21)] == [1.0, None, None]
