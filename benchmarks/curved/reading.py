"""An instance as a Pyomo model with its annotation."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from benchmarks.curved.instances import Agent, Instance

SENSES = {"min": pyo.minimize, "max": pyo.maximize}
FUNCTIONS = {name: getattr(pyo, name) for name in ("exp", "log", "sqrt", "sin", "cos")}


def model_of(instance: Instance) -> tuple[Any, str]:
    """The model, with the followers' objectives deactivated, and the annotation."""
    model = pyo.ConcreteModel(instance.name)
    names: dict[str, Any] = dict(FUNCTIONS)
    for agent in (instance.leader, *instance.followers):
        for name, bounds in agent.variables.items():
            model.add_component(name, pyo.Var(bounds=bounds))
            names[name] = model.component(name)
    lines = []
    for number, agent in enumerate((instance.leader, *instance.followers)):
        objective, rows = _write(model, names, agent, number)
        words = [*agent.variables, *rows]
        lines.append(" ".join(["bilevel", *agent.variables] if number == 0 else [agent.sense, objective, *words]))
    return model, "\n".join(lines) + "\n"


def _write(model: Any, names: dict[str, Any], agent: Agent, number: int) -> tuple[str, list[str]]:
    """Objective and rows of an agent (0: the leader) in the model; their names."""

    def formula(text: str) -> Any:
        return eval(text, {"__builtins__": {}}, names)

    objective = f"f{number}"
    model.add_component(objective, pyo.Objective(expr=formula(agent.objective), sense=SENSES[agent.sense]))
    if number:
        model.component(objective).deactivate()
    rows = []
    for place, text in enumerate(agent.rows, 1):
        left, equal, _ = text.partition("==")
        body = formula(left)
        rows.append(f"c{number}_{place}")
        model.add_component(rows[-1], pyo.Constraint(expr=body == 0 if equal else body <= 0))
    return objective, rows
