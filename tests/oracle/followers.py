"""Random followers with a leader, as Pyomo models, for tests of what samples them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

import bilevel_lang
from bilevel_lang.oracle.compilation import compile_agent
from bilevel_lang.oracle.parametric import ParametricAgent
from bilevel_lang.problem import Agent, BilevelProblem


@dataclass(frozen=True, eq=False)
class Sampled:
    """A model, its follower, and the follower as arrays."""

    model: Any
    problem: BilevelProblem
    agent: Agent
    arrays: ParametricAgent


def sampled(model: Any, text: str) -> Sampled:
    problem = bilevel_lang.resolve(model, text)
    arrays = compile_agent(problem, problem.agents[0])
    assert isinstance(arrays, ParametricAgent), arrays
    return Sampled(model, problem, problem.agents[0], arrays)


def random_follower(
    seed: int,
    *,
    sides: bool = True,
    costs: bool = False,
    matrix: bool = False,
    whole: int = 0,
    curved: bool = False,
    top: bool = False,
) -> Sampled:
    """3 inputs, 5 responses, 4 rows and 2 rows of one variable. ``whole``: integer responses; ``top``: the follower maximises."""
    draw = np.random.default_rng(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1, 2], bounds=(0, 2))
    m.y = pyo.Var(range(5), bounds=(0, 6), initialize=1)
    for j in range(whole):
        m.y[j].domain = pyo.Integers
    weights, links = draw.normal(size=(4, 5)), draw.normal(size=(4, 3)) * sides
    point = draw.uniform(1, 3, size=5)
    room = draw.uniform(0.5, 3, size=4) + (links @ np.ones(3)).clip(min=0)

    def row(m: Any, i: int) -> Any:
        body = sum(weights[i, j] * m.y[j] for j in range(5)) + sum(links[i, k] * m.x[k] for k in range(3) if sides)
        if matrix:
            body += 0.3 * m.x[i % 3] * m.y[i] - 0.2 * m.x[0] * m.y[i]
        side = float(weights[i] @ point + room[i])
        return body >= side - 6 if i == 3 else body <= side

    m.rows = pyo.Constraint(range(4), rule=row)
    m.single = pyo.Constraint(expr=-2 * m.y[0] >= -4 - m.x[0] if sides else -2 * m.y[0] >= -9)
    m.other = pyo.Constraint(expr=m.y[1] >= 0.25 * m.x[1] if sides else m.y[1] >= 0.25)
    c = draw.normal(size=5) - 0.3
    cost = sum(float(c[j]) * m.y[j] for j in range(5)) + 2 * m.x[0] - m.x[1] + 4
    if costs:
        cost += m.x[0] * m.y[0] - 0.5 * m.x[1] * m.y[2] + 0.7 * m.x[2] * m.y[4]
    if curved:
        cost += sum(0.5 * m.y[j] ** 2 for j in range(4)) + m.y[0] * m.y[1] * 0.3
    m.cost = pyo.Expression(expr=-cost if top else cost)
    m.leader = pyo.Objective(expr=m.x[0] + m.y[0] * m.x[1] - m.y[4])
    return sampled(m, f"bilevel x\n{'max' if top else 'min'} cost y rows single other")


def points_of(follower: Sampled, count: int, seed: int = 0) -> np.ndarray:
    space = follower.arrays.inputs
    return space.from_unit(np.random.default_rng(seed).random((count, len(space))))
