"""The literature problems can be built and scored; solving them all is the benchmark's own business."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import bilevel_lang as bl
from benchmarks.literature.encodings import EXACT, Said, asked, contradictions, summary
from benchmarks.literature.problems import SETS, all_problems
from benchmarks.literature.run import lines, one, score, scored

PROBLEMS = list(all_problems())


def test_there_are_as_many_as_the_readme_says():
    counts = {name: sum(p.set == name for p in PROBLEMS) for name in SETS}
    assert counts == {"bilevel": 169, "dualvar": 3, "equilibrium": 7, "mpec": 48}


@pytest.mark.parametrize("problem", PROBLEMS[::5], ids=lambda p: p.name)
def test_a_problem_becomes_a_model_that_its_annotation_fits(problem):
    model, text = problem.model()
    assert bl.resolve(model, text).model is model


def test_to_prove_that_there_is_no_answer_is_to_reach_it():
    fruits = next(p for p in PROBLEMS if p.name == "bj_fruits_infeasible")
    assert fruits.infeasible and fruits.best is None
    assert scored(fruits, one(fruits, 20.0)).score == "reached"
    claimed = {"status": "optimal", "objective": 0.0, "verified": True, "seconds": 0.0}
    assert [score(fruits, {**claimed, "status": s}) for s in ("optimal", "feasible", "limit", "verification_failed")] == [
        "WRONG",
        "missed",
        "missed",
        "not verified",
    ]


def test_values_of_our_own_are_marked_and_say_how_they_were_found():
    own = [p for p in PROBLEMS if p.own]
    assert {p.name for p in own} == {
        "basblib_mb_2007_22",
        "basblib_mb_2007_22v",
        "bolib_LuDebSinha2016e",
        "bolib_MitsosBarton2006Ex318",
    }
    assert all(p.infeasible or "published" in p.entry for p in own)
    table = list(lines([scored(p, {"status": "refused", "seconds": 0.0}) for p in own if p.name == "basblib_mb_2007_22"]))
    assert "0.191683*" in table[1] and "* own computation" in "\n".join(table[2:])


def test_the_own_value_of_mb_2007_22_is_that_of_a_grid():
    """The published 0.189 is at no point that a follower of these formulas answers; its answers by numpy's polynomial roots."""
    best = np.inf
    for x in np.linspace(0.6, 0.7, 501):
        slopes = [4, 3 * (2 - 2 * x) / 15, 2 * (-0.02 * x**2 + 0.16 * x - 0.4), 0.004 * x**3 - 0.036 * x**2 + 0.08 * x]
        low = np.sqrt(0.01 * x**2 + 0.01)
        inner = [r.real for r in np.roots(slopes) if abs(r.imag) < 1e-9 and low <= abs(r.real) <= 1]
        answer = min([*inner, -1, 1, low, -low], key=lambda y: np.polyval([1, (2 - 2 * x) / 15, slopes[2] / 2, slopes[3], 0], y))
        best = min(best, answer**2 + (x - 0.6) ** 2)
    found = next(p for p in PROBLEMS if p.name == "basblib_mb_2007_22")
    assert found.best == pytest.approx(best, abs=1e-5)


def test_an_answer_is_scored_by_sense_and_claim():
    problem = next(p for p in PROBLEMS if p.name == "bolib_Bard1984a")
    found = one(problem, 20.0)
    assert scored(problem, found).score == "reached"
    off = {**found, "objective": problem.best + 1.0}
    assert score(problem, off) == "WRONG"
    assert score(problem, {**off, "status": "feasible"}) == "missed"
    assert score(problem, {**off, "status": "verification_failed"}) == "not verified"
    assert score(problem, {**found, "objective": problem.best - 1.0}) == "better"
    turned = dataclasses.replace(problem, sense="max")
    assert score(turned, {**off, "status": "feasible"}) == "better"
    assert score(problem, {"status": "refused"}) == "refused"


def test_claims_of_exactness_are_compared_and_local_answers_with_them():
    problem = next(p for p in PROBLEMS if p.name == "bolib_Bard1984a")
    assert problem.sense == "min"
    right, close, off = Said("sos1", "optimal", 2.0), Said("branch", "optimal", 2.0 + 1e-7), Said("big-m", "optimal", 2.01)
    assert list(contradictions(problem, [right, close])) == []
    assert len(list(contradictions(problem, [right, close, off]))) == 2
    assert len(list(contradictions(problem, [right, Said("branch", "infeasible", None)]))) == 1
    assert list(contradictions(problem, [right, Said("scholtes", "local", 2.5), Said("indicator", "refused", None)])) == []
    assert len(list(contradictions(problem, [right, Said("scholtes", "local", 1.9)]))) == 1
    assert len(list(contradictions(problem, [Said("sos1", "infeasible", None), Said("scholtes", "local", 1.9)]))) == 1


def test_the_encodings_agree_on_a_problem_of_the_literature():
    problem = next(p for p in PROBLEMS if p.name == "bolib_Bard1984a")
    answers = [asked(problem, name, 20.0) for name in EXACT]
    assert list(contradictions(problem, answers)) == []
    assert sum(a.exact for a in answers) >= 2 and answers[0].objective == pytest.approx(28 / 9, abs=1e-6)
    assert any("sos1 and branch" in line for line in summary({problem.name: answers}, EXACT))
