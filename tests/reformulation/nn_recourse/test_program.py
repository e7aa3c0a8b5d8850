from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.program import learned_program
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.network import Affine, Network
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def network(convex: bool) -> Network:
    r = np.random.default_rng(5)
    hidden = Affine(sp.csr_matrix(r.normal(size=(6, 3)) * 9), r.normal(size=6) * 4)
    weights = np.hstack([r.normal(size=(1, 3)) * 5, r.normal(size=(1, 6))])
    weights[:, 3:] = np.abs(weights[:, 3:]) if convex else weights[:, 3:]
    return Network(3, (hidden,), Affine(sp.csr_matrix(weights), np.array([2.5])))


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("convex", [False, True])
def test_the_optimum_is_the_least_over_all_decisions_of_what_network_and_cuts_say(residual: bool, convex: bool) -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    found = SecondStage(arrays, relaxed=True).costs(corners())
    assert found is not None and found.slopes is not None
    cuts = Cuts(arrays)
    for k in (0, 3, 7):
        cuts.add(corners()[k], found.values[k], found.slopes[k])
    decisions = Decisions(arrays, cuts.cost, domain_of(arrays, ("a", "b", "c")), 0)
    made = learned_program(cuts, decisions, network(convex), residual, "split")
    said, below = network(convex)(corners())[:, 0], cuts.expected(corners())
    wanted = below + said if residual else np.maximum(below, said)
    run = Highs().run_matrix(made.program, SolverOptions())
    assert run.objective == pytest.approx(min(w + cuts.first_cost(x) for w, x in zip(wanted, corners(), strict=True)))
    assert bool(made.embedding.integer.any()) is not convex  # an input-convex network costs no binaries


def test_without_cuts_the_network_alone_says_what_the_second_stage_costs() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    cuts = Cuts(arrays)
    decisions = Decisions(arrays, cuts.cost, domain_of(arrays, ("a", "b", "c")), 0)
    below = replace(network(True), output=Affine(network(True).output.weights, np.array([-500.0])))
    run = Highs().run_matrix(learned_program(cuts, decisions, below, False, "split").program, SolverOptions())
    wanted = below(corners())[:, 0] + [cuts.first_cost(x) for x in corners()]
    assert run.objective == pytest.approx(wanted.min())
    assert run.objective < -100
    assert (cuts.expected(corners()) == 0).all()
