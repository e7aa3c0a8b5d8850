from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse import listing
from bilevel_lang.reformulation.nn_recourse.decisions import domain_of
from bilevel_lang.reformulation.nn_recourse.listing import can_be_listed
from bilevel_lang.reformulation.nn_recourse.rounds import Rounds
from bilevel_lang.reformulation.nn_recourse.search_state import Outcome
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic import decomposition
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.incumbent import Incumbent
from bilevel_lang.reformulation.stochastic.side_cuts import SideStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_decomposition import servers
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def run(arrays: TwoStageArrays, **options: Any) -> Outcome:
    names = tuple(f"x{j}" for j in range(arrays.first.columns))
    return Rounds(arrays, domain_of(arrays, names), Options(method="nn-embed", nn=NnOptions(refine=1), **options)).run()


@pytest.mark.parametrize("sense", [1, -1], ids=["min", "max"])
@pytest.mark.parametrize("seed", [0, 5])
def test_the_best_decision_is_proven_and_its_second_stages_are_kept(seed: int, sense: int) -> None:
    arrays = arrays_of_text(*servers(seed, sense))
    assert can_be_listed(arrays)
    found = run(arrays)
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None and found.best is not None and found.y is not None
    assert found.best.total == pytest.approx(sense * optimum)
    assert found.bound == pytest.approx(sense * optimum)
    assert found.closed
    assert found.termination is Termination.OPTIMAL
    assert found.within == 0
    assert "all 16 decisions" in found.said[0]
    costs = (arrays.everywhere("cost") * found.y).sum(axis=1) @ arrays.probabilities
    assert arrays.first.objective_at(found.best.x) + costs == pytest.approx(optimum)


def test_second_stages_are_counted_apart_from_their_relaxations(monkeypatch: pytest.MonkeyPatch) -> None:
    solved: list[int] = []
    relaxed: list[int] = []
    milp, lps = HotMilp.solve, SideStage._solved

    def one(hot: HotMilp, *given: Any) -> Any:
        solved.append(1)
        return milp(hot, *given)

    def several(stage: SideStage, point: Any, chosen: Any) -> Any:
        relaxed.append(len(chosen))
        return lps(stage, point, chosen)

    monkeypatch.setattr(HotMilp, "solve", one)
    monkeypatch.setattr(SideStage, "_solved", several)
    found = run(arrays_of_text(*servers(0)))
    assert found.surrogate["samples"] == len(solved) > 0
    assert found.surrogate["relaxations"] == sum(relaxed) > 0


def test_a_time_limit_is_all_for_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "search", lambda arrays, seconds, gap: decomposition.search(arrays, 1e-6, gap))
    arrays = arrays_of_text(*servers(0))
    found = run(arrays, time_limit=30)
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None
    assert found.best is None
    assert found.termination is Termination.LIMIT
    assert found.bound <= optimum + 1e-6


def test_a_program_without_a_decision_is_infeasible() -> None:
    m, text = servers(1)
    for j in m.J:
        m.over[j].setub(0)
    m.few.set_value(pyo.quicksum(m.x[j] for j in m.J) <= 0)
    found = run(arrays_of_text(m, text))
    assert found.best is None
    assert found.termination is Termination.INFEASIBLE


def test_without_time_for_the_list_other_ways_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "search", lambda arrays, seconds, gap: decomposition.search(arrays, 1e-6, gap))
    arrays = arrays_of_text(*servers(0))
    found = run(arrays)
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert found.best is not None
    assert found.best.total == pytest.approx(optimum)
    assert "until the time was over" in found.said[0]


def test_ctrl_c_gives_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Incumbent, "evaluate", stopped)
    arrays = arrays_of_text(*servers(0))
    found = run(arrays)
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None
    assert found.termination is Termination.INTERRUPTED
    assert found.best is None
    assert -np.inf < found.bound <= optimum + 1e-6


def test_others_are_left_to_other_ways() -> None:
    arrays = arrays_of_text(*servers(0))
    assert not can_be_listed(replace(arrays, first=replace(arrays.first, integer=np.zeros(4, dtype=bool))))
    assert not can_be_listed(replace(arrays, first=replace(arrays.first, upper=np.full(4, 3.0))))
    assert not can_be_listed(arrays_of_text(facilities(True, binary=False), ANNOTATION))
