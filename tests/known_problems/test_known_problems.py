"""Small problems whose answers are published and confirmed: every one is solved, verified and compared.

``problems.json`` holds the mathematics (see README.md beside it); the Pyomo model and the annotation are made here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang import solve

PROBLEMS = json.loads((Path(__file__).parent / "problems.json").read_text(encoding="utf-8"))
SENSES = {"min": pyo.minimize, "max": pyo.maximize}
FUNCTIONS = {"exp": pyo.exp, "log": pyo.log, "sqrt": pyo.sqrt}


def cases(problems: list[dict[str, Any]]) -> list[Any]:
    """Parameters with names; a problem known to be hard is not in the default run and may be missed."""
    hard = [pytest.mark.slow, pytest.mark.xfail(reason="hard, see problems.json", strict=False)]
    return [pytest.param(problem, id=problem["name"], marks=hard if "hard" in problem else []) for problem in problems]


def add_variables(model: pyo.ConcreteModel, variables: Mapping[str, list[float | None]], start: float | None = None) -> None:
    for name, bounds in variables.items():
        model.add_component(name, pyo.Var(bounds=tuple(bounds), initialize=start))


def expression(model: pyo.ConcreteModel, text: str) -> Any:
    """The text of a formula over the model's variables; the texts are those of problems.json."""
    names = {v.name: v for v in model.component_objects(pyo.Var)}
    return eval(text, {"__builtins__": {}}, {**FUNCTIONS, **names})


def add_rows(model: pyo.ConcreteModel, rows: Mapping[str, str]) -> None:
    for name, text in rows.items():
        model.add_component(name, pyo.Constraint(expr=expression(model, text)))


def bilevel(problem: Mapping[str, Any]) -> tuple[pyo.ConcreteModel, str]:
    """The model of one leader and one follower, and its annotation."""
    model = pyo.ConcreteModel(problem["name"])
    for side in ("leader", "follower"):
        add_variables(model, problem["vars"][side])
    for side in ("leader", "follower"):
        sense, formula = problem["objectives"][side]
        model.add_component(side, pyo.Objective(expr=expression(model, formula), sense=SENSES[sense]))
        add_rows(model, problem["rows"][side])
    model.follower.deactivate()
    multipliers = problem.get("dualvars", {})
    leader = [name for name in problem["vars"]["leader"] if name not in multipliers]
    lines = [
        " ".join(["bilevel", *leader]),
        " ".join([problem["objectives"]["follower"][0], "follower", *problem["vars"]["follower"], *problem["rows"]["follower"]]),
        *(f"dualvar {name} {row}" for name, row in multipliers.items()),
    ]
    return model, "\n".join(lines) + "\n"


def equilibrium(problem: Mapping[str, Any]) -> tuple[pyo.ConcreteModel, str]:
    """The model of several agents without a leader, and its annotation."""
    model = pyo.ConcreteModel(problem["name"])
    for agent in problem["agents"]:
        add_variables(model, agent["vars"], start=1.0)
    add_variables(model, {name: part["bounds"] for name, part in problem["vi"].items()}, start=1.0)
    add_variables(model, {name: [None, None] for name in problem["fixed"]})
    for name, value in problem["fixed"].items():
        model.component(name).fix(value)

    lines = ["equilibrium"]
    for agent in problem["agents"]:
        objective = f"{agent['name']}_objective"
        model.add_component(objective, pyo.Expression(expr=expression(model, agent["objective"])))
        add_rows(model, agent["rows"])
        lines.append(" ".join([agent["sense"], objective, *agent["vars"], *agent["rows"]]))
    for name, part in problem["vi"].items():
        model.add_component(f"F_{name}", pyo.Expression(expr=expression(model, part["function"])))
    if problem["vi"]:
        lines.append(" ".join(["vi", *(f"F_{name} {name}" for name in problem["vi"])]))
    return model, "\n".join(lines) + "\n"


@pytest.mark.parametrize("problem", cases(PROBLEMS["bilevel"] + PROBLEMS["dualvar"]))
def test_the_best_known_value_is_reached(problem: Mapping[str, Any]) -> None:
    solution = solve(*bilevel(problem))
    assert solution.certificate is not None
    assert solution.certificate.verified, solution.messages
    best = problem["best_known_upper"]
    assert solution.objective == pytest.approx(best, abs=1e-3 * max(1.0, abs(best)))


@pytest.mark.parametrize("problem", cases(PROBLEMS["equilibrium"]))
def test_the_known_equilibrium_is_found(problem: Mapping[str, Any]) -> None:
    solution = solve(*equilibrium(problem))
    assert solution.certificate is not None
    assert solution.certificate.verified, solution.messages
    found = {name: solution.variables[name] for name in problem["known_solution"] if name not in problem["fixed"]}
    expected = {name: value for name, value in problem["known_solution"].items() if name not in problem["fixed"]}
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)
