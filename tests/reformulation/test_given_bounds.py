from __future__ import annotations

import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.given_bounds import check_given_names, described, given_bound, refuse_idle_bound
from bilevel_lang.reformulation.options import Options


def test_one_number_is_for_every_side() -> None:
    assert given_bound(50, "e1") == 50
    assert given_bound(None, "e1") is None


def test_the_nearest_name_counts() -> None:
    given = {"y": 5, "y.upper": 6, "*": 7, "b.e": 8}
    assert [given_bound(given, side) for side in ("y.upper", "y.lower", "e", "b.e", "b.e.lower")] == [6, 5, 7, 8, 8]
    assert given_bound({"y": 5}, "e") is None
    assert given_bound({"b": 5}, "b.e") is None  # a block is no row


def test_unknown_names_are_named() -> None:
    check_given_names({"e[1,2]": 1, "y": 2, "*": 3}, ["e[1,2]", "y.lower", "y.upper"])
    with pytest.raises(UsageError, match=r"`e\[1,3\]`[\s\S]*did you mean `e\[1,2\]`"):
        check_given_names({"e[1,3]": 1}, ["e[1,2]"])


@pytest.mark.parametrize("value", [0, -1.0, float("inf"), float("nan"), True, "5"])
def test_a_bound_is_a_positive_number(value: object) -> None:
    with pytest.raises(UsageError, match=r"option `big_m\[e\]`"):
        Options(big_m={"e": value})  # type: ignore[dict-item]


def test_several_values_are_told_as_a_range() -> None:
    assert described([5.0, 5.0]) == "M = 5"
    assert described([5.0, 100.0]) == "M = 5 to 100"


@pytest.mark.parametrize(("encoding", "solver"), [(None, None), (None, "scip"), ("sos1", None), ("branch", "highs")])
def test_a_bound_that_nothing_reads_is_refused(encoding: str | None, solver: str | None) -> None:
    with pytest.raises(UsageError, match="is an option of the encoding `big-m`"):
        refuse_idle_bound(5.0, encoding, solver)
    refuse_idle_bound(None, encoding, solver)


@pytest.mark.parametrize(("encoding", "solver"), [("big-m", None), ("e1=sos1,*=big-m", "scip"), (None, "highs")])
def test_a_bound_that_may_be_read_is_taken(encoding: str | None, solver: str | None) -> None:
    refuse_idle_bound(5.0, encoding, solver)
