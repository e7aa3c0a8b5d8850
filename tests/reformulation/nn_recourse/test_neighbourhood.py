from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def neighbourhood(binary: bool) -> Neighbourhood:
    arrays = arrays_of_text(facilities(True, binary), ANNOTATION)
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    archive = Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False))
    return Neighbourhood(arrays, archive, Options(method="nn-embed"))


def optimum(near: Neighbourhood) -> float:
    found = Highs().run_matrix(extensive_form(near.arrays), SolverOptions()).objective
    assert found is not None
    return found


@pytest.mark.parametrize("number", range(8))
def test_neighbours_lead_from_every_corner_to_the_best_one(number: int) -> None:
    near = neighbourhood(binary=True)
    near.archive.ask(corners()[number : number + 1])
    near.search()
    assert near.archive.best is not None
    assert near.archive.best.total == pytest.approx(optimum(near))


def test_good_decisions_beside_each_other_are_moved_once() -> None:
    near = neighbourhood(binary=False)
    near.archive.ask(np.array([[1.0, 0.0, 0.0], [0.99, 0.0, 0.0], [0.9, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    apart = np.array([k.x for k in near.apart()])
    assert len(apart) == 3
    assert min(np.abs(a - b).max() for i, a in enumerate(apart) for b in apart[:i]) > 0.05
    before = min(k.total for k in near.archive.answered())
    near.polish_all()
    assert near.archive.best is not None
    assert near.archive.best.total <= before


def test_a_small_extensive_form_gives_the_optimum_and_a_bound() -> None:
    near = neighbourhood(binary=False)
    near.archive.ask(np.array([[1.0, 1.0, 1.0]]))
    near.whole(0.0)
    assert near.bound == -np.inf
    near.whole(20.0)
    assert near.archive.best is not None
    assert near.archive.best.total == pytest.approx(optimum(near))
    assert near.bound == pytest.approx(optimum(near))
