"""From a resolved problem to the arrays of the value-function method."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pyomo.common.collections import ComponentSet
from pyomo.core.base import maximize
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.components.forms import Affine, Columns, NotQuadraticError, Stack
from bilevel_lang.components.kinds import unknown_components
from bilevel_lang.components.plain_sums import coefficients
from bilevel_lang.oracle.leader_objective import holds_any, leader_objective
from bilevel_lang.problem import Agent, BilevelProblem, Structure
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram, NotIntegerError, linked_rows
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import finite_side, is_integer
from bilevel_lang.solvers.program_reading import TRANSFORM
from bilevel_lang.statements import unknown_statement

CONTINUOUS = "the leader's columns in a follower's rows have to be integer: declare them so, or scale them to whole units"


@dataclass(frozen=True, eq=False)
class ReadProblem:
    """``arrays`` and the modeller's variables in the order of their columns."""

    problem: BilevelProblem
    arrays: BilevelProgram
    variables: tuple[Any, ...]


def read_problem(problem: BilevelProblem) -> ReadProblem | Refusal:
    """The arrays, or why the method does not take the problem.

    Raises ModelFileError where the model cannot be evaluated (a parameter without value, a NaN).
    """
    found = read_linear(problem)
    if isinstance(found, Refusal):
        return found
    try:
        linked_rows(found.arrays)
    except NotIntegerError as error:
        return Refusal(f"`{found.variables[error.column].name}` {error.reason}", CONTINUOUS)
    return found


def read_linear(problem: BilevelProblem) -> ReadProblem | Refusal:
    """The same whatever the linking columns are, continuous ones too. Raises ModelFileError as :func:`read_problem` does."""
    reason = _strange(problem) or _entangled(problem.agents)
    if reason is not None:
        return reason
    try:
        return _Reader(problem).read()
    except NotQuadraticError as error:
        return Refusal(f"{error} is not linear", "write it linearly; products with a binary variable can be linearised")


def why_not_sure(problem: BilevelProblem) -> Refusal | None:
    """What stands in the way of the pessimistic position, None where nothing does but what :func:`read_problem` says."""
    leader = leader_objective(problem)
    if leader is None:
        return Refusal("the pessimistic position is that of a leader with an objective", "drop `--position`")
    if any(agent.objective is None for agent in problem.agents):
        return Refusal("the pessimistic position is carried out for followers that optimise", "drop `--position`")
    if len(problem.agents) > 1 and (reason := _joint_row(problem)) is not None:
        # Each follower's worst answer is then checked by itself.
        return Refusal(reason, "drop `--position`, or make one follower of them that minimises the sum of their objectives")
    if leader.row is not None and holds_any(leader.expression, ComponentSet(v for a in problem.agents for v in a.variables)):
        said = f"row `{leader.row.name}` ties the leader's objective variable `{leader.variable.name}` to the follower's answer"
        return Refusal(said, f"for the pessimistic position, make what `{leader.variable.name}` stands for the objective itself")
    return None


def _joint_row(problem: BilevelProblem) -> str | None:
    """Which row of the leader holds variables of several followers, in words."""
    owner = {id(v): agent.name for agent in problem.agents for v in agent.variables}
    for row in (*problem.leader.rows, *problem.definitions):
        names = sorted({owner[id(v)] for v in identify_variables(row.body, include_fixed=False) if id(v) in owner})
        if len(names) > 1:
            return (
                f"row `{row.name}` of the leader holds variables of {names[0]} and {names[1]}: their worst answers count together"
            )
    return None


def _strange(problem: BilevelProblem) -> Refusal | None:
    """What of the problem the method knows nothing of."""
    if problem.structure is not Structure.BILEVEL:
        return Refusal(f"it is for a leader with followers, and this is {problem.structure.value}", "use `--method kkt`")
    used = unknown_statement(problem, "adjustequ")
    if used is not None:
        return Refusal(f"it has no meaning for `{used}`", f"use `--method kkt`, or do without `{used}`")
    unknown = unknown_components(problem.model)
    return None if unknown is None else Refusal(f"it does not take {unknown}", TRANSFORM)


