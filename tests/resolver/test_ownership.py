"""One owner for everything."""

from __future__ import annotations

import pytest

from tests.resolver.models import gams_style, mistakes, names, resolved


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("bilevel x y(1) min z y defz", ["E3"]),
        ("bilevel x min z y y(1) defz", ["E3"]),
        ("bilevel x min z y defz low low", ["E3"]),
        ("bilevel x min z y defz low min w p low", ["E15"]),
        ("bilevel x min z y defz min z p low", ["E3", "E15"]),
        ("bilevel x min z y(1) defz min w y low", ["E3"]),
    ],
)
def test_two_owners(text: str, codes: list[str]) -> None:
    assert set(mistakes(gams_style(), text)) <= set(codes)


def test_the_objective_variable_may_be_listed_too() -> None:
    assert names(resolved(gams_style(), "bilevel x min z z y defz low").agents[0].variables) == ["y[1]", "y[2]"]
