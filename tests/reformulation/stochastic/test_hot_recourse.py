from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.stochastic import hot_recourse as module
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.hot_recourse import HotRecourse
from bilevel_lang.reformulation.stochastic.recourse import fixed_first
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.hot_blocks import HotBlocks
from bilevel_lang.solvers.hot_milp import MilpAnswer
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_fixed_matrix import yields

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def loads() -> TwoStageArrays:
    """Three loads of random weight go whole into one of two lorries that were hired before, or are lost at a price."""
    m: Any = pyo.ConcreteModel()
    m.I, m.J = pyo.RangeSet(2), pyo.RangeSet(3)
    m.d = pyo.Param(m.J, initialize=3.0, mutable=True)
    m.x = pyo.Var(m.I, domain=pyo.Binary)
    m.y, m.z = pyo.Var(m.I, m.J, domain=pyo.Binary), pyo.Var(m.J, domain=pyo.Binary)
    m.sent = pyo.Constraint(m.J, rule=lambda m, j: m.z[j] + pyo.quicksum(m.y[i, j] for i in m.I) >= 1)
    m.room = pyo.Constraint(m.I, rule=lambda m, i: pyo.quicksum(m.d[j] * m.y[i, j] for j in m.J) <= (5 + 2 * i) * m.x[i])
    late = pyo.quicksum((i + j) * m.y[i, j] for i in m.I for j in m.J) + 20 * pyo.quicksum(m.z.values())
    m.cost = pyo.Objective(expr=10 * pyo.quicksum(m.x.values()) + late)
    text = "jrandvar d[1] d[2] d[3]\n 0.25 3 4 5\n 0.25 6 2 7\n 0.5 8 1 2\nstage 2 d y z sent room\n"
    return arrays_of_text(m, text)


def apart(arrays: TwoStageArrays, number: int, x: np.ndarray) -> float:
    """The second stage of one scenario as a program of its own, by the ordinary adapter."""
    alone = fixed_first(arrays.restricted(np.array([number]), np.ones(1)), x)
    run = Highs().run_matrix(extensive_form(alone), SolverOptions())
    assert run.x is not None and run.objective is not None
    return float(run.objective - arrays.first.cost @ x)


@pytest.mark.parametrize("held", [1_000_000, 1])
def test_scenarios_with_entries_of_their_own_have_instances_of_their_own(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD", held)
    arrays = loads()
    hot = HotRecourse(arrays, False, SolverOptions(), None)
    for x in CORNERS:
        for number in range(3):
            part = arrays.scenario(number)
            answer = hot.solve(number, part, part.technology @ x)
            assert isinstance(answer, MilpAnswer)
            assert answer.objective == pytest.approx(apart(arrays, number, x))
            assert answer.bound == pytest.approx(answer.objective)
    kept = list(hot._kept.values())
    assert len(kept) == (3 if held > 1 else 1) and all(isinstance(one, HotBlocks) for one in kept)


@pytest.mark.parametrize(("arrays", "linear"), [(yields(), True), (arrays_of_text(facilities(True), ANNOTATION), False)])
def test_one_instance_serves_all_where_entries_stay_or_an_lp_changes_them(arrays: TwoStageArrays, linear: bool) -> None:
    hot = HotRecourse(arrays, linear, SolverOptions(), None)
    x = arrays.first.lower + 1
    for number in range(arrays.scenarios):
        part = arrays.scenario(number)
        assert hot.solve(number, part, part.technology @ x).objective == pytest.approx(apart(arrays, number, x))
    assert len(hot._kept) == 1


def test_past_the_deadline_nothing_is_solved() -> None:
    arrays = loads()
    hot = HotRecourse(arrays, False, SolverOptions(), None)
    part = arrays.scenario(0)
    assert hot.solve(0, part, part.technology @ CORNERS[2]).termination is Termination.OPTIMAL
    hot.deadline = 0.0
    assert hot.solve(0, part, part.technology @ CORNERS[1]).termination is Termination.LIMIT


def test_labels_with_a_gap_bracket_the_cost_and_come_with_points_that_cost_as_much() -> None:
    arrays = loads()
    stage = SecondStage(arrays, relaxed=False, gap=0.05)
    found = stage.costs(CORNERS)
    assert found is not None
    for k, x in enumerate(CORNERS):
        exact = np.array([apart(arrays, number, x) for number in range(3)])
        assert (found.bounds[k] <= exact + 1e-9).all() and (exact <= found.values[k] + 1e-9).all()
        assert (found.values[k] - found.bounds[k] <= 0.05 * np.abs(found.values[k]) + 1e-9).all()
        points = stage.responses(x)
        assert (points @ arrays.cost <= 1.06 * exact + 1e-9).all() and (points @ arrays.cost >= exact - 1e-9).all()


def test_what_patterns_prove_is_no_more_than_the_answer_and_no_less_than_the_relaxation() -> None:
    arrays = loads()
    hot, relaxed = HotRecourse(arrays, False, SolverOptions(), None), SecondStage(arrays, relaxed=True)
    found = relaxed.costs(CORNERS)
    assert found is not None
    for x, loose in zip(CORNERS, found.values, strict=True):
        for number in range(3):
            part = arrays.scenario(number)
            least = hot.least(number, part, part.technology @ x)
            assert loose[number] - 2e-3 * abs(loose[number]) <= least <= apart(arrays, number, x) + 1e-6
    other = arrays_of_text(facilities(True), ANNOTATION)
    part = other.scenario(0)
    assert HotRecourse(other, False, SolverOptions(), None).least(0, part, part.technology @ np.ones(3)) == -np.inf
