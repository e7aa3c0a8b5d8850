from __future__ import annotations

from typing import Any

import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.nlp_options import NlpOptions, mu_sequence, parse_mu


def test_a_geometric_sequence_ends_at_its_last_value() -> None:
    assert mu_sequence(1, 1e-3) == pytest.approx((1, 0.1, 0.01, 0.001))
    assert mu_sequence(1, 5e-3, 0.1) == pytest.approx((1, 0.1, 0.01, 0.005))
    assert mu_sequence(0.5, 0.5) == (0.5,)


@pytest.mark.parametrize("arguments", [(1, 2), (0, 0), (1, 1e-8, 1.0), (1, 1e-8, 0), (1, -1), (1, 1e-8, 0.9)])
def test_a_sequence_that_leads_nowhere(arguments: tuple[float, ...]) -> None:
    with pytest.raises(UsageError):
        mu_sequence(*arguments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1,1e-2,1e-4", (1, 1e-2, 1e-4)), ("1:1e-2", (1, 0.1, 0.01)), ("1:1e-8:0.01", (1, 1e-2, 1e-4, 1e-6, 1e-8)), ("0.5", (0.5,))],
)
def test_as_it_is_typed(text: str, expected: tuple[float, ...]) -> None:
    assert parse_mu(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "a", "1,,2", "1,2", "1:2", "1:1e-2:0.1:3", "1,0", "nan", "inf,1", "1:nan"])
def test_mistyped(text: str) -> None:
    with pytest.raises(UsageError):
        parse_mu(text)


@pytest.mark.parametrize(
    "named",
    [
        {"mu": 5},
        {"mu": ()},
        {"mu": (1, 1)},
        {"mu": (1, True)},
        {"mu": "1"},
        {"form": "eq"},
        {"slacks": "all"},
        {"aggregate": "partial"},
    ],
)
def test_what_is_no_option(named: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        NlpOptions(**named)


def test_what_was_given() -> None:
    assert NlpOptions().given == ()
    assert NlpOptions(mu=(1, 0.5), aggregate="full").given == ("mu", "aggregate")
    assert NlpOptions(mu=[1, 0.5]).mu == (1.0, 0.5)  # type: ignore[arg-type]
