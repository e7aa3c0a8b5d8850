"""The literature problems can be built and scored; solving them all is the benchmark's own business."""

from __future__ import annotations

import dataclasses

import pytest

import bilevel_lang as bl
from benchmarks.literature.problems import SETS, all_problems
from benchmarks.literature.run import one, score, scored

PROBLEMS = list(all_problems())


def test_there_are_as_many_as_the_readme_says():
    counts = {name: sum(p.set == name for p in PROBLEMS) for name in SETS}
    assert counts == {"bilevel": 169, "dualvar": 3, "equilibrium": 7, "mpec": 48}


@pytest.mark.parametrize("problem", PROBLEMS[::5], ids=lambda p: p.name)
def test_a_problem_becomes_a_model_that_its_annotation_fits(problem):
    model, text = problem.model()
    assert bl.resolve(model, text).model is model


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
