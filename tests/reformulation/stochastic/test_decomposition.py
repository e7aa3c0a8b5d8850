"""The L-shaped search against the extensive form, with masters of both kinds."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.stochastic import decomposition
from bilevel_lang.reformulation.stochastic.decomposition import search
from bilevel_lang.reformulation.stochastic.evaluation import Evaluation
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.incumbent import Incumbent
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.stochastic.plants import plants
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def servers(seed: int, sense: int = 1) -> tuple[Any, str]:
    """Server location after Ntaimo and Sen (2005): open servers now, assign the clients that come."""
    rng = np.random.default_rng(seed)
    m = pyo.ConcreteModel()
    m.J, m.I = pyo.RangeSet(4), pyo.RangeSet(5)
    cost, need = rng.integers(8, 20, 5), rng.integers(1, 9, (6, 5))
    m.h = pyo.Param(m.I, initialize=1, mutable=True)
    m.x = pyo.Var(m.J, domain=pyo.Binary)
    m.y = pyo.Var(m.I, m.J, domain=pyo.Binary)
    m.over = pyo.Var(m.J, bounds=(0, None))
    m.few = pyo.Constraint(expr=pyo.quicksum(m.x[j] for j in m.J) <= 3)
    m.one = pyo.Constraint(m.I, rule=lambda m, i: pyo.quicksum(m.y[i, j] for j in m.J) == m.h[i])
    use = {(i, j): int(need[i, j - 1]) for i in m.I for j in m.J}
    m.room = pyo.Constraint(m.J, rule=lambda m, j: pyo.quicksum(use[i, j] * m.y[i, j] for i in m.I) - m.over[j] <= 9 * m.x[j])
    total = pyo.quicksum(int(cost[j]) * m.x[j] + 30 * m.over[j] for j in m.J)
    total -= pyo.quicksum(2 * use[i, j] * m.y[i, j] for i in m.I for j in m.J)
    m.cost = pyo.Objective(expr=sense * total, sense=pyo.minimize if sense > 0 else pyo.maximize)
    outcomes = rng.integers(0, 2, (6, 5))
    text = "jrandvar h(1) h(2) h(3) h(4) h(5) " + " ".join(f"{1 / 6!r} " + " ".join(map(str, row)) for row in outcomes)
    return m, text + "\nstage 2 y over one room"


def force(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The master as a MILP, all decisions listed, or listed with cuts that scenarios share."""
    monkeypatch.setattr(decomposition, "is_small", lambda first, scenarios: way != "milp")
    monkeypatch.setattr(decomposition, "sides_alone", lambda arrays: way == "shared")


@pytest.mark.parametrize("way", ["shared", "listed", "milp"])
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
@pytest.mark.parametrize("sense", [1, -1], ids=["min", "max"])
def test_the_optimum_is_that_of_the_extensive_form(seed: int, sense: int, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    arrays = arrays_of_text(*servers(seed, sense))
    found = search(arrays)
    whole = Highs().run_matrix(extensive_form(arrays), SolverOptions())
    assert found.termination is Termination.OPTIMAL
    assert found.value == pytest.approx(whole.objective)
    assert found.bound == pytest.approx(found.value)
    assert found.x is not None and found.y is not None
    costs = (arrays.everywhere("cost") * found.y).sum(axis=1)
    assert arrays.first.objective_at(found.x) + float(arrays.probabilities @ costs) == pytest.approx(found.value)


def test_without_time_the_bound_is_a_bound() -> None:
    arrays = arrays_of_text(*servers(0))
    found = search(arrays, time_limit=1e-6)
    assert found.termination is Termination.LIMIT
    assert found.x is None
    whole = Highs().run_matrix(extensive_form(arrays), SolverOptions())
    assert whole.objective is not None
    assert found.bound <= whole.objective


@pytest.mark.parametrize("way", ["shared", "listed", "milp"])
def test_an_infeasible_program_is_told(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    m, text = servers(1)
    for j in m.J:
        m.over[j].setub(0)
    m.few.set_value(pyo.quicksum(m.x[j] for j in m.J) <= 0)
    assert search(arrays_of_text(m, text)).termination is Termination.INFEASIBLE


@pytest.mark.parametrize("after", [1, 8])
def test_ctrl_c_leaves_the_best_point_and_a_bound(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    force("listed", monkeypatch)
    arrays = arrays_of_text(*servers(2))
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    calls = itertools.count()
    evaluate = decomposition._Search._look_at

    def interrupted(search: Any, x: Any, theta: Any) -> None:
        if next(calls) == after:
            raise KeyboardInterrupt
        evaluate(search, x, theta)

    monkeypatch.setattr(decomposition._Search, "_look_at", interrupted)
    found = search(arrays)
    assert found.termination is Termination.INTERRUPTED
    assert optimum is not None
    assert found.bound <= optimum + 1e-6
    if found.x is not None:
        assert found.value >= optimum - 1e-6
    assert after == 1 or found.x is not None


def test_ctrl_c_between_decisions_that_are_listed_leaves_the_best_one(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = arrays_of_text(*servers(2))
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    calls = itertools.count()
    evaluate = Incumbent.evaluate

    def interrupted(incumbent: Incumbent, decision: Evaluation, deadline: float | None) -> bool:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(incumbent, decision, deadline)

    monkeypatch.setattr(Incumbent, "evaluate", interrupted)
    found = search(arrays)
    assert optimum is not None
    assert found.termination is Termination.INTERRUPTED
    assert found.x is not None
    assert found.bound - 1e-6 <= optimum <= found.value + 1e-6
    assert found.bound < found.value


@pytest.mark.parametrize("way", ["listed", "milp"])
@pytest.mark.parametrize("sense", [1, -1], ids=["min", "max"])
def test_decisions_without_an_answer_are_cut_off_together(sense: int, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    arrays = arrays_of_text(*plants(12, sense))
    found = search(arrays)
    # Of 4,096 decisions 13 have answers, and all others are cheaper: one by one they would be as many rounds.
    assert found.termination is Termination.OPTIMAL
    assert found.x is not None and found.x.tolist() == [1.0] * 11 + [0.0]
    assert found.value == pytest.approx(sense * (11 * 10 + 66 + 2))
    assert found.rounds < 30


@pytest.mark.parametrize("way", ["listed", "milp"])
def test_a_scenario_without_an_answer_ends_the_search_at_once(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force(way, monkeypatch)
    m, text = plants(12)
    found = search(arrays_of_text(m, text.replace(" 12 ", " 24 ")))
    assert found.termination is Termination.INFEASIBLE
    assert found.rounds == 0
