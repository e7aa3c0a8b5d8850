"""The lower bounding problem: everybody's rows, first-order conditions of the followers, and cuts of answers that were seen.

A cut says of an answer ``a`` of a follower, for all decisions x of the others::

    f(x, y) <= f(x, a) + epsilon      or      a is not feasible for x

which every solution of the hierarchical problem fulfils. That ``a`` is infeasible is stated by one row of the follower's being
violated or tight (a closed set); rows that hold for all x within their bounds cannot be, and drop out. Where a row is tight at
the very x for which ``a`` is the answer, the second part holds there and the cut says nothing: :meth:`Relaxation.strict` then
asks for more, at the price that nothing is proven by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.visitor import identify_variables, replace_expressions

from bilevel_lang.oracle.traits import Traits
from bilevel_lang.oracle.value_range import value_range
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.reformulation.problem_clone import clone
from bilevel_lang.reformulation.rewrite import free_name
from bilevel_lang.reformulation.value_function.nonconvex.fritz_john import add_fritz_john, finish_block, prepare_block
from bilevel_lang.reformulation.value_function.nonconvex.scales import Scale

LARGEST_M = 1e4
"""A proven constant up to which an alternative of a cut is switched off by it; above, by a product with its binary."""

MARGIN = 1e-5
"""By how much a row has to be violated in :meth:`Relaxation.strict`, relative to max(1, |side|)."""


class Relaxation:
    """A clone of the problem's model, with the block ``value_function``; cuts are added while the search runs."""

    def __init__(self, problem: BilevelProblem, traits: Sequence[Traits], scales: Sequence[Scale]) -> None:
        self.twin = clone(problem)
        self.model = self.twin.model
        self.agents = self.twin.agents
        self.scales = scales
        self.cuts = 0
        for objective in list(self.model.component_data_objects(pyo.Objective, active=True)):
            if objective is not self.twin.leader_objective:
                objective.deactivate()
        self.block = pyo.Block()
        self.model.add_component(free_name(self.model, "value_function"), self.block)
        self._prepare(traits)
        self.links = self._links(problem, traits)

    def _prepare(self, traits: Sequence[Traits]) -> None:
        self.block.margin = pyo.Param(mutable=True, initialize=0.0)
        self.block.cut = pyo.Constraint(pyo.Any)
        self.block.alternative = pyo.Constraint(pyo.Any)
        self.block.chosen = pyo.Var(pyo.Any, dense=False, domain=pyo.Binary)
        prepare_block(self.block)
        pairs: dict[str, tuple[Any, Any]] = {}
        for agent, found, scale in zip(self.agents, traits, self.scales, strict=True):
            if found.smooth:
                pairs.update(add_fritz_john(self.block, agent, scale.factor))
        finish_block(self.block, pairs)

    def _links(self, problem: BilevelProblem, traits: Sequence[Traits]) -> ComponentSet:
        """The twins of the leader's variables that move a follower's problem."""
        owned = ComponentSet(v for agent in problem.agents for v in agent.variables)
        return ComponentSet(self.twin.variables[v] for t in traits for v in t.links.variables if v not in owned)

    def add_cut(self, number: int, answer: ComponentMap) -> None:
        """Cut with the ``answer`` of agent ``number``: values of the modeller's variables that it owns.

        The answer has to be feasible in the rows that hold none of the others' variables.
        """
        agent = self.agents[number]
        self.cuts += 1
        name = f"{agent.name}.{self.cuts}"
        values = {id(self.twin.variables[v]): float(value) for v, value in answer.items()}
        worse = self.worse(number, values)
        blocking = [(part, row) for part, row in self._blocking(agent, values) if value_range(row)[0] < 0]
        if not blocking:
            self.block.cut[name] = worse <= 0
            return
        chosen = []
        with self.strict():  # constants that hold with the margin hold without
            for part, row in [("better", worse), *blocking]:
                binary = self.block.chosen[f"{name}.{part}"]
                chosen.append(binary)
                self.block.alternative[f"{name}.{part}"] = _switched(row, binary) <= 0
        self.block.cut[name] = sum(chosen) >= 1

    def worse(self, number: int, values: dict[int, float], level: float | None = None) -> Any:
        """What is at most 0 where the agent does as well as with its variables (by id) at ``values``, or at ``level``."""
        agent, scale = self.agents[number], self.scales[number]
        assert agent.objective is not None
        own = agent.objective.expression
        other = at(own, values) if level is None else level
        return scale.sharp * (agent.sign * (own - other)) - scale.sharp * scale.epsilon

    def _blocking(self, agent: Agent, values: dict[int, float]) -> Iterator[tuple[str, Any]]:
        """What is at most 0 where a row is violated or tight at the answer, for each row that holds others' variables."""
        for row in agent.rows:
            body = at(row.body, values)
            if body.__class__ in (int, float) or next(identify_variables(body, include_fixed=False), None) is None:
                continue
            if row.lower is not None:
                yield f"{row.name}.lower", body - row.lower + self.block.margin * max(1.0, abs(row.lower))
            if row.upper is not None:
                yield f"{row.name}.upper", row.upper - body + self.block.margin * max(1.0, abs(row.upper))

    @contextmanager
    def fixed(self, values: ComponentMap) -> Iterator[None]:
        """The linking variables at ``values`` (of the twins) for a while."""
        mine = [v for v in self.links if not v.fixed]
        try:
            for variable in mine:
                value = float(values.get(variable, variable.value))
                variable.fix(value if variable.is_continuous() else round(value), skip_validation=True)
            yield
        finally:
            for variable in mine:
                variable.unfix()

    @contextmanager
    def level(self, number: int, value: float) -> Iterator[None]:
        """The objective of agent ``number`` no worse than ``value`` (own sense) for a while."""
        self.block.level = pyo.Constraint(expr=self.worse(number, {}, value) <= 0)
        try:
            yield
        finally:
            self.block.del_component("level")

    @contextmanager
    def strict(self) -> Iterator[None]:
        """Answers count as infeasible only where a row is violated by :data:`MARGIN`, for a while: no relaxation any more."""
        self.block.margin = MARGIN
        try:
            yield
        finally:
            self.block.margin = 0.0

    @contextmanager
    def boxed(self, size: float) -> Iterator[None]:
        """Every variable within ``[-size, size]``, for a while: no relaxation any more."""
        moved = [(v, v.lower, v.upper) for v in self.twin.variables.values() if not v.fixed and (v.lb is None or v.ub is None)]
        try:
            for variable, lower, upper in moved:
                variable.setlb(-size if lower is None else lower)
                variable.setub(size if upper is None else upper)
            yield
        finally:
            for variable, lower, upper in moved:
                variable.setlb(lower)
                variable.setub(upper)


def at(expression: Any, values: dict[int, float]) -> Any:
    """``expression`` with the variables of these ids at values; a number where none is left."""
    if expression.__class__ in (int, float):
        return expression
    if id(expression) in values:
        return values[id(expression)]
    found = replace_expressions(expression, values) if expression.is_expression_type() else expression
    return found if found.__class__ in (int, float) or found.is_potentially_variable() else float(pyo.value(found))


def _switched(expression: Any, binary: Any) -> Any:
    """What is ``expression`` where ``binary`` is 1, and at most 0 where it is 0."""
    most = value_range(expression)[1]
    if math.isfinite(most) and most <= LARGEST_M:
        return expression - max(most, 0.0) * (1 - binary)
    return expression * binary
