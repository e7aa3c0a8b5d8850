from __future__ import annotations

import pytest

from bilevel_lang.errors import MpsSyntaxError, Source
from bilevel_lang.mps_files.complaints import Complaints
from bilevel_lang.smps_files.entries import Entry
from bilevel_lang.smps_files.random_entries import Continuous, Joint, StochasticData, half_a_digit, rounding

DEMAND, PRICE = Entry(None, 1, ("RHS", "demand")), Entry(2, None, ("y", "cost"))


def said(data: StochasticData, *, before: str = "") -> list[str]:
    complaints = Complaints(Source("model.sto", "\n" * 9))
    if before:
        complaints.error(before, 1)
    data.check(complaints)
    return [d.message for d in complaints.errors]


def test_what_is_complete_is_fine() -> None:
    data = StochasticData([Joint((DEMAND,), [(0.5, (1.0,)), (0.5, (2.0,))], 3)], [Continuous(PRICE, ("normal", 1.0, 1.0), 5)])
    assert said(data) == []


def test_sums_are_looked_at_where_nothing_else_is_wrong() -> None:
    data = StochasticData([Joint((DEMAND,), [(0.5, (1.0,)), (0.4, (2.0,))], 3)])
    assert said(data) == ["the probabilities that begin here sum to 0.9, not to 1"]
    assert said(data, before="a line cannot be read") == ["a line cannot be read"]


def test_nothing_is_random_twice() -> None:
    twice = StochasticData([Joint((DEMAND,), [(1.0, (1.0,))], 3)], [Continuous(DEMAND, ("normal", 1.0, 1.0), 5)])
    complaints = Complaints(Source("model.sto", "\n" * 9))
    twice.check(complaints)
    with pytest.raises(MpsSyntaxError, match=r"model\.sto:5:1: .*\(RHS, demand\) is random in two places[\s\S]*on line 3"):
        complaints.raise_errors()


def test_something_has_to_be_random() -> None:
    assert said(StochasticData()) == ["nothing is random in this file"]
    assert said(StochasticData([Joint((), [(1.0, ())], 2)])) == ["nothing is random in this file"]


@pytest.mark.parametrize(("text", "off"), [("0.066667", 5e-7), ("0.5", 0.05), ("1", 0.0), ("2.5e-3", 5e-5)])
def test_a_printed_number_is_off_by_half_of_its_last_digit(text: str, off: float) -> None:
    assert half_a_digit(text) == pytest.approx(off)


def test_rounding_explains_little() -> None:
    assert rounding([5e-7] * 15) == pytest.approx(7.5e-6)
    assert rounding([0.0]) == 1e-6  # what other probabilities may lack as well
    assert rounding([0.05] * 10) == 1e-4
