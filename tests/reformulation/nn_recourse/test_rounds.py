from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse import boxes
from bilevel_lang.reformulation.nn_recourse.bounding import Bounded, Bounding
from bilevel_lang.reformulation.nn_recourse.decisions import domain_of
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.nn_recourse.rounds import Rounds, refuse_cuts
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_listed_stage import investment


@pytest.mark.parametrize("network", ["icnn", pytest.param("relu", marks=pytest.mark.slow)])
def test_continuous_decisions_of_an_integer_second_stage_by_network_and_polish(network: str) -> None:
    pytest.importorskip("torch")
    arrays = arrays_of_text(facilities(True, binary=False), ANNOTATION)
    options = Options(method="nn-embed", nn=NnOptions(network=network, samples=15, layers=(6,)))
    found = Rounds(arrays, domain_of(arrays, ("a", "b", "c")), options).run()
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None and found.best is not None
    assert found.bound <= optimum + 1e-6
    assert optimum - 1e-6 <= found.best.total <= 1.05 * optimum
    assert not found.closed
    assert found.surrogate["kind"] == network
    assert found.approximate is not None


def test_few_decisions_are_all_evaluated_which_proves_the_best() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    found = Rounds(arrays, domain_of(arrays, ("a", "b", "c")), Options(method="nn-embed")).run()
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert found.best is not None
    assert found.best.total == pytest.approx(optimum)
    assert found.closed
    assert found.termination is Termination.OPTIMAL
    assert "all 8 decisions" in found.said[0]


def test_continuous_decisions_of_a_listed_second_stage_are_proven_without_a_network() -> None:
    arrays = investment(pyo.NonNegativeIntegers)
    found = Rounds(arrays, domain_of(arrays, ("a", "b")), Options(method="nn-embed")).run()
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert found.best is not None
    assert found.best.total == pytest.approx(optimum)
    assert found.bound == pytest.approx(optimum)
    assert found.closed
    assert found.termination is Termination.OPTIMAL
    assert "boxes of first-stage decisions" in found.said[0]
    assert found.y is not None
    costs = arrays.cost @ found.y.T @ arrays.probabilities + arrays.first.objective_at(found.best.x)
    assert costs == pytest.approx(optimum)


def test_a_listed_second_stage_without_an_answer_is_infeasible() -> None:
    arrays = investment(pyo.Binary, needed=4.5)
    found = Rounds(arrays, domain_of(arrays, ("a", "b")), Options(method="nn-embed")).run()
    assert found.best is None
    assert found.termination is Termination.INFEASIBLE


def test_networks_go_on_where_boxes_had_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr(boxes, "EFFORT", 0.0)
    arrays = investment(pyo.Binary)
    options = Options(method="nn-embed", nn=NnOptions(samples=15, layers=(4,)))
    found = Rounds(arrays, domain_of(arrays, ("a", "b")), options).run()
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None and found.best is not None
    assert found.bound <= optimum + 1e-6 <= found.best.total + 2e-6
    assert found.surrogate["kind"] is not None


@pytest.mark.slow
@pytest.mark.parametrize("network", ["icnn", "auto"])
def test_without_time_for_cuts_a_network_is_trained_all_the_same(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr(boxes, "EFFORT", 0.0)
    monkeypatch.setattr(Bounding, "run", lambda self: Bounded(Termination.LIMIT, None, np.inf, -np.inf, np.zeros((0, 2)), 0, 0.0))
    arrays = investment(pyo.Binary)
    options = Options(method="nn-embed", nn=NnOptions(network=network, samples=15, layers=(4,)))
    found = Rounds(arrays, domain_of(arrays, ("a", "b")), options).run()
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None and found.best is not None
    assert found.bound <= optimum + 1e-6 <= found.best.total + 2e-6
    assert found.surrogate["kind"] in ("icnn", "relu")


def test_exact_cuts_of_an_integer_second_stage_are_refused() -> None:
    options = Options(method="nn-embed", nn=NnOptions(network="cuts"))
    with pytest.raises(RefusedError, match="no exact cuts of an integer second stage"):
        refuse_cuts(arrays_of_text(facilities(True), ANNOTATION), options)
    refuse_cuts(arrays_of_text(facilities(False), ANNOTATION), options)


def test_a_small_extensive_form_goes_on_from_the_best_decision_and_proves_it() -> None:
    pytest.importorskip("torch")
    arrays = arrays_of_text(facilities(True, binary=False), ANNOTATION)
    options = Options(method="nn-embed", nn=NnOptions(samples=12, layers=(4,), refine=1))
    found = Rounds(arrays, domain_of(arrays, ("a", "b", "c")), options).run()
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert found.best is not None
    assert found.best.total == pytest.approx(optimum)
    assert found.bound == pytest.approx(optimum)
    assert found.closed


def test_ctrl_c_gives_the_best_decision_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Neighbourhood, "search", interrupted)
    arrays = arrays_of_text(facilities(True, binary=False), ANNOTATION)
    options = Options(method="nn-embed", nn=NnOptions(samples=12, refine=1))
    found = Rounds(arrays, domain_of(arrays, ("a", "b", "c")), options).run()
    assert found.termination is Termination.INTERRUPTED
    assert found.best is not None
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None
    assert found.bound - 1e-6 <= optimum <= found.best.total + 1e-6


@pytest.mark.parametrize("whole", [False, True])
def test_ctrl_c_among_the_cuts_leaves_their_best_decision_and_the_bound(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Bounding._look_at

    def interrupted(bounding: Bounding, x: Floats, of_whole_decisions: bool) -> float | None:
        found = look(bounding, x, of_whole_decisions)
        if bounding.x is not None:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(Bounding, "_look_at", interrupted)
    arrays = arrays_of_text(facilities(whole, binary=not whole), ANNOTATION)
    found = Rounds(arrays, domain_of(arrays, ("a", "b", "c")), Options(method="nn-embed")).run()
    assert found.termination is Termination.INTERRUPTED
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None
    assert 0.0 < found.bound <= optimum + 1e-6
    # What cuts of an integer second stage have looked at was never solved with its integers.
    assert (found.best is None) == whole
    assert found.best is None or found.best.total >= optimum - 1e-6
