"""An agent replaced by its optimality conditions (KKT), as ``pyomo.mpec`` complementarities.

Formulation (the signs are those of ``docs/signs.md``; a ``max`` agent enters with -f, a VI with F in the place of grad f)::

    grad_y f - sum lambda_i grad_y g_i - z_lower + z_upper = 0
    0 <= g_i - lower_i  _|_  lambda_i >= 0,    0 <= upper_i - g_i  _|_  -lambda_i >= 0,    lambda_i free on equalities
    0 <= y - lo  _|_  z_lower >= 0,            0 <= up - y  _|_  z_upper >= 0

Names tell the origin: ``kkt.stationarity[y1]``, ``kkt.multiplier[e1]`` (``[e1.lower]`` and ``[e1.upper]`` for a range),
``kkt.bound_multiplier[y1.lower]``, ``kkt.complementarity[e1]``.

Reference: Dempe and Zemkoho (eds), Bilevel Optimization (2020), chapters 2 and 20; Luo, Pang and Ralph, MPEC (1996).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.mpec import Complementarity, complements

from bilevel_lang.oracle.gradient import Gradient
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent, BilevelProblem, DualMap, Row
from bilevel_lang.reformulation.rewrite import free_name

Terms = tuple[tuple[float, Any], ...]


@dataclass(frozen=True, eq=False)
class Twin:
    """The clone and what the records of the problem became in it."""

    model: Any
    agents: tuple[Agent, ...]
    dual_maps: tuple[DualMap, ...]
    consumed: tuple[Any, ...]
    leader_objective: Any
    variables: ComponentMap
    """Variable of the modeller's model -> its twin."""


def clone(problem: BilevelProblem) -> Twin:
    """Clone the model and carry the problem's references over to the clone."""
    memo: dict[int, Any] = {}
    model = problem.model.clone(memo)
    originals = list(problem.model.component_data_objects(pyo.Var))
    carried = (problem.agents, problem.dual_maps, problem.consumed, problem.leader.objective, originals)
    agents, maps, consumed, objective, twins = copy.deepcopy(carried, memo)
    return Twin(model, agents, maps, consumed, objective, ComponentMap(zip(originals, twins, strict=True)))


def own_model(problem: BilevelProblem) -> Twin:
    """The modeller's own model in the place of a clone: what is built on it is built in place."""
    originals = list(problem.model.component_data_objects(pyo.Var))
    same = ComponentMap(zip(originals, originals, strict=True))
    return Twin(problem.model, problem.agents, problem.dual_maps, problem.consumed, problem.leader.objective, same)


@dataclass(frozen=True, eq=False)
class BuiltMpec:
    """The finished MPEC: the clone with its ``kkt`` block, and where each reported multiplier is."""

    twin: Twin
    block: Any
    multipliers: tuple[tuple[str, Terms, int, int], ...]
    """(name, terms, agent number, row number) for rows."""


def build_mpec(problem: BilevelProblem, twin: Twin | None = None) -> BuiltMpec:
    """Rewrite a clone of the problem's model as an MPEC, or ``twin``: a clone made elsewhere, or the model itself."""
    twin = twin or clone(problem)
    for objective in list(twin.model.component_data_objects(pyo.Objective, active=True)):
        if objective is not twin.leader_objective:
            objective.deactivate()
    for row in twin.consumed:
        row.deactivate()
    name = free_name(twin.model, "kkt")
    block = pyo.Block()
    twin.model.add_component(name, block)
    reported: list[tuple[str, Terms, int, int]] = []
    for number, agent in enumerate(twin.agents):
        duals = {id(m.row): m for m in twin.dual_maps if m.agent is agent}
        _AgentConditions(agent, duals, block, number, reported).add()
    return BuiltMpec(twin, block, tuple(reported))


