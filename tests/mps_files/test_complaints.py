"""Numbers are read strictly, and mistakes have their places."""

from __future__ import annotations

import math

import pytest

from bilevel_lang.errors import MpsSyntaxError, RefusedError, ResolutionError, Source
from bilevel_lang.mps_files.complaints import SHOWN, Complaints, bound_value, near, number, whole


@pytest.mark.parametrize(("text", "value"), [("1", 1.0), ("-2.5e3", -2500.0), (".5", 0.5), ("10.", 10.0), ("+3", 3.0)])
def test_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "1_000", "nan", "inf", "1e999", "0x10", "1,5", "٣", "--1", "1e"])
def test_what_is_no_number(text: str) -> None:
    assert number(text) is None


def test_bounds_may_be_infinite() -> None:
    assert (bound_value("1e20"), bound_value("-1e30"), bound_value("Infinity")) == (math.inf, -math.inf, math.inf)
    assert (bound_value("9e19"), bound_value("-inf"), bound_value("x")) == (9e19, -math.inf, None)


def test_whole_numbers() -> None:
    assert (whole("3"), whole("-3"), whole("3.0"), whole("")) == (3, -3, None, None)


def test_a_mistake_points_at_the_last_such_word_of_its_line() -> None:
    complaints = Complaints(Source("a.mps", "one\n  x r r\n"))
    complaints.error("twice", 2, "r")
    with pytest.raises(MpsSyntaxError) as caught:
        complaints.raise_errors()
    assert caught.value.diagnostics[0].place == "a.mps:2:7"
    assert str(caught.value).splitlines()[1:] == ["    2 |   x r r", "      |       ^"]


def test_the_class_of_the_error_is_that_of_its_mistakes() -> None:
    for code, kind in (("R1", RefusedError), ("E25", ResolutionError), ("S2", MpsSyntaxError)):
        complaints = Complaints(Source("a", "x"))
        complaints.error("m", 1, code=code)
        with pytest.raises(kind):
            complaints.raise_errors()


def test_thousands_of_mistakes_are_not_all_shown() -> None:
    complaints = Complaints(Source("a", "x"))
    for _ in range(1000):
        complaints.error("m", 1)
    with pytest.raises(MpsSyntaxError, match="980 more mistakes") as caught:
        complaints.raise_errors()
    assert len(caught.value.diagnostics) == SHOWN + 1


def test_near_names() -> None:
    assert near("R0001x", ["R0001", "obj"]) == "did you mean `R0001`?"
    assert near("zzz", ["R0001"]) == ""


def test_names_that_are_nearly_so_are_looked_for_as_long_as_they_are_shown() -> None:
    complaints = Complaints(Source("a", "x"))
    for _ in range(SHOWN):
        assert complaints.near("R0001x", ["R0001"]) != ""
        complaints.error("m", 1)
    assert complaints.near("R0001x", ["R0001"]) == ""


def test_the_class_counts_what_is_not_shown() -> None:
    complaints = Complaints(Source("a", "x"))
    for _ in range(SHOWN):
        complaints.error("m", 1, code="R1")
    complaints.error("m", 1, code="S2")
    with pytest.raises(MpsSyntaxError):
        complaints.raise_errors()
