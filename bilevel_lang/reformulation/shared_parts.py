"""Variables and rows that several agents have: what each of them calls its own multiplier, copy or sensitivity.

The three ways to carry out ``implicit z H`` (Kim and Ferris, Solving equilibrium problems using extended mathematical
programming, Math. Prog. Comp. 11 (2019), arXiv 1806.02255), all with the same solutions where H determines z:

* *switching*: one z and one row H, and for each agent its own multiplier of H;
* *replication*: besides, each agent after the first has its own copy of z and of H;
* *substitution*: no multiplier of H at all. With S = dz/dx from H_z S + H_x = 0 an agent's condition is L_x + S' L_z = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr.visitor import replace_expressions

from bilevel_lang.components.naming import Naming
from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.gradient import Gradient
from bilevel_lang.problem import BilevelProblem, Row

SINGULAR = 1e12
"""The condition number from which on a Jacobian counts as singular."""

Chain = dict[int, list[tuple[Any, Any]]]
"""id of a variable -> pairs (state variable, its derivative with respect to that variable)."""


@dataclass(eq=False)
class SharedParts:
    """Looked up by agent number and place in the problem's own records; components are those of the rewritten model."""

    problem: BilevelProblem
    variables: Mapping[Any, Any]
    """Variable of the problem's model -> its twin in the rewritten one."""
    block: Any
    way: str = "switching"
    assumed: list[str] = field(default_factory=list)
    """What was taken for granted on the way, in words."""
    common: dict[int, Any] = field(default_factory=dict)
    """id of a row with one multiplier for all -> the terms of that multiplier, once it is made."""

    def __post_init__(self) -> None:
        """Collect the twins of the state variables."""
        self._states = ComponentSet(self.variables[s.variable] for s in self.problem.state_variables)
        self._state_rows = {id(s.row) for s in self.problem.state_variables}
        self._taken = ComponentSet()
        self._naming = Naming()

    def is_state(self, variable: Any) -> bool:
        """Whether a variable of the rewritten model is a state variable."""
        return variable in self._states

    def original(self, agent: int, place: int) -> Row:
        """The problem's own record of a row."""
        return self.problem.agents[agent].rows[place]

    def determines(self, agent: int, place: int) -> bool:
        """Whether a row determines a state variable."""
        return id(self.original(agent, place).component) in self._state_rows

    def name(self, agent: int, place: int) -> str:
        """What the multiplier of a row is called in the rewritten model."""
        row = self.original(agent, place)
        return row.name if self.problem.has_common_multiplier(row) else self.reported_name(agent, place)

    def reported_name(self, agent: int, place: int) -> str:
        """What the multiplier of a row is called in the answer."""
        return self.problem.multiplier_name(self.problem.agents[agent], self.original(agent, place))

    def variable_name(self, agent: int, variable: Any) -> str:
        """What the conditions of an agent call one of its variables."""
        name = self._naming.name(variable)
        return f"{self.problem.agents[agent].name}.{name}" if self.is_state(variable) else name

    def variable_names(self, agent: int, variables: list[Any]) -> list[str]:
        """What the conditions of an agent call its variables."""
        if not self._states:
            return self._naming.names(variables)
        return [self.variable_name(agent, variable) for variable in variables]

    def copies(self, agent: int, owned: list[Any]) -> dict[int, Any]:
        """id of a state variable -> the agent's own copy, which takes its place in the agent's expressions (replication only)."""
        made: dict[int, Any] = {}
        if self.way != "replication":
            return made
        for variable in owned:
            if not self.is_state(variable):
                continue
            if variable not in self._taken:
                self._taken.add(variable)  # the first agent has the variable itself
                continue
            copy = self.block.state_copy[self.variable_name(agent, variable)]
            copy.setlb(variable.lb)
            copy.setub(variable.ub)
            copy.set_value(variable.value, skip_validation=True)
            made[id(variable)] = copy
        return made

    def chain(self, agent: int, states: list[Any], bodies: list[Any], decisions: list[Any]) -> Chain:
        """The derivatives of ``states``, determined by ``bodies`` = constants, with respect to ``decisions``.

        Numbers where the Jacobian of the bodies in the states is constant, else variables with the rows that determine them.
        Raises RefusedError where it is constant and singular.
        """
        gradient = Gradient([*states, *decisions])
        jacobian = [_row_of(gradient, body) for body in bodies]
        square = [[row.get(id(z), 0.0) for z in states] for row in jacobian]
        reached = [x for x in decisions if any(id(x) in row for row in jacobian)]
        if all(_is_number(entry) for row in square for entry in row):
            inverse = _inverse(np.array([[float(pyo.value(e)) for e in row] for row in square]), states)
            return {id(x): _by_numbers(inverse, [row.get(id(x), 0.0) for row in jacobian], states) for x in reached}
        names = ", ".join(f"`{z.name}`" for z in states[:4])
        self.assumed.append(
            f"the rows that determine {names} are taken to do so everywhere (substitution divides by their derivative): "
            "where they do not, solutions may be lost"
        )
        return {id(x): self._by_rows(agent, x, square, [row.get(id(x), 0.0) for row in jacobian], states) for x in reached}

    def _by_rows(self, agent: int, x: Any, square: list[list[Any]], right: list[Any], states: list[Any]) -> list[tuple[Any, Any]]:
        label = f"{self.problem.agents[agent].name}.{x.name}"
        unknown = [self.block.sensitivity[f"{label}.{z.name}"] for z in states]
        for k, (row, constant) in enumerate(zip(square, right, strict=True)):
            total = sum((e * s for e, s in zip(row, unknown, strict=True) if not _is_zero(e)), constant)
            self.block.sensitivity_row[f"{label}.{states[k].name}"] = total == 0
        return list(zip(states, unknown, strict=True))


def replaced(expression: Any, copies: dict[int, Any]) -> Any:
    """``expression`` with the agent's copies in the place of the state variables."""
    if not copies or not hasattr(expression, "is_expression_type"):
        return expression
    if id(expression) in copies:
        return copies[id(expression)]
    return replace_expressions(expression, copies) if expression.is_expression_type() else expression


def _row_of(gradient: Gradient, body: Any) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for variable, derivative in gradient.derivatives(body):
        found[id(variable)] = found[id(variable)] + derivative if id(variable) in found else derivative
    return found


def _is_number(entry: Any) -> bool:
    return not hasattr(entry, "is_potentially_variable") or not entry.is_potentially_variable()


def _is_zero(entry: Any) -> bool:
    return entry.__class__ in (int, float) and entry == 0


def _inverse(matrix: Any, states: list[Any]) -> Any:
    if np.linalg.matrix_rank(matrix) < len(matrix) or np.linalg.cond(matrix) > SINGULAR:
        names = ", ".join(f"`{z.name}`" for z in states[:4])
        said = f"the rows of `implicit` do not determine {names}: their derivatives in them are singular"
        raise RefusedError(said, "name a row that says what each state variable is")
    return np.linalg.inv(matrix)


def _by_numbers(inverse: Any, right: list[Any], states: list[Any]) -> list[tuple[Any, Any]]:
    """S = -inverse * right, the zeros left out."""
    found = []
    for z, weights in zip(states, inverse, strict=True):
        terms = [-float(w) * entry for w, entry in zip(weights, right, strict=True) if w != 0 and not _is_zero(entry)]
        if terms:
            found.append((z, sum(terms)))
    return found
