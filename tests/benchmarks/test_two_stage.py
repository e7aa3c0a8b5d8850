"""The two-stage benchmark: its instances are the published ones, and its lines say what was found."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import bilevel_lang as bl
from benchmarks.table_file import append
from benchmarks.two_stage import embedding_time, encoder, rates
from benchmarks.two_stage.cflp import cflp, demands
from benchmarks.two_stage.instances import MODELS, cflp_names, invp_names, named, write
from benchmarks.two_stage.invp import grid
from benchmarks.two_stage.published import TABLE
from benchmarks.two_stage.run import Result, chosen, known_results, line, run, summary
from bilevel_lang.model_file import load_model
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions


@pytest.mark.parametrize(
    ("name", "optimum"), [("INVP_B_E_4", -57.00), ("INVP_B_H_4", -56.75), ("INVP_I_E_9", -66.56), ("INVP_I_H_9", -65.78)]
)
def test_the_investment_problem_has_the_published_optimum(name: str, optimum: float, tmp_path: Path) -> None:
    problem = bl.resolve(*named(name).model(tmp_path))
    assert problem.stochastic is not None
    arrays = compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays
    assert Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective == pytest.approx(optimum, abs=0.006)
    assert TABLE[name].baseline == optimum


def test_facility_location_is_drawn_as_published() -> None:
    made = cflp(25, 25)
    assert made.transport.shape == (25, 25)
    # Capacities are scaled to twice the demand, and rounded down.
    draw = np.random.RandomState(7)
    draw.rand(100)
    demand = draw.randint(5, 36, size=25)
    assert 2 * demand.sum() - 25 <= made.capacity.sum() <= 2 * demand.sum()
    assert made.penalty == 2 * max(made.fixed.max(), made.transport.max())
    first, again = demands(25, 20, 0), demands(25, 20, 0)
    assert (first == again).all()
    assert first.min() >= 5 and first.max() <= 35
    assert (demands(25, 20, 1) != first).any()


@pytest.mark.slow
def test_the_linear_recourse_of_facility_location_has_its_known_optimum(tmp_path: Path) -> None:
    # 11,183.556, from an implementation of its own of the same generator.
    problem = bl.resolve(*named("LP_25_25_20/0").model(tmp_path))
    assert problem.stochastic is not None
    arrays = compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays
    run_ = Highs().run_matrix(extensive_form(arrays), SolverOptions(gap=1e-6))
    assert run_.objective == pytest.approx(11_183.556, abs=0.01)


def test_every_published_row_has_its_instances() -> None:
    rows = {named(n).row for n in [*invp_names(), *cflp_names()]}
    assert rows == {r for r in TABLE if not r.startswith("SSLP")}
    assert len(invp_names()) == 28
    assert grid(9).tolist()[1] == [5.0, 10.0]


@pytest.mark.parametrize("name", ["TSP_1_2_3", "SSLP_5_25_50", "INVP_B"])
def test_other_names_are_told(name: str) -> None:
    with pytest.raises(ValueError, match="no instance"):
        named(name)


@pytest.mark.parametrize("family", ["cflp", "invp"])
def test_the_models_of_the_folder_run_as_they_are(family: str) -> None:
    folder = MODELS / family
    problem = bl.resolve(load_model(folder / "model.py"), bl.load(folder / "model.emp"))
    assert problem.stochastic is not None
    assert problem.stochastic.scenarios(None, 0).size >= 4


def test_what_is_written_is_the_model_of_the_folder(tmp_path: Path) -> None:
    made = write(named("CFLP_10_10_100/3"), tmp_path)
    assert made.name == "CFLP_10_10_100_3"
    assert (made / "model.py").read_text() == (MODELS / "cflp" / "model.py").read_text()
    assert len((made / "scenarios.csv").read_text().splitlines()) == 101


def test_a_line_is_run_once_and_summed_up(tmp_path: Path) -> None:
    result = run(named("INVP_B_H_4"), "extensive", 20.0, tmp_path)
    assert (result.objective, result.gap, result.certified) == (pytest.approx(-56.75), pytest.approx(0.0), pytest.approx(0.0))
    table = tmp_path / "table.csv"
    other = replace(result, instance="CFLP_10_10_100/1", objective=None, gap=None)
    append(table, result)
    append(table, other)
    assert known_results(table) == {(r.instance, r.method): r for r in (result, other)}
    assert "INVP_B_H_4" in line(result)
    one = Result("CFLP_10_10_100/0", "ours", "feasible", 7000.0, None, None, None, 1.0, 1.0, 1.0, 1.0)
    text = "\n".join(summary([result, one, replace(one, instance="CFLP_10_10_100/1", objective=7010.0)]))
    assert "7005.000" in text
    assert "6994.770" in text


def test_the_arguments_choose() -> None:
    def names(**given: object) -> list[str]:
        asked = {"sizes": None, "smps": None, "family": None, "only": ""} | given
        return [i.name for i in chosen(argparse.Namespace(**asked))]

    assert len(names()) == 12
    assert names(sizes="441", only="INVP_B") == ["INVP_B_E_441", "INVP_B_H_441"]
    assert names(family="CFLP", only="50_50_1000/7") == ["CFLP_50_50_1000/7"]


def test_labels_of_the_investment_problem_are_looked_up() -> None:
    seconds, way = rates.invp_labels("I", "H", 200)
    assert way == "enumeration"
    assert seconds >= 0


def test_rates_go_the_ways_that_are_meant() -> None:
    assert rates.stage_of("LP_10_10_5/0").way == "arrays"
    ours, bare = rates.linear_rates(10, 2)
    assert min(ours, bare) > 0
    assert rates.integer_rates(10, 2, gap=0.05)[2] == "patterns"


@pytest.mark.slow
def test_the_three_embeddings_say_what_their_networks_say(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    problem = bl.resolve(*named("CFLP_10_10_100/0").model(tmp_path))
    assert problem.stochastic is not None
    arrays = compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays
    inputs = Decisions(arrays, arrays.first.cost, domain_of(arrays, tuple(f"x{j}" for j in range(10))), 0)
    trained = embedding_time.networks(arrays, inputs, 4, 40, 2, 60)
    every = np.array(np.meshgrid(*[[0.0, 1.0]] * 10)).reshape(10, -1).T
    for (name, found), network in zip(embedding_time.programs(inputs.inputs, trained).items(), trained, strict=True):
        solved = embedding_time.solve(name, found, arrays.first, inputs.seen, 30.0)
        least = (every @ arrays.first.cost + network(every)[:, 0]).min()
        assert solved.claimed == pytest.approx(least, rel=2e-4)
        assert embedding_time.PROGRAMS[name] in embedding_time.row("CFLP_10_10_100/0", solved)


def test_what_does_not_stop_at_the_limit_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_time, "solved", lambda *given: time.sleep(60))
    found: Any = SimpleNamespace(binaries=7)
    nothing: Any = None
    began = time.perf_counter()
    solved = embedding_time.solve("pruned", found, nothing, nothing, 0.1)
    assert time.perf_counter() - began < 30
    assert "killed" in solved.ended and solved.claimed is None and solved.clock >= 0.1


def test_the_encoder_is_trained_on_the_law_of_the_test_sets(tmp_path: Path) -> None:
    model, table = named("CFLP_10_10_100/0").model(tmp_path)
    text = encoder.of_the_law((MODELS / "cflp" / "model.emp").read_text(encoding="utf-8"), 10)
    problem, given = bl.resolve(model, text).stochastic, bl.resolve(model, table).stochastic
    assert problem is not None and given is not None
    drawn = problem.training(3000, encoder.SEED).values
    assert (drawn.min(), drawn.max()) == (5, 35)
    assert {v.name for v in problem.second_variables} == {v.name for v in given.second_variables}
    tested = {tuple(row) for t in range(5) for row in demands(10, 100, t)}
    assert not tested & {tuple(row) for row in drawn}
    said = encoder.WORTH.search(
        "encoder: held-out error 394.2 over sets of scenarios; its decision is worth 7083.9, it said 7015.9"
    )
    assert said is not None and said.groups() == ("7083.9", "7015.9")
