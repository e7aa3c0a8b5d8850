"""Whole runs on arrays: the optimum of problems that are small enough to enumerate."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.nn_embed import supplier
from bilevel_lang.reformulation.nn_embed.budgets import SOLVE_SECONDS
from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_embed.program import EmbeddedProgram
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem
from bilevel_lang.reformulation.nn_embed.rounds import Rounds
from bilevel_lang.reformulation.nn_embed.supplier import Supplier
from bilevel_lang.reformulation.nn_embed.target import choose_targets
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.reformulation.value_function.integer.reading import read_linear
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.surrogate.cuts import CutPool
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction, knapsack_value, options, resolved


@pytest.fixture(autouse=True)
def _short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplier, "STEPS", 60)


def rounds(made: Any, **nn: Any) -> Rounds:
    source, inputs, domain = arrays(made)
    read = read_linear(resolved(made))
    assert not isinstance(read, Refusal)
    asked = options(**nn)
    return Rounds(
        SampledProblem(read, None, inputs),
        domain,
        choose_targets(source, asked.nn.target),
        Supplier(source, domain, asked),
        asked,
    )


@pytest.mark.parametrize("network", ["auto", "relu"])
def test_an_lp_follower(network: str) -> None:
    run = rounds(continuous(), network=network, layers=(8,), samples=40)
    found = run.run()
    assert found.objective == pytest.approx(-12.0, abs=0.05)  # x = 0, y = 3
    assert found.bound is not None and found.bound <= -12.0
    assert run.report.fields()["kind"] == ("cuts" if network == "auto" else "relu")


def test_a_small_box_is_enumerated() -> None:
    best = min(knapsack_value(np.array(x)) for x in itertools.product((0.0, 1.0), repeat=4) if sum(x) <= 2)
    found = rounds(interdiction(), layers=(6,), samples=16).run()
    assert found.termination is Termination.OPTIMAL and found.objective == pytest.approx(best)


def test_refinement_asks_more_and_is_never_worse() -> None:
    plain, refined = (rounds(interdiction(), layers=(4,), samples=10, refine=k) for k in (0, 2))
    first, second = plain.run(), refined.run()
    assert first.objective is not None and second.objective is not None and second.objective <= first.objective + 1e-9
    assert refined.report.rounds == 3 and refined.report.samples > plain.report.samples


@pytest.mark.parametrize("off", [0.0, 2.0])
def test_the_error_at_the_answer_is_the_networks_own(monkeypatch: pytest.MonkeyPatch, off: float) -> None:
    told = CutPool(np.array([[-1.0], [1.0], [0.0]]), np.array([3.0, -1.0, 0.0]) + off, 1).network()  # v(x) + off
    monkeypatch.setattr(Supplier, "supply", lambda *_: Fitted("onnx", (), told, math.nan, math.nan, math.nan))
    run = rounds(continuous(), target="value", samples=10)
    run.run()
    assert run.report.fields()["error_at_answer"] == pytest.approx(off, abs=1e-6)


def test_what_the_network_alone_leads_to_is_the_truth_at_its_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    # It says x - 1, and the follower's value is max(3 - x, x - 1, 0).
    told = CutPool(np.array([[1.0]]), np.array([-1.0]), 1).network()
    monkeypatch.setattr(Supplier, "supply", lambda *_: Fitted("onnx", (), told, math.nan, math.nan, math.nan))
    run = rounds(continuous(), target="value", samples=10)
    found = run.run()
    assert run._best is not None and found.objective is not None
    x, objective = run._best.verdict.x[0], run.report.fields()["network_objective"]
    assert objective == pytest.approx(x - 4 * max(3 - x, x - 1, 0)) and objective >= found.objective - 1e-9


def test_a_round_is_repeated_as_long_as_it_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    run = rounds(interdiction(), layers=(4,), samples=10)
    run.judge.ask(np.zeros(4))
    asked = iter([[1.0, 0, 0, 0], [1.0, 1, 0, 0], [1.0, 1, 0, 0], [1.0, 0, 1, 0]])
    monkeypatch.setattr(run, "_round", lambda target: run.judge.ask(np.array(next(asked))))
    run._as_long_as_it_gains(run.targets[0])
    assert len(run.judge.known()) == 3 and next(asked) == [1.0, 0, 1, 0]  # the third gained nothing


def test_a_program_that_leads_to_nothing_gets_half_of_its_time_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    run = rounds(interdiction(), layers=(4,), samples=10)
    run.run()
    given: list[float] = []
    best = run.judge.best
    assert best is not None and best.point is not None

    def cut_off(embedded: EmbeddedProgram, seconds: float) -> MatrixRun:
        given.append(seconds)
        return MatrixRun(Termination.LIMIT, "HiGHS", np.nan_to_num(embedded.start(best.point)))

    monkeypatch.setattr(run, "_solve", cut_off)
    for _ in range(3):
        run._round(run.targets[0])
    assert given == [SOLVE_SECONDS, SOLVE_SECONDS / 2, SOLVE_SECONDS / 4]


def test_a_refinement_that_finds_nothing_new_is_the_last_one() -> None:
    run = rounds(interdiction(), layers=(4,), samples=16, refine=50)  # all sixteen decisions are known
    run.run()
    assert run.report.rounds == 2


def test_all_refinements_that_are_asked_for_are_made_and_look_elsewhere_after_one_without_a_gain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = rounds(continuous(), layers=(4,), samples=10, refine=3)
    monkeypatch.setattr(run.drawing, "around_best", lambda: None)
    looked: list[int] = []
    elsewhere = run.drawing.elsewhere

    def counted() -> None:
        before = len(run.judge.known())
        elsewhere()
        looked.append(len(run.judge.known()) - before)

    monkeypatch.setattr(run.drawing, "elsewhere", counted)
    monkeypatch.setattr(run, "_as_long_as_it_gains", lambda target: run.judge.ask(np.array([4.0 + 0.1 * len(looked)])))
    run.run()
    assert run.report.rounds == 4
    assert len(looked) >= 2 and all(looked)


def test_the_same_seed_gives_the_same_answer() -> None:
    first, again = (rounds(interdiction(), layers=(6,), samples=10).run() for _ in range(2))
    assert first.x is not None and again.x is not None and np.array_equal(first.x, again.x)


def test_no_point_at_all_is_no_answer() -> None:
    m, info = continuous()
    m.more = pyo.Constraint(expr=m.x + m.y >= 8)  # of the leader: the follower's own answer leaves it behind
    m.x.setub(4)
    found = rounds((m, info), samples=10, layers=(4,)).run()
    assert found.x is None and found.termination is Termination.LIMIT
    assert "satisfies all rows" in found.message
