from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.boxes import Boxes
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.stochastic.test_answer_parts import acquisition
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_listed_stage import investment


def boxes(arrays: TwoStageArrays, tolerance: float = 1e-6) -> Boxes:
    names = tuple(f"x{j}" for j in range(arrays.first.columns))
    cuts = Cuts(arrays)
    decisions = Decisions(arrays, cuts.cost, domain_of(arrays, names), 0)
    archive = Archive(decisions, cuts, SecondStage(arrays, relaxed=False))
    return Boxes(Neighbourhood(arrays, archive, Options(method="nn-embed")), tolerance)


def optimum(arrays: TwoStageArrays) -> float:
    found = Highs().run_matrix(extensive_form(arrays), SolverOptions(gap=0.0)).objective
    assert found is not None
    return arrays.sense * found


def mixed(budget: bool, sense: int = 1) -> TwoStageArrays:
    """Capacity that is bought whole (of two kinds) and in part, and lots served with it; ``budget``: a row of the first stage."""
    m = pyo.ConcreteModel()
    m.d = pyo.Param([1, 2], initialize=3.0, mutable=True)
    m.x = pyo.Var([1, 2], domain=pyo.NonNegativeIntegers, bounds=(0, 4))
    m.z = pyo.Var(bounds=(0, 6))
    m.idle = pyo.Var(bounds=(0, 3))
    m.y = pyo.Var([1, 2], domain=pyo.NonNegativeIntegers, bounds=(0, 3))
    m.lost = pyo.Var([1, 2], domain=pyo.NonNegativeIntegers, bounds=(0, 3))
    if budget:
        m.budget = pyo.Constraint(expr=3 * m.x[1] + 2 * m.x[2] + m.z + m.idle >= 7)
    m.room = pyo.Constraint(expr=1.3 * m.y[1] + 0.9 * m.y[2] <= 1.5 * m.x[1] + 1.1 * m.x[2] + 0.7 * m.z)
    m.need = pyo.Constraint([1, 2], rule=lambda m, j: m.y[j] + m.lost[j] >= m.d[j])
    m.cost = pyo.Objective(
        expr=sense * (2 * m.x[1] + 1.7 * m.x[2] + 0.9 * m.z + 0.1 * m.idle + 0.2 * m.y[1] + 5 * m.lost[1] + 4 * m.lost[2]),
        sense=pyo.minimize if sense == 1 else pyo.maximize,
    )
    law = "jrandvar d[1] d[2]\n 0.3 2 3\n 0.3 3 1\n 0.4 1 2\nstage 2 d y lost room need\n"
    return arrays_of_text(m, law)


@pytest.mark.parametrize(
    "arrays",
    [investment(pyo.Binary), investment(pyo.NonNegativeIntegers, -1), mixed(False), mixed(True), mixed(True, -1)],
    ids=["binary", "whole, to be maximised", "mixed", "with a row of the first stage", "that to be maximised"],
)
def test_the_bound_meets_the_optimum_of_the_extensive_form(arrays: Any) -> None:
    search = boxes(arrays)
    search.run(None)
    best = search.archive.best
    assert best is not None
    assert best.total == pytest.approx(optimum(arrays), rel=2e-6, abs=2e-6)
    assert search.bound <= optimum(arrays) + 1e-9
    assert best.total - search.bound <= 1.01e-6 * max(1.0, abs(best.total))


@pytest.mark.parametrize("sense", [1, -1])
def test_switches_of_the_first_stage_are_decided_where_the_matrix_is_random(sense: int) -> None:
    arrays = acquisition(sense=sense, scenarios=12)
    search = boxes(arrays, 1e-3)
    search.run(None)
    best = search.archive.best
    assert best is not None
    assert best.total == pytest.approx(optimum(arrays), rel=1e-3)
    assert search.bound <= optimum(arrays) + 1e-9 <= best.total + 2e-9
    assert best.total - search.bound <= 1.01e-3 * abs(best.total)


def test_a_deadline_leaves_a_bound_and_a_decision() -> None:
    arrays = mixed(True)
    search = boxes(arrays)
    assert search.bound == -np.inf
    search.run(time.perf_counter() - 1.0)
    assert np.isfinite(search.bound)
    assert search.bound < optimum(arrays)
    search.run(None)
    assert search.archive.best is not None
    assert search.archive.best.total == pytest.approx(optimum(arrays))


def test_no_decision_at_all_is_proven() -> None:
    search = boxes(investment(pyo.Binary, needed=4.5))
    search.run(None)
    assert search.bound == np.inf
    assert search.archive.best is None


@pytest.mark.parametrize("step", [1.0, 0.7])
def test_decisions_that_have_to_meet_equalities_are_found(step: float) -> None:
    # Whole lots make up for the difference to the demand, and x = (k / 0.7) is no middle of a box.
    m = pyo.ConcreteModel()
    m.d, m.price = pyo.Param(initialize=3, mutable=True), pyo.Param(initialize=3, mutable=True)
    m.x = pyo.Var(bounds=(0, 10))
    m.more, m.less = (pyo.Var(bounds=(0, 12), domain=pyo.Integers) for _ in range(2))
    m.meet = pyo.Constraint(expr=step * m.x + m.more - m.less == m.d)
    m.cost = pyo.Objective(expr=2.1 * m.x + 3.4 * m.more + m.price * m.less)
    arrays = arrays_of_text(m, "jrandvar d price 0.3 3 1 0.4 7 2 0.3 8 3\nstage 2 more less meet")
    found = boxes(arrays, 1e-4)
    found.run(time.perf_counter() + 20)
    assert found.archive.best is not None
    assert found.archive.best.total == pytest.approx(optimum(arrays), rel=1e-4)
    assert found.bound == pytest.approx(optimum(arrays), rel=2e-4)
    assert found.bound <= optimum(arrays) + 1e-6
