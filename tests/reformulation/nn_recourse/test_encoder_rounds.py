from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse import encoder_rounds, encoder_training
from bilevel_lang.reformulation.nn_recourse.bounding import Bounding
from bilevel_lang.reformulation.nn_recourse.decisions import domain_of
from bilevel_lang.reformulation.nn_recourse.encoder_file import GivenEncoder
from bilevel_lang.reformulation.nn_recourse.encoder_rounds import EncoderRounds
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.nn_recourse.shops import LAWS, OTHERS, best_profit, expected_profit, shop, table

pytest.importorskip("torch")


def rounds(text: str, given: GivenEncoder | None = None, **options: Any) -> EncoderRounds:
    problem = bl.resolve(shop(), text)
    assert problem.stochastic is not None
    nn = NnOptions(network="encoder", **options.pop("nn", {}))
    made = Options(method="nn-embed", nn=nn, **options)
    scenarios = problem.stochastic.scenarios(made.scenarios, 0)
    compiled = compile_program(problem, scenarios)
    domain = domain_of(compiled.arrays, tuple(v.name for v in compiled.first))
    return EncoderRounds(problem, compiled, scenarios, domain, made, given)


@pytest.fixture(scope="module")
def trained() -> GivenEncoder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder_training, "STEPS", 800)
        run = rounds(LAWS, scenarios=10, nn={"samples": 100, "layers": (16,)})
        found = run.run()
    assert run.given is not None
    assert found.surrogate["samples"] > 0
    assert found.surrogate["kind"] == "encoder"
    assert found.surrogate["binaries"] == 0
    return run.given


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_one_training_serves_other_scenarios(trained: GivenEncoder, number: int) -> None:
    values, shares = OTHERS[number]
    run = rounds(table(values, shares), trained)
    found = run.run()
    best = best_profit(values, shares)
    assert run.decision is not None and found.best is not None
    # The decision of the network itself, by hand, and the answer, which may be better.
    assert expected_profit(run.decision.x, values, shares) == pytest.approx(-run.decision.total)
    assert -run.decision.total >= best - 0.1 * abs(best)
    assert -found.best.total >= best - 0.02 * abs(best)
    assert run.decision.total >= found.best.total - 1e-9
    assert -found.best.total <= best + 1e-6
    assert -found.bound >= best - 1e-6
    assert found.surrogate["samples"] == 0
    assert found.surrogate["training_seconds"] is None


def test_what_is_embedded_is_the_network_of_the_set(trained: GivenEncoder) -> None:
    values, shares = OTHERS[0]
    run = rounds(table(values, shares), trained)
    run.run()
    assert run.network is not None and run.learned is not None and run.claim is not None and run.decision is not None
    assert run.network.convex().all()
    x = run.decision.x[None, :]
    alone = trained.network.at(values, shares)(x)[0, 0]
    assert run.network(x)[0, 0] == pytest.approx(alone)
    # The program says first-stage costs and the larger of network and cuts, by an LP.
    first = run.cuts.first_cost(run.decision.x)
    assert run.claim == pytest.approx(first + max(alone, float(run.cuts.expected(x)[0])), rel=1e-6)


def test_few_scenarios_are_made_up_for_by_trying_out(trained: GivenEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    values, shares = OTHERS[0]
    run = rounds(table(values, shares), trained)
    tried = run.run()
    assert run.decision is not None and tried.best is not None
    monkeypatch.setattr(encoder_rounds, "how_many", lambda *given: 0)
    alone = rounds(table(values, shares), trained).run()
    assert alone.best is not None
    assert tried.best.total <= alone.best.total
    assert len(run.archive.answered()) > 40
    # 50 of the 127 decisions that fit, those that the network ranks first.
    assert -tried.best.total == pytest.approx(best_profit(values, shares))


def test_a_network_that_is_off_by_more_than_ever_is_told(trained: GivenEncoder) -> None:
    values, shares = OTHERS[0]
    assert not any("unlike those" in m for m in rounds(table(values, shares), trained).run().said)
    sure = replace(trained, max_error=1e-6)
    (said,) = (m for m in rounds(table(values, shares), sure).run().said if "unlike those" in m)
    assert "off the truth at its decision, on sets held out in training 1e-06 at most" in said


def test_decisions_beyond_the_box_of_the_training_are_told(trained: GivenEncoder) -> None:
    values, shares = OTHERS[0]
    narrow = replace(trained, upper=np.array([6.0, 12.0]))
    (said,) = (m for m in rounds(table(values, shares), narrow).run().said if "extrapolates" in m)
    assert said.endswith("`x[1]` is 0 to 12, and was 0 to 6")


def test_a_refinement_looks_at_the_neighbours(trained: GivenEncoder) -> None:
    values, shares = OTHERS[2]
    found = rounds(table(values, shares), trained, nn={"refine": 1}).run()
    assert found.best is not None
    assert -found.best.total == pytest.approx(best_profit(values, shares))


def test_ctrl_c_gives_the_best_decision_so_far(trained: GivenEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Neighbourhood, "search", interrupted)
    values, shares = OTHERS[2]
    found = rounds(table(values, shares), trained, nn={"refine": 1}).run()
    if not found.closed:
        assert found.termination is Termination.INTERRUPTED
    assert found.best is not None
    assert np.isfinite(found.bound)


def test_ctrl_c_among_the_cuts_leaves_their_bound(trained: GivenEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(bounding: Bounding, whole: bool) -> Floats | Termination:
        if whole:
            raise KeyboardInterrupt
        return master(bounding, whole)

    master = Bounding._master
    monkeypatch.setattr(Bounding, "_master", interrupted)
    values, shares = OTHERS[2]
    found = rounds(table(values, shares), trained).run()
    assert found.termination is Termination.INTERRUPTED
    assert found.best is None
    assert best_profit(values, shares) - 1e-6 <= -found.bound < np.inf
