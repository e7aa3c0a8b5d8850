"""An agent's own LP or MILP as arrays, everybody else at a point: what large agents are examined with.

The same problem as :func:`bilevel_lang.oracle.agent_model.response_model` states as a Pyomo model, read off the modeller's own
expressions in one pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.common.collections import ComponentMap

from bilevel_lang.components.bounds import bounds_of
from bilevel_lang.components.plain_sums import plain_terms
from bilevel_lang.oracle.agent_model import value_of, violation_of
from bilevel_lang.problem import Agent, Row
from bilevel_lang.solvers.matrix import MatrixProgram


@dataclass(frozen=True, eq=False)
class LinearAgent:
    """``program``: a column for each of ``variables``, which the agent decides, a row for each of its rows that holds one.

    ``constant_violation`` is that of the other rows.
    """

    program: MatrixProgram
    variables: tuple[Any, ...]
    constant_violation: float


def linear_agent(agent: Agent, values: ComponentMap, relax: float = 0.0, factor: float = 1.0) -> LinearAgent | None:
    """The problem of an agent; None where its objective or a row is no plain sum, or a variable neither real nor integer.

    The objective is multiplied by ``factor`` > 0, sides are moved outwards by ``relax * max(1, |side|)``. Raises ValueError where
    a variable of somebody else has no value.
    """
    assert agent.objective is not None, "a vi has no objective"
    if not all(v.is_continuous() or v.is_integer() or v.is_binary() for v in agent.variables):
        return None
    reader = _Reader(agent, values)
    cost = reader.objective(agent.objective.expression)
    if cost is None:
        return None
    for row in agent.rows:
        if not reader.row(row, relax):
            return None
    return LinearAgent(reader.program(factor * cost[0], factor * cost[1], agent.sign), tuple(reader.variables), reader.violation)


class _Reader:
    def __init__(self, agent: Agent, values: ComponentMap) -> None:
        self.values = values
        bounds = [(v, bounds_of(v)) for v in agent.variables]
        kept = [(v, lower, upper) for v, (lower, upper) in bounds if lower is None or lower != upper]
        self.variables = [v for v, _, _ in kept]
        self.lower = [-math.inf if lower is None else lower for _, lower, _ in kept]
        self.upper = [math.inf if upper is None else upper for _, _, upper in kept]
        self.place = {id(v): k for k, v in enumerate(self.variables)}
        self.others: dict[int, float] = {}
        self.columns: list[int] = []
        self.data: list[float] = []
        self.starts = [0]
        self.sides: list[tuple[float, float]] = []
        self.violation = 0.0

    def objective(self, expression: Any) -> tuple[float, np.ndarray[Any, Any]] | None:
        """(constant, cost of each column)."""
        plain = _terms(expression)
        if plain is None:
            return None
        constant, cost = plain[0], np.zeros(len(self.variables))
        for factor, variable in plain[1]:
            column = self.place.get(id(variable))
            if column is None:
                constant += factor * self._other(variable)
            else:
                cost[column] += factor
        return constant, cost

    def row(self, row: Row, relax: float) -> bool:
        """Enter one row, or what it is violated by where it holds none of the columns; False for what is no plain sum."""
        plain = _terms(row.body)
        if plain is None:
            return False
        constant, terms = plain
        for factor, variable in terms:
            column = self.place.get(id(variable))
            if column is None:
                constant += factor * self._other(variable)
            else:
                self.columns.append(column)
                self.data.append(factor)
        if len(self.columns) == self.starts[-1]:
            self.violation = max(self.violation, violation_of(constant, row.lower, row.upper))
            return True
        self.starts.append(len(self.columns))
        lower, upper = _moved(row.lower, -relax), _moved(row.upper, relax)
        self.sides.append((-math.inf if lower is None else lower - constant, math.inf if upper is None else upper - constant))
        return True

    def _other(self, variable: Any) -> float:
        found = self.others.get(id(variable))
        if found is None:
            found = self.others[id(variable)] = value_of(variable, self.values)
        return found

    def program(self, constant: float, cost: np.ndarray[Any, Any], sense: int) -> MatrixProgram:
        n, sides = len(self.variables), np.array(self.sides, dtype=float).reshape(-1, 2)
        shape = (len(self.sides), n)
        matrix = sp.csr_matrix((np.array(self.data, dtype=float), self.columns, self.starts), shape=shape)
        matrix.sum_duplicates()
        return MatrixProgram(
            lower=np.array(self.lower, dtype=float),
            upper=np.array(self.upper, dtype=float),
            integer=np.array([not v.is_continuous() for v in self.variables], dtype=bool),
            cost=cost,
            matrix=matrix,
            row_lower=sides[:, 0],
            row_upper=sides[:, 1],
            constant=constant,
            sense=sense,
        )


def _terms(expression: Any) -> tuple[float, list[tuple[float, Any]]] | None:
    return (float(expression), []) if expression.__class__ in (int, float) else plain_terms(expression)


def _moved(side: float | None, by: float) -> float | None:
    return None if side is None else side + by * max(1.0, abs(side))
