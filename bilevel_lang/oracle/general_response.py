"""Labels of followers that arrays cannot hold: a small model of its own, solved sample by sample as verification does it.

Ipopt for convex nonlinear followers, SCIP for the others; a hundred to a thousand times slower than the way of
:mod:`bilevel_lang.oracle.hot_response`, and without gradients.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.agent_model import expression_at
from bilevel_lang.oracle.compilation import space_of
from bilevel_lang.oracle.leader_objective import leader_objective
from bilevel_lang.oracle.response import Response, best_response
from bilevel_lang.oracle.traits import Traits, is_pinned, traits_of
from bilevel_lang.problem import Agent, AgentObjective, BilevelProblem, Row
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.dataset import DataSet, Outcome
from bilevel_lang.surrogate.sampling.space import InputSpace


@dataclass(frozen=True, eq=False)
class GeneralAgent:
    """``agent`` over twins in a ``model`` of their own; ``inputs`` are the twins of what it does not own. Picklable.

    ``leader`` is the leader's objective in the twins, None where it needs other variables.
    """

    model: Any
    agent: Agent
    inputs: tuple[Any, ...]
    space: InputSpace
    response_names: tuple[str, ...]
    leader: Any = None

    def fingerprint(self) -> str:
        """SHA-256 of names, domains, bounds and expressions, in hexadecimal."""
        assert self.agent.objective is not None
        space, own = self.space, space_of(self.agent.variables)
        parts: list[object] = [self.agent.kind, space.names, self.response_names, self.agent.objective.expression, self.leader]
        parts += [a.tolist() for s in (space, own) for a in (s.lower, s.upper, s.integer)]
        parts += [(row.name, row.lower, row.upper, str(row.body)) for row in self.agent.rows]
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def general_agent(problem: BilevelProblem, agent: Agent, inputs: Sequence[Any]) -> GeneralAgent:
    """The agent as a model of its own, in terms of ``inputs``, variables that it does not own.

    Raises RefusedError where it depends on more than these.
    """
    assert agent.objective is not None, "a vi has no value"
    model = pyo.ConcreteModel()
    model.x, model.y = pyo.VarList(), pyo.VarList()
    owned = tuple(v for v in agent.variables if not v.fixed)
    twins = ComponentMap((v, _twin(model.x, v)) for v in inputs)
    twins.update((v, _twin(model.y, v)) for v in owned)
    # A variable that its bounds fix is a number, whatever value it happens to have.
    everything = [agent.objective.expression, *(row.body for row in agent.rows)]
    met = [v for e in everything if e.__class__ not in (int, float) for v in identify_variables(e, include_fixed=False)]
    outside = next((v for v in met if v not in twins and not is_pinned(v)), None)
    if outside is not None:
        said = f"{agent.name} depends on `{outside.name}`, which is neither its own nor an input"
        raise RefusedError(said, "sample it in terms of that variable, too")
    values: ComponentMap = ComponentMap((v, v.lb) for v in met if is_pinned(v))
    rows = tuple(Row(r.name, expression_at(r.body, values, twins), r.lower, r.upper, None) for r in agent.rows)
    goal = AgentObjective(agent.objective.name, expression_at(agent.objective.expression, values, twins))
    found = leader_objective(problem)
    leader = None
    if found is not None and all(v in twins for v in identify_variables(found.expression, include_fixed=False)):
        leader = expression_at(found.expression, values, twins)
    own = Agent(agent.name, agent.kind, tuple(twins[v] for v in owned), rows, goal)
    return GeneralAgent(model, own, tuple(twins[v] for v in inputs), space_of(inputs), tuple(v.name for v in owned), leader)


def _twin(twins: Any, variable: Any) -> Any:
    twin = twins.add()
    twin.domain = variable.domain
    twin.setlb(variable.lb)
    twin.setub(variable.ub)
    low, up = variable.bounds
    middle = 0.5 * (low + up) if low is not None and up is not None else low if low is not None else up
    twin.set_value(variable.value if variable.value is not None else middle or 0.0, skip_validation=True)
    return twin


@dataclass(eq=False)
class GeneralResponse:
    """Labels ``agent``; ``options.time_limit`` is for each sample. A value without proof has the outcome LIMIT."""

    agent: GeneralAgent
    options: SolverOptions = field(default_factory=SolverOptions)
    again: int = 0

    def __post_init__(self) -> None:
        self._traits: Traits = traits_of(self.agent.agent)
        self._start = [float(v.value) for v in self.agent.agent.variables]

    def __call__(self, points: Floats) -> DataSet:
        """:meth:`labels`."""
        return self.labels(points)

    def labels(self, points: Floats) -> DataSet:
        """The samples at ``points`` (k, n). Raises SolverMissingError where the solver that they need is not there."""
        agent = self.agent
        points = np.ascontiguousarray(points, dtype=float)
        k, m = len(points), len(agent.response_names)
        values, leader, responses = np.full(k, np.nan), np.full(k, np.nan), np.full((k, m), np.nan)
        outcomes = np.zeros(k, dtype=np.int8)
        for i, point in enumerate(points):
            response = self._respond(point)
            outcomes[i] = _outcome(response)
            if outcomes[i] in (Outcome.OPTIMAL, Outcome.LIMIT) and response.value is not None:
                values[i] = response.value
                # What its bounds fix is no decision, and no answer of a solver.
                responses[i] = [response.values.get(v, v.lb) for v in agent.agent.variables]
                leader[i] = self._leader_at(point, responses[i])
        return DataSet(
            inputs=points,
            feasible=np.isfinite(values),
            values=values,
            responses=responses,
            leader=leader if agent.leader is not None else None,
            input_names=agent.space.names,
            response_names=agent.response_names,
            outcomes=outcomes,
        )

    def _respond(self, point: Floats) -> Response:
        agent = self.agent.agent
        for variable, start in zip(agent.variables, self._start, strict=True):
            variable.set_value(start, skip_validation=True)
        at = ComponentMap(zip(self.agent.inputs, map(float, point), strict=True))
        at.update(zip(agent.variables, self._start, strict=True))
        return best_response(agent, at, self.options, self._traits)

    def _leader_at(self, point: Floats, response: Floats) -> float:
        if self.agent.leader is None:
            return float("nan")
        for variable, number in zip((*self.agent.inputs, *self.agent.agent.variables), (*point, *response), strict=True):
            variable.set_value(float(number), skip_validation=True)
        return float(pyo.value(self.agent.leader))


def _outcome(response: Response) -> Outcome:
    """Rows that only hold when they are moved outwards count as violated, as they do for the arrays."""
    if response.relaxed or (not response.feasible and response.proven):
        return Outcome.INFEASIBLE
    if not response.bounded:
        return Outcome.UNBOUNDED if response.proven else Outcome.FAILED
    if not response.feasible or response.value is None or not np.isfinite(response.value):
        return Outcome.FAILED
    return Outcome.OPTIMAL if response.proven else Outcome.LIMIT
