"""The benchmark of growth at tiny sizes: that it runs, and that its arithmetic is right."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from benchmarks.reformulate.instance import ANNOTATION, LEADERS, build
from benchmarks.reformulate.run import STAGES, Figure, exponent, main, table
from benchmarks.reformulate.stages import STAGES as MEASURED
from benchmarks.reformulate.stages import measure


def test_an_instance_is_what_the_readme_says() -> None:
    model = build(50)
    problem = bl.resolve(model, ANNOTATION)
    (agent,) = problem.agents
    assert (len(agent.rows), len(agent.variables), len(problem.leader.variables)) == (50, 50, LEADERS)
    assert all(v.bounds == (0, None) for v in agent.variables)
    assert all(len(row.body.args) == 5 for row in agent.rows)
    assert str(build(50).c[7].expr) == str(model.c[7].expr)


def test_an_instance_can_be_solved() -> None:
    solution = bl.solve(build(5), ANNOTATION)
    assert solution.status.value == "optimal"


@pytest.mark.parametrize("stage", MEASURED)
def test_every_stage_runs(stage: str) -> None:
    if stage == "core-kkt" and stage.replace("-", ".") not in list(pyo.TransformationFactory):
        pytest.skip("this Pyomo has no core.kkt")
    found = measure(stage, LEADERS)
    assert set(found) == {"build", "seconds", "model", "peak"} and found["peak"] >= found["model"] >= 0


def test_the_tables_name_every_stage_that_is_measured() -> None:
    assert set(STAGES) == set(MEASURED)


def test_an_exponent_is_found_again() -> None:
    figures = [Figure(n, 1.0, 3e-6 * n**1.25) for n in (10, 100, 1000)]
    assert exponent(figures) == pytest.approx(1.25)
    assert math.isnan(exponent(figures[:1]))


def test_a_table_has_ratios() -> None:
    text = table("stage", [Figure(1000, 0.5, 1.0, 10.0, 25.0), Figure(10_000, 5.0, 10.0, 100.0, 250.0)])
    assert "| 1,000 | 0.50 | 1.00 | 2.00 | 2.5 |" in text and "power 1.00" in text


def test_the_command_prints_machine_and_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--sizes", "20", "--stages", "resolve", "--repeat", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("machine: ") and "| 20 |" in said and "grows with n" in said
