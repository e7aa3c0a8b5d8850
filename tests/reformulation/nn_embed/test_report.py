"""The fields that docs/json.md promises."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_embed.report import Report, tell_round
from tests.reformulation.nn_embed.test_program import VALUE


def test_every_documented_field_is_there_with_or_without_a_network() -> None:
    text = (Path(__file__).parents[3] / "docs" / "json.md").read_text(encoding="utf-8")
    section = text.partition("### Surrogate")[2].partition("\n### ")[0]
    empty = Report("value", samples=9, drawn=3, sampling_seconds=0.5).fields()
    assert all(f"`{name}`" in section for name in empty)
    assert empty["kind"] is None and empty["training_seconds"] is None and empty["solves_per_second"] == 6.0  # six were read
    full = Report("leader", fitted=Fitted("cuts", (), VALUE, 0.1, 0.3, 0.2)).fields()
    assert (full["kind"], full["layers"], full["validation_mae"], full["validation_max_error"]) == ("cuts", [], 0.1, 0.3)


def test_a_network_that_was_brought_has_no_held_out_error() -> None:
    brought = Report("value", fitted=Fitted("onnx", (4,), VALUE, math.nan, math.nan, math.nan)).fields()
    assert (brought["kind"], brought["validation_mae"], brought["validation_max_error"]) == ("onnx", None, None)


@pytest.mark.parametrize(
    ("number", "objective", "line"),
    [
        (0, None, "first round: no verified point yet, 12 decisions asked about"),
        (2, -222.0, "refinement 2 of 5: best verified point -222, 12 decisions asked about"),
    ],
)
def test_a_round_is_told(number: int, objective: float | None, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    tell_round(number, 5, 12, objective)
    assert capsys.readouterr().err.strip() == line
