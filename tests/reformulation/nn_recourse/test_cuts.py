from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.nn_recourse import cuts as module
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text


@pytest.mark.parametrize("groups", [1, 2, 100])
def test_cuts_are_exact_where_they_were_made_and_below_elsewhere(groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_GROUPS", groups)
    arrays = arrays_of_text(facilities(False), ANNOTATION)
    found = SecondStage(arrays, relaxed=True).costs(corners())
    assert found is not None and found.slopes is not None
    expected = found.values @ arrays.probabilities
    cuts = Cuts(arrays)
    for k in (1, 6):
        cuts.add(corners()[k], found.values[k], found.slopes[k])
    mine = cuts.expected(corners())
    assert mine[[1, 6]] == pytest.approx(expected[[1, 6]])
    assert (mine <= expected + 1e-9).all()
    run = Highs().run_matrix(cuts.program(whole=True), SolverOptions())
    assert run.objective == pytest.approx(min(mine[k] + cuts.first_cost(x) for k, x in enumerate(corners())))
    cuts.forbid(np.ones(3), 1.0, np.array([1.0, 0.0, 0.0]))  # 1 + (x1 - 1) <= 0
    run = Highs().run_matrix(cuts.program(whole=True), SolverOptions())
    assert run.objective == pytest.approx(min(mine[k] + cuts.first_cost(x) for k, x in enumerate(corners()) if x[0] == 0))


def test_any_duals_of_the_master_prove_a_bound_and_its_own_the_optimum() -> None:
    arrays = arrays_of_text(facilities(False), ANNOTATION)
    found = SecondStage(arrays, relaxed=True).costs(corners())
    assert found is not None and found.slopes is not None
    cuts = Cuts(arrays)
    for k in (1, 6, 7):
        cuts.add(corners()[k], found.bounds[k], found.slopes[k])
    cuts.forbid(np.ones(3), 1.0, np.array([1.0, 0.0, 0.0]))
    program = cuts.program(whole=False)
    run, draw = Highs().run_matrix(program, SolverOptions()), np.random.default_rng(0)
    assert run.row_duals is not None and run.objective is not None
    assert cuts.proven(program, run.row_duals) == pytest.approx(run.objective)
    for _ in range(30):
        assert cuts.proven(program, draw.normal(0.5, 1, program.rows)) <= run.objective + 1e-9
    assert cuts.proven(program, np.zeros(program.rows)) == -np.inf


def test_the_middle_satisfies_the_rows_and_is_no_corner() -> None:
    middle = Cuts(arrays_of_text(facilities(False), ANNOTATION)).middle()
    assert middle is not None and middle.tolist() == [0.5, 0.5, 0.5]
    m = facilities(False)
    m.two = pyo.Constraint(expr=m.x[1] + m.x[2] + m.x[3] == 2)
    middle = Cuts(arrays_of_text(m, ANNOTATION)).middle()
    assert middle is not None and middle.sum() == pytest.approx(2)
    m.none = pyo.Constraint(expr=m.x[1] + m.x[2] <= 0.5)
    assert Cuts(arrays_of_text(m, ANNOTATION)).middle() is None
