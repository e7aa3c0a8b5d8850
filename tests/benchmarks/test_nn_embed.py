"""The benchmark of nn-embed on one problem: the error is that of the verified point, and the table counts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.nn_embed.cases import cases
from benchmarks.nn_embed.run import error_of, results_of, run, run_baseline
from benchmarks.nn_embed.table import summary
from bilevel_lang.reformulation.nn_options import NnOptions


def test_a_known_problem_is_met() -> None:
    case = next(c for c in cases(None, ("small", "milp")) if c.name == "basblib_b_1991_01")
    found = run(case, NnOptions(samples=40), 60.0)
    assert found["verified"] and isinstance(found["error"], float) and found["error"] <= 1e-4
    assert "100.0 %" in summary([found])


def test_a_line_that_was_cut_off_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"name": "a", "refine": 0}\n{"name": "b", "re', encoding="utf-8")
    assert [r["name"] for r in results_of(path)] == ["a"]
    assert results_of(tmp_path / "none") == []


def test_the_baseline_is_the_true_follower_at_the_decision_of_the_lp() -> None:
    # Moore and Bard 1990: without integers the optimum is (8, 1) with -18; with them it is (2, 2) with -22.
    case = next(c for c in cases(None, ("small",)) if c.name == "pao_moore90")
    found = run_baseline(case, 60.0)
    assert found["objective"] == pytest.approx(-18.0, abs=1e-5)
    assert found["error"] == pytest.approx(4 / 22, abs=1e-5)
    assert "LP" in summary([found, run_baseline(case, 60.0) | {"refine": 0}])


def test_a_point_better_than_an_unproven_one_has_no_error() -> None:
    case = next(c for c in cases(None, ("small",)) if c.name == "pao_moore90")  # a minimisation, the best is -22
    assert error_of(-23.0, replace(case, proven=False)) == 0.0
    assert error_of(-23.0, case) == error_of(-21.0, replace(case, proven=False)) == pytest.approx(1 / 22)
    assert error_of(None, case) is None