def _entangled(agents: tuple[Agent, ...]) -> Refusal | None:
    """Several followers are one with the sum of their objectives, as long as none sees another's variables."""
    if len(agents) < 2:
        return None
    owner = {id(v): agent.name for agent in agents for v in agent.variables}
    for agent in agents:
        for variable in _variables(agent):
            if owner.get(id(variable), agent.name) != agent.name:
                reason = f"{agent.name} depends on `{variable.name}` of {owner[id(variable)]}: they play an equilibrium"
                return Refusal(reason, "followers may depend on the leader alone here; continuous ones go through `--method kkt`")
    return None


def _variables(agent: Agent) -> Iterator[Any]:
    expressions = [row.body for row in agent.rows]
    expressions += [agent.objective.expression] if agent.objective is not None else []
    seen = ComponentSet()
    for expression in expressions:
        plain = coefficients(expression)  # data may hold zeros, and 0 * y is no y
        seen.update(identify_variables(expression, include_fixed=False) if plain is None else (v for v, _ in plain))
    return iter(seen)


@dataclass(frozen=True, slots=True)
class _Sides:
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)

    def add(self, lower: float, upper: float) -> None:
        self.lower.append(lower)
        self.upper.append(upper)


class _Reader:
    """Numbers the variables as they are met; the rows of the followers come first."""

    def __init__(self, problem: BilevelProblem) -> None:
        self.problem = problem
        self.columns = Columns()
        self.stack = Stack()
        self.sides = _Sides()

    def read(self) -> ReadProblem:
        problem = self.problem
        for agent in problem.agents:
            self._agent_rows(agent)
        count = len(self.stack)
        for constraint in (*problem.leader.rows, *problem.definitions):
            self._row(constraint)
        goals = [(a, self._affine(a.objective.expression, f"the objective of {a.name}")) for a in problem.agents if a.objective]
        leader = problem.leader.objective
        own = Affine(0.0, [], []) if leader is None else self._affine(leader.expr, f"objective '{leader.name}'")
        for agent in problem.agents:
            for variable in agent.variables:
                if not variable.fixed:
                    self.columns.number(variable)
        return self._assembled(count, goals, own)

    def _affine(self, expression: Any, what: str) -> Affine:
        return self.columns.affine(expression, what)

    def _agent_rows(self, agent: Agent) -> None:
        for row in agent.rows:
            self.stack.add(self._affine(row.body, f"row `{row.name}`"))
            self.sides.add(finite_side(row.lower, -math.inf), finite_side(row.upper, math.inf))

    def _row(self, constraint: Any) -> None:
        self.stack.add(self._affine(constraint.body, f"constraint '{constraint.name}'"))
        self.sides.add(finite_side(constraint.lb, -math.inf), finite_side(constraint.ub, math.inf))

    def _assembled(self, follower_rows: int, goals: list[tuple[Agent, Affine]], own: Affine) -> ReadProblem:
        variables = self.columns.variables
        n, m = len(variables), len(self.stack)
        bounds = [v.bounds for v in variables]
        shift = self.stack.shifts()
        cost = np.zeros(n)
        np.add.at(cost, own.columns, own.coefficients)
        leader = self.problem.leader.objective
        relaxation = MatrixProgram(
            lower=np.array([finite_side(b[0], -math.inf) for b in bounds], dtype=float),
            upper=np.array([finite_side(b[1], math.inf) for b in bounds], dtype=float),
            integer=np.array([is_integer(v) for v in variables], dtype=bool),
            cost=cost,
            matrix=self.stack.matrix(n),
            row_lower=np.array(self.sides.lower, dtype=float) - shift,
            row_upper=np.array(self.sides.upper, dtype=float) - shift,
            constant=own.constant,
            sense=-1 if leader is not None and leader.sense == maximize else 1,
        )
        follower = np.zeros(n, dtype=bool)
        follower_cost = np.zeros(n)
        for agent, goal in goals:
            follower[[self.columns.number(v) for v in agent.variables if not v.fixed]] = True
            np.add.at(follower_cost, goal.columns, agent.sign * np.array(goal.coefficients))
        follower_cost[~follower] = 0.0
        arrays = BilevelProgram(relaxation, follower, np.arange(m) < follower_rows, follower_cost)
        return ReadProblem(self.problem, arrays, tuple(variables))
