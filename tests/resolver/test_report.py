"""Findings are collected, shown once each, and raised together in the order of the file."""

from __future__ import annotations

import pytest

from bilevel_lang.errors import ResolutionError, Source, Span
from bilevel_lang.resolver.report import Report

SOURCE = Source("t.emp", "bilevel x\nmin f y\n")
FIRST, SECOND = Span(8, 9, 1, 9), Span(16, 17, 2, 7)


def test_errors_come_in_the_order_of_the_file() -> None:
    report = Report(SOURCE)
    report.error("E1", "later", SECOND)
    report.error("E2", "earlier", FIRST)
    report.error("E4", "nowhere", None)
    with pytest.raises(ResolutionError) as caught:
        report.raise_errors()
    assert [d.message for d in caught.value.diagnostics] == ["nowhere", "earlier", "later"]


def test_warnings_are_errors_only_if_strict() -> None:
    report = Report(SOURCE)
    report.warning("E4", "unlisted", FIRST)
    report.notice("E20", "by the way", FIRST)
    report.raise_errors()
    assert not report.has_errors
    assert [d.severity for d in report.remarks] == ["warning", "notice"]
    with pytest.raises(ResolutionError) as caught:
        report.raise_errors(strict=True)
    assert [d.message for d in caught.value.diagnostics] == ["unlisted"]


def test_one_slip_is_shown_once_with_the_number_of_its_repetitions() -> None:
    report = Report(SOURCE)
    for name in ("y[1]", "y[2]", "y[3]", "y[3]"):
        report.error("E3", f"variable `{name}` is listed twice", FIRST)
    assert [d.message for d in report.diagnostics] == ["variable `y[1]` is listed twice (and 2 more like this)"]


def test_different_slips_at_one_place_and_one_slip_at_two_places_are_all_shown() -> None:
    report = Report(SOURCE)
    report.error("E3", "`a` is listed twice", FIRST)
    report.error("E3", "`a` belongs to another", FIRST)
    report.error("E3", "`a` is listed twice", SECOND)
    assert len(report.diagnostics) == 3
    assert report.has_error_at("E3", SECOND)
    assert not report.has_error_at("E1", SECOND)