class _AgentConditions:
    """Adds one agent's conditions to the ``kkt`` block, component by component."""

    def __init__(
        self, agent: Agent, duals: dict[int, DualMap], block: Any, number: int, reported: list[tuple[str, Terms, int, int]]
    ) -> None:
        self.agent = agent
        self.duals = duals
        self.number = number
        self.reported = reported
        self.owned = [v for v in agent.variables if not is_pinned(v)]
        self.gradient = Gradient(self.owned)
        for name, ctype in _PARTS:
            if block.component(name) is None:
                block.add_component(name, ctype())
        self.block = block

    def add(self) -> None:
        """Stationarity of every owned variable, complementarity of every row and bound."""
        self._objective()
        for position, row in enumerate(self.agent.rows):
            self._row(row, position)
        for variable in self.owned:
            self._bounds(variable)
        for variable in self.owned:
            expression = self.gradient.sum(variable)
            if expression.__class__ in (int, float) or not expression.is_potentially_variable():
                # The objective pulls the same way everywhere: 0 = 0, or else there is no stationary point at all.
                value = float(pyo.value(expression))
                if value == 0:
                    continue
                expression = value + 0 * variable
            self.block.stationarity[variable.name] = expression == 0

    def _objective(self) -> None:
        agent = self.agent
        if agent.objective is not None:
            self.gradient.add(agent.objective.expression, agent.sign)
        for function in agent.functions:
            if function.expression is not None and not is_pinned(function.variable):
                self.gradient.add_term(function.variable, function.expression)

    def _row(self, row: Row, position: int) -> None:
        derivatives = self.gradient.derivatives(row.body)
        dual = self.duals.get(id(row))
        if not derivatives and dual is None:
            return  # the row holds others' variables alone: it is a constraint, and its multiplier means nothing
        terms = self._multiplier(row, dual)
        internal = sum(factor * variable for factor, variable in terms)
        for variable, derivative in derivatives:
            self.gradient.add_term(variable, -internal * derivative)
        sign = self.agent.sign
        self.reported.append((row.name, tuple((sign * f, v) for f, v in terms), self.number, position))

    def _multiplier(self, row: Row, dual: DualMap | None) -> Terms:
        """The multiplier of the agent's ``min`` problem as a sum of (factor, variable), with its complementarity."""
        if row.lower is not None and row.upper is not None and not row.is_equality:
            return self._range(row, dual)
        if dual is None:
            variable = self._new_multiplier(row.name, row)
            factor = 1.0
        else:
            variable, factor = dual.variable, float(dual.factor * self.agent.sign)
        if not row.is_equality:
            if row.lower is not None:
                self._pair(row.name, row.body - row.lower, factor * variable)
            else:
                self._pair(row.name, row.upper - row.body, -factor * variable)
            self._replace_row(row)
        return ((factor, variable),)

    def _range(self, row: Row, dual: DualMap | None) -> Terms:
        multiplier = self.block.multiplier
        lower, upper = f"{row.name}.lower", f"{row.name}.upper"
        multiplier[lower].setlb(0)
        multiplier[upper].setub(0)
        self._pair(lower, row.body - row.lower, multiplier[lower])
        self._pair(upper, row.upper - row.body, -multiplier[upper])
        self._replace_row(row)
        terms = ((1.0, multiplier[lower]), (1.0, multiplier[upper]))
        if dual is not None:
            factor = dual.factor * self.agent.sign
            self.block.dual_link[row.name] = dual.variable == factor * (multiplier[lower] + multiplier[upper])
        return terms

    def _new_multiplier(self, name: str, row: Row) -> Any:
        variable = self.block.multiplier[name]
        if not row.is_equality:
            variable.setlb(0 if row.lower is not None else None)
            variable.setub(0 if row.lower is None else None)
        return variable

    def _bounds(self, variable: Any) -> None:
        for side, bound, sign in (("lower", variable.lb, 1), ("upper", variable.ub, -1)):
            if bound is None:
                continue
            name = f"{variable.name}.{side}"
            multiplier = self.block.bound_multiplier[name]
            multiplier.setlb(0)
            self._pair(name, sign * (variable - bound), multiplier)
            self.gradient.add_term(variable, -sign * multiplier)

    def _pair(self, name: str, left: Any, right: Any) -> None:
        self.block.complementarity[name] = complements(left >= 0, right >= 0)

    def _replace_row(self, row: Row) -> None:
        # The complementarity states the row's feasibility; the row itself would state it twice.
        if row.component.ctype is pyo.Constraint:
            row.component.deactivate()


def _multipliers() -> Any:
    return pyo.Var(pyo.Any, dense=False)


_PARTS: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("multiplier", _multipliers),
    ("bound_multiplier", _multipliers),
    ("stationarity", lambda: pyo.Constraint(pyo.Any)),
    ("dual_link", lambda: pyo.Constraint(pyo.Any)),
    ("complementarity", lambda: Complementarity(pyo.Any)),
)
