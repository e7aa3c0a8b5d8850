"""The program with the network as a Pyomo model: a clone of the modeller's with one more block.

The block ``nn_embed`` (or the next free name) holds ``network`` with the columns and rows of the embedding, ``slack``, the rows
that tie the follower to the network, and the ``objective``; :mod:`.program` has the formulas, and both forms must agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr import LinearExpression

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_embed.program import EmbeddedProgram
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem
from bilevel_lang.reformulation.problem_clone import clone
from bilevel_lang.reformulation.rewrite import free_name
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.embedding.pyomo_block import block_of, set_start


@dataclass(frozen=True, eq=False)
class SingleLevel:
    """``model`` and the twin in it of each of the modeller's variables."""

    model: Any
    variables: Mapping[Any, Any]


def single_level(
    problem: BilevelProblem, sampled: SampledProblem, embedded: EmbeddedProgram, start: Floats | None = None
) -> SingleLevel:
    """See the module. ``start`` (columns,): values for the variables, a MIP start."""
    read = sampled.read
    twin = clone(problem)
    columns = [twin.variables[v] for v in read.variables]
    objective = twin.leader_objective
    for other in list(twin.model.component_data_objects(pyo.Objective, active=True)):
        other.deactivate()
    block = pyo.Block(concrete=True)
    twin.model.add_component(free_name(twin.model, "nn_embed"), block)
    block.network = block_of(embedded.embedding, [columns[j] for j in sampled.inputs])
    output = block.network.output
    if embedded.target == "leader":
        sense = read.arrays.relaxation.sense if sampled.evaluated is None else sampled.evaluated.sense
        block.objective = pyo.Objective(expr=sense * output[0], sense=pyo.minimize if sense > 0 else pyo.maximize)
    else:
        block.slack = pyo.Var(range(embedded.slacks), domain=pyo.NonNegativeReals)
        _tie(block, sampled, embedded, columns)
        price = float(embedded.program.cost[embedded.columns])
        block.objective = _with_price(objective, price * pyo.quicksum(block.slack.values()))
    if start is not None:
        _start(block, sampled, embedded, columns, start)
    return SingleLevel(twin.model, twin.variables)


def _tie(block: Any, sampled: SampledProblem, embedded: EmbeddedProgram, columns: list[Any]) -> None:
    """``f(y) <= N(x) + s``, or ``y = N(x) + s+ - s-``."""
    source = sampled.read.arrays
    own, output = np.flatnonzero(source.follower), block.network.output
    if embedded.target == "value":
        costly = np.flatnonzero(source.follower_cost)
        costs = [float(c) for c in source.follower_cost[costly]]
        value = LinearExpression(linear_coefs=costs, linear_vars=[columns[j] for j in costly])
        block.value = pyo.Constraint(expr=value - output[0] - block.slack[0] <= 0.0)
        return
    k = len(own)
    block.response = pyo.Constraint(range(k), rule=lambda b, i: columns[own[i]] == output[i] + b.slack[i] - b.slack[k + i])


def _with_price(objective: Any, penalty: Any) -> Any:
    if objective is None:
        return pyo.Objective(expr=penalty)
    maximised = objective.sense == pyo.maximize
    return pyo.Objective(expr=objective.expr - penalty if maximised else objective.expr + penalty, sense=objective.sense)


def _start(block: Any, sampled: SampledProblem, embedded: EmbeddedProgram, columns: list[Any], point: Floats) -> None:
    for variable, value in zip(columns, point.tolist(), strict=True):
        if not variable.fixed:
            variable.set_value(value, skip_validation=True)
    set_start(block.network, embedded.embedding, point[sampled.inputs])
