"""The benchmark of nn-embed on one problem: the error is that of the verified point, and the table counts it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.nn_embed.cases import cases
from benchmarks.nn_embed.run import results_of, run
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
