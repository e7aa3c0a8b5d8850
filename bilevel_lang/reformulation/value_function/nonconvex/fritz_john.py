"""An agent's first-order conditions in the form of Fritz John, which hold at every optimum of smooth functions.

KKT conditions need a constraint qualification, and their multipliers have no bounds. Here the objective has a multiplier too, and
all of them together are one::

    l_0 grad f - sum l_i grad g_i - sum m_j grad h_j - z_lower + z_upper = 0,     l_0 + sum l_i + sum |m_j| + sum z = 1
    0 <= l_i  _|_  slack of g_i >= 0,    0 <= z  _|_  distance to the bound >= 0,    l_0 >= 0,    m_j free

Nothing is assumed but derivatives, and every multiplier lies in [0, 1]: what a global solver needs. Integer variables count as
fixed: an optimum is optimal in the continuous ones as well.

A variable that only its bounds restrict fulfils a condition of second order, too: strictly between them the second derivative of
the objective is not negative. That excludes local maxima, which no cut does at once::

    d2f / dy2 >= -(s_lower + s_upper),     0 <= s_lower  _|_  y - lower >= 0,     0 <= s_upper  _|_  upper - y >= 0

Reference: Mangasarian and Fromovitz 1967, J. Math. Anal. Appl. 17:37.
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.oracle.gradient import Gradient
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.oracle.value_range import defined_everywhere
from bilevel_lang.problem import Agent


def prepare_block(block: Any) -> None:
    """The empty components that :func:`add_fritz_john` fills; :func:`finish_block` ends it."""
    block.multiplier = pyo.Var(pyo.Any, dense=False, bounds=(0, 1))
    block.slack = pyo.Var(pyo.Any, dense=False, domain=pyo.NonNegativeReals)
    block.slack_row = pyo.Constraint(pyo.Any)
    block.stationarity = pyo.Constraint(pyo.Any)
    block.weights = pyo.Constraint(pyo.Any)
    block.curvature = pyo.Constraint(pyo.Any)
    block.relief = pyo.Var(pyo.Any, dense=False, domain=pyo.NonNegativeReals)


def add_fritz_john(block: Any, agent: Agent, factor: float) -> dict[str, tuple[Any, Any]]:
    """Add the conditions of ``agent``, its objective times ``factor`` > 0; the pairs of which one side has to be zero.

    Raises RefusedError for a function that has no derivative by formula.
    """
    return _Conditions(block, agent, factor).add()


def finish_block(block: Any, pairs: dict[str, tuple[Any, Any]]) -> None:
    """State the pairs of all agents, as SOS1 sets."""
    block.sides = pyo.SOSConstraint(list(pairs), rule=lambda b, name: (list(pairs[name]), [1, 2]), sos=1)


class _Conditions:
    """One agent's conditions, component by component; names begin with the agent's."""

    def __init__(self, block: Any, agent: Agent, factor: float) -> None:
        self.block, self.agent = block, agent
        self.factor = factor * agent.sign
        self.owned = [v for v in agent.variables if not is_pinned(v) and v.is_continuous()]
        self.gradient = Gradient(self.owned)
        self.pairs: dict[str, tuple[Any, Any]] = {}
        self.weights: list[Any] = []

    def add(self) -> dict[str, tuple[Any, Any]]:
        """All of them; the pairs of which one side has to be zero."""
        assert self.agent.objective is not None
        own = self._multiplier("objective")
        for variable, derivative in self.gradient.derivatives(self.agent.objective.expression):
            self.gradient.add_term(variable, self.factor * derivative * own)
        for row in self.agent.rows:
            derivatives = self.gradient.derivatives(row.body)
            if not derivatives:
                continue
            if row.is_equality:
                self._equality(row.name, derivatives)
                continue
            if row.lower is not None:
                self._side(f"{row.name}.lower", row.body - row.lower, derivatives, 1.0)
            if row.upper is not None:
                self._side(f"{row.name}.upper", row.upper - row.body, derivatives, -1.0)
        for variable in self.owned:
            if variable.lb is not None:
                self._side(f"{variable.name}.lower", variable - variable.lb, [(variable, 1.0)], 1.0)
            if variable.ub is not None:
                self._side(f"{variable.name}.upper", variable.ub - variable, [(variable, 1.0)], -1.0)
        for variable in self.owned:
            slope = self.gradient.sum(variable)
            if hasattr(slope, "is_potentially_variable") and slope.is_potentially_variable():
                self.block.stationarity[self._name(variable.name)] = slope == 0
        self.block.weights[self.agent.name] = sum(self.weights) == 1
        in_rows = ComponentSet(v for row in self.agent.rows for v in identify_variables(row.body, include_fixed=False))
        for variable in self.owned:
            if variable not in in_rows:
                self._curvature(variable)
        return self.pairs

    def _curvature(self, variable: Any) -> None:
        """The condition of second order, where the second derivative exists for all values within the bounds."""
        assert self.agent.objective is not None
        alone = Gradient([variable])
        second: Any = 0
        for _, first in alone.derivatives(self.agent.objective.expression):
            if first.__class__ not in (int, float):
                second += sum(derivative for _, derivative in alone.derivatives(first))
        if second.__class__ in (int, float):
            if second * self.factor >= 0 or (variable.lb is None and variable.ub is None):
                return
        elif not defined_everywhere(second, ComponentSet(identify_variables(second, include_fixed=False))):
            return
        relief = 0
        for side, bound in (("lower", variable.lb), ("upper", variable.ub)):
            if bound is not None:
                name = self._name(f"{variable.name}.{side}")
                self.pairs[f"{name}.relief"] = (self.block.relief[name], self.block.slack[name])
                relief += self.block.relief[name]
        self.block.curvature[self._name(variable.name)] = self.factor * second + relief >= 0

    def _name(self, part: str) -> str:
        return f"{self.agent.name}.{part}"

    def _multiplier(self, part: str) -> Any:
        variable = self.block.multiplier[self._name(part)]
        self.weights.append(variable)
        return variable

    def _side(self, part: str, slack: Any, derivatives: list[tuple[Any, Any]], sign: float) -> None:
        """``slack >= 0`` with the gradient ``sign * derivatives``."""
        name = self._name(part)
        multiplier, distance = self._multiplier(part), self.block.slack[name]
        self.block.slack_row[name] = distance == slack
        self.pairs[name] = (multiplier, distance)
        for variable, derivative in derivatives:
            self.gradient.add_term(variable, -sign * derivative * multiplier)

    def _equality(self, part: str, derivatives: list[tuple[Any, Any]]) -> None:
        above, below = self._multiplier(f"{part}.positive"), self._multiplier(f"{part}.negative")
        self.pairs[self._name(part)] = (above, below)
        for variable, derivative in derivatives:
            self.gradient.add_term(variable, derivative * (below - above))
