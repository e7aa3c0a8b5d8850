"""The benchmark of nn-embed on one problem: the error is that of the verified point, and the table counts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.nn_embed.baseline import lp_relaxation
from benchmarks.nn_embed.cases import cases
from benchmarks.nn_embed.network_alone import network_alone
from benchmarks.nn_embed.run import measured, results_of, run, run_other
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
    found = run_other(case, "LP for 0", lp_relaxation, 60.0)
    assert found["objective"] == pytest.approx(-18.0, abs=1e-5)
    assert found["error"] == pytest.approx(4 / 22, abs=1e-5)
    assert "LP for 0" in summary([found, {**found, "refine": 0}])


def test_the_network_alone_is_the_true_follower_at_its_decision() -> None:
    # Moore and Bard 1990: the follower takes the least y >= 1 that its rows allow; its answers are enumerated here.
    case = next(c for c in cases(None, ("small",)) if c.name == "pao_moore90")
    status, objective = network_alone(case, 60.0)

    def allowed(x: int, y: int) -> bool:
        return -25 * x + 20 * y <= 30 and x + 2 * y <= 10 and 2 * x - y <= 15 and 2 * x + 10 * y >= 15

    def answer(x: int) -> int | None:
        return next((y for y in range(20) if allowed(x, y)), None)

    truth = [-x - 10 * y for x in range(20) if (y := answer(x)) is not None]
    assert min(truth) == -22  # the listed optimum
    assert status == "feasible" and objective in truth


def test_a_point_better_than_an_unproven_one_has_no_error() -> None:
    case = next(c for c in cases(None, ("small",)) if c.name == "pao_moore90")  # a minimisation, the best is -22
    assert measured(-23.0, replace(case, proven=False)) == {"behind": pytest.approx(-1 / 22), "error": 0.0}
    assert measured(-23.0, case)["error"] == measured(-21.0, replace(case, proven=False))["error"] == pytest.approx(1 / 22)
    assert measured(None, case) == {"behind": None, "error": None}


def test_the_best_run_of_all_is_what_others_are_behind() -> None:
    plain = {"name": "a", "group": "g", "status": "feasible", "best": 10.0, "verified": True, "seconds": 1.0}
    better = {**plain, "refine": 5, "behind": -0.1, "error": 0.0}
    worse = {**plain, "refine": 0, "behind": 0.02, "error": 0.02}
    rows = summary([better, worse]).splitlines()[1:]
    assert [row.split()[-3] for row in rows] == ["12.000", "0.000"]
