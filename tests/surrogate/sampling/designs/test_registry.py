"""The list of designs."""

from __future__ import annotations

from bilevel_lang.surrogate.sampling.designs.registry import DESIGNS


def test_every_design_is_there_once_and_the_plain_one_first() -> None:
    assert [design.name for design in DESIGNS] == ["latin-hypercube", "sobol", "feasible", "csv", "around", "listed"]
