from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse import encoder_training
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.encoder_training import EACH, EncoderTraining
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from tests.reformulation.nn_recourse.shops import LAWS, OTHERS, ROOM, shop, table

pytest.importorskip("torch")


def training(text: str, model: Any = None, late: float | None = None, **nn: Any) -> EncoderTraining:
    problem = bl.resolve(model or shop(), text)
    assert problem.stochastic is not None
    options = Options(method="nn-embed", nn=NnOptions(network="encoder", **nn), scenarios=5)
    compiled = compile_program(problem, problem.stochastic.scenarios(5, 0))
    domain = domain_of(compiled.arrays, tuple(v.name for v in compiled.first))
    cuts = Cuts(compiled.arrays)
    decisions = Decisions(compiled.arrays, cuts.cost, domain, 0)
    return EncoderTraining(problem, compiled, decisions, cuts, options, (late, None))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_training, "STEPS", 40)


@pytest.mark.usefixtures("quick")
def test_pairs_are_solved_once_and_kept(tmp_path: Path) -> None:
    first = training(LAWS, samples=30, layers=(4,), folder=tmp_path)
    found = first.run()
    assert found.layers == (4,)
    assert 0 < first.solves <= 30 * EACH
    assert found.upper.tolist() == [12.0, 12.0]
    again = training(LAWS, samples=30, layers=(4,), folder=tmp_path)
    same = again.run()
    assert again.solves == 0
    values, shares = OTHERS[0]
    points = np.array([[3.0, 4.0]])
    assert np.array_equal(found.network.at(values, shares)(points), same.network.at(values, shares)(points))


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_network_does_not_depend_on_who_labels(tmp_path: Path) -> None:
    alone = training(LAWS, samples=40, layers=(4,), save_surrogate=tmp_path / "alone.onnx").run()
    shared = training(LAWS, samples=40, layers=(4,), save_surrogate=tmp_path / "shared.onnx", workers=2).run()
    assert (tmp_path / "alone.onnx").read_bytes() == (tmp_path / "shared.onnx").read_bytes()
    assert alone.mae == shared.mae


@pytest.mark.usefixtures("quick")
def test_labels_that_take_long_are_announced(capsys: pytest.CaptureFixture[str]) -> None:
    run = training(LAWS, samples=1000)
    run.announce(50, 0.1)  # 20,000 solves of 2 ms
    assert len(run.said) == 1
    assert run.said[0].startswith("50 second stages took 0.1 s, so that 1,000 decisions in 20 scenarios take about 40 s")
    assert capsys.readouterr().err == ""
    run.options = replace(run.options, verbose=True)
    run.announce(50, 0.1)
    assert "about 40 s" in capsys.readouterr().err
    short = training(LAWS, samples=20)
    short.announce(50, 0.1)
    assert short.said == []


@pytest.mark.usefixtures("quick")
def test_only_decisions_that_the_first_stage_allows_are_labelled(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def looked(pairs: Any, *rest: Any) -> Any:
        seen.append(pairs)
        return fit(pairs, *rest)

    fit = encoder_training.fit_sets
    monkeypatch.setattr(encoder_training, "fit_sets", looked)
    training(LAWS, samples=60, layers=(4,)).run()
    points = seen[0].points
    assert (points.sum(axis=1) <= ROOM).all()
    assert len(np.unique(points, axis=0)) > 30
    # The best of the first half count more, and the second half lies beside them.
    assert seen[0].weights.max() > 3 * seen[0].weights.min()


@pytest.mark.usefixtures("quick")
def test_a_finite_law_is_drawn_once_each() -> None:
    few = training(table(*OTHERS[1]), samples=20, layers=(4,))
    few.run()
    # Four different scenarios: each decision is solved in those.
    assert few.solves <= 4 * 20


def test_nothing_to_train_on() -> None:
    with pytest.raises(RefusedError, match="0 decisions with an answer in some scenario are too few"):
        training(LAWS, samples=20, late=0.0).run()


def test_a_second_stage_that_sees_no_decision() -> None:
    m = shop()
    m.stock.deactivate()
    m.del_component(m.profit)
    m.profit = pyo.Objective(expr=pyo.quicksum(m.sold[i] - m.x[i] for i in m.P), sense=pyo.maximize)
    with pytest.raises(RefusedError, match="sees no variable of the first"):
        training(LAWS.replace(" stock", "").replace(" left", ""), m, samples=20).run()
