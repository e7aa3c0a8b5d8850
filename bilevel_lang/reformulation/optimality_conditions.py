"""An agent replaced by its optimality conditions (KKT), as ``pyomo.mpec`` complementarities.

Formulation (the signs are those of ``docs/signs.md``; a ``max`` agent enters with -f, a VI with F in the place of grad f)::

    grad_y f - sum lambda_i grad_y g_i - z_lower + z_upper = 0
    0 <= g_i - lower_i  _|_  lambda_i >= 0,    0 <= upper_i - g_i  _|_  -lambda_i >= 0,    lambda_i free on equalities
    0 <= y - lo  _|_  z_lower >= 0,            0 <= up - y  _|_  z_upper >= 0

Names tell the origin: ``kkt.stationarity[y1]``, ``kkt.multiplier[e1]`` (``[e1.lower]`` and ``[e1.upper]`` for a range),
``kkt.bound_multiplier[y1.lower]``, ``kkt.complementarity[e1]``. What an agent has of its own of something that others have as
well (:mod:`bilevel_lang.reformulation.shared_parts`) bears its name: ``kkt.multiplier[min cost.e1]``. The twin of a ``qvi`` is
held by ``kkt.link[x1]``.

Reference: Dempe and Zemkoho (eds), Bilevel Optimization (2020), chapters 2 and 20; Luo, Pang and Ralph, MPEC (1996).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.core.expr.numeric_expr import MonomialTermExpression
from pyomo.mpec import Complementarity

from bilevel_lang.components.bounds import bounds_of
from bilevel_lang.components.new_data import NewConditions, NewRows, NewVariables, at_least, at_most
from bilevel_lang.oracle.gradient import Gradient
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent, BilevelProblem, DualMap, Row
from bilevel_lang.reformulation.disjunctions import Stated, state
from bilevel_lang.reformulation.plain_rows import PlainRows, replace_row
from bilevel_lang.reformulation.problem_clone import Twin, clone
from bilevel_lang.reformulation.reported import Reported, Terms
from bilevel_lang.reformulation.rewrite import free_name
from bilevel_lang.reformulation.shared_parts import SharedParts, replaced
from bilevel_lang.reformulation.sides import below, row_relation, signed


@dataclass(frozen=True, eq=False)
class BuiltMpec:
    """The finished MPEC: the clone with its ``kkt`` block, and where each reported multiplier is."""

    twin: Twin
    block: Any
    reported: Reported
    """Where the multiplier of each row is."""
    assumed: tuple[str, ...] = ()
    """What was taken for granted, in words: where it is not so, solutions may be lost."""
    choices: Stated = field(default_factory=Stated)

    @property
    def multipliers(self) -> Iterator[tuple[str, Terms, int, int]]:
        """(name, terms, agent number, row number) for rows."""
        return self.reported.placed()


def build_mpec(problem: BilevelProblem, twin: Twin | None = None, implicit: str = "switching") -> BuiltMpec:
    """Rewrite a clone of the problem's model as an MPEC, or ``twin``: a clone made elsewhere, or the model itself.

    ``implicit`` is the way to carry out state variables: ``switching``, ``replication`` or ``substitution``.
    """
    with PauseGC():
        return _built(problem, twin or clone(problem), implicit)


def _built(problem: BilevelProblem, twin: Twin, implicit: str) -> BuiltMpec:
    for objective in list(twin.model.component_data_objects(pyo.Objective, active=True)):
        if objective is not twin.leader_objective:
            objective.deactivate()
    for row in twin.consumed:
        row.deactivate()
    name = free_name(twin.model, "kkt")
    block = pyo.Block()
    twin.model.add_component(name, block)
    parts = (*(_PARTS if problem.agents else ()), *(_SHARED_PARTS if problem.links or problem.state_variables else ()))
    for name, ctype in parts:
        block.add_component(name, ctype())
    for link in problem.links:
        block.link[link.twin.name] = twin.variables[link.variable] - twin.variables[link.twin] == 0
    shared = SharedParts(problem, twin.variables, block, implicit)
    reported = Reported(problem)
    for number, agent in enumerate(twin.agents):
        duals = {id(m.row): m for m in twin.dual_maps if m.agent is agent}
        _AgentConditions(agent, duals, shared, number, reported).add()
    choices = state(twin.model, twin.disjunctions)
    return BuiltMpec(twin, block, reported, tuple(shared.assumed), choices)


class _AgentConditions:
    """Adds one agent's conditions to the ``kkt`` block, component by component."""

    def __init__(
        self,
        agent: Agent,
        duals: dict[int, DualMap],
        shared: SharedParts,
        number: int,
        reported: Reported,
    ) -> None:
        self.agent = agent
        self.duals = duals
        self.number = number
        self.reported = reported
        self.shared = shared
        self.block = shared.block
        self.multipliers = NewVariables(self.block.multiplier)
        self.bound_multipliers = NewVariables(self.block.bound_multiplier)
        self.conditions = NewConditions(self.block.complementarity)
        listed = [v for v in agent.variables if not is_pinned(v)]
        self.copies = shared.copies(number, listed)
        self.names = shared.variable_names(number, listed)
        self.owned = [self.copies.get(id(v), v) for v in listed]
        self.eliminated = [v for v in self.owned if shared.way == "substitution" and shared.is_state(v)]
        self.gradient = Gradient(self.owned)

    def add(self) -> None:
        """Stationarity of every owned variable, complementarity of every row and bound."""
        self._objective()
        determining = self._rows()
        for variable, name in zip(self.owned, self.names, strict=True):
            self._bounds(variable, name)
        gone = {id(z) for z in self.eliminated}
        if self.eliminated:
            self._eliminate(determining, [v for v in self.owned if id(v) not in gone])
        self._stationarity(gone)

    def _rows(self) -> list[Any]:
        """Every row; returns the bodies of those that are eliminated with the state variables that they determine."""
        determining = []
        plain = PlainRows(self.gradient, self.multipliers, self.conditions)
        sign = float(self.agent.sign)
        is_plain = not (self.copies or self.eliminated or self.duals or self.shared.problem.shares_rows)
        for position, row in enumerate(self.agent.rows):
            if is_plain and (multiplier := plain.add(row)) is not None:
                self.reported.add(row.name, ((sign, multiplier),), self.number, position)
            elif self.eliminated and self.shared.determines(self.number, position):
                determining.append(row.body)
            else:
                self._row(row, position)
        return determining

    def _stationarity(self, gone: set[int]) -> None:
        """The gradient of the Lagrangian is 0, for every variable that is not ``gone``."""
        rows = NewRows(self.block.stationarity)
        for variable, name in zip(self.owned, self.names, strict=True):
            if id(variable) in gone:
                continue
            expression = self.gradient.sum(variable)
            if expression.__class__ in (int, float) or not expression.is_potentially_variable():
                # The objective pulls the same way everywhere: 0 = 0, or else there is no stationary point at all.
                value = float(pyo.value(expression))
                if value == 0:
                    continue
                expression = value + 0 * variable
            rows.add_equality(name, expression)

    def _eliminate(self, bodies: list[Any], decisions: list[Any]) -> None:
        """Add what the decisions change through the state variables to the rows of the decisions."""
        chain = self.shared.chain(self.number, self.eliminated, bodies, decisions)
        sums = {id(z): self.gradient.sum(z) for z in self.eliminated}
        for variable in decisions:
            for moved, derivative in chain.get(id(variable), ()):
                if sums[id(moved)].__class__ not in (int, float) or sums[id(moved)] != 0:
                    self.gradient.add_term(variable, derivative * sums[id(moved)])

    def _objective(self) -> None:
        agent = self.agent
        if agent.objective is not None:
            self.gradient.add(replaced(agent.objective.expression, self.copies), agent.sign)
        for function in agent.functions:
            if function.expression is not None and not is_pinned(function.variable):
                variable = self.copies.get(id(function.variable), function.variable)
                self.gradient.add_term(variable, replaced(function.expression, self.copies))

    def _row(self, row: Row, position: int) -> None:
        body = replaced(row.body, self.copies)
        if self.copies and self.shared.determines(self.number, position) and body is not row.body:
            self.block.state_row[self.shared.name(self.number, position)] = body == row.lower
        derivatives = self.gradient.derivatives(body)
        dual = self.duals.get(id(row))
        if not derivatives and dual is None:
            return  # the row holds others' variables alone: it is a constraint, and its multiplier means nothing
        terms = self._shared_multiplier(row, row if body is row.body else replace(row, body=body), dual, position)
        made: dict[Any, Any] = {}  # the same multiplier with the same factor is one object, wherever it stands
        for variable, derivative in derivatives:
            plain = derivative.__class__ in (int, float)
            key = (derivative, derivative.__class__) if plain else None
            term = made.get(key)
            if term is None:
                term = _times_multiplier(terms, derivative)
                if plain:
                    made[key] = term
            self.gradient.add_term(variable, term)
        sign = self.agent.sign
        name = self.shared.reported_name(self.number, position)
        self.reported.add(name, tuple((sign * f, v) for f, v in terms), self.number, position)

    def _shared_multiplier(self, row: Row, own: Row, dual: DualMap | None, position: int) -> Terms:
        """The multiplier of ``own``, the row as this agent has it: that of all its agents, or a new one."""
        original = self.shared.original(self.number, position)
        if not self.shared.problem.has_common_multiplier(original):
            return self._multiplier(own, dual, self.shared.name(self.number, position))
        key = id(original.component)
        if key not in self.shared.common:
            self.shared.common[key] = self._multiplier(own, dual, row.name)
        return self.shared.common[key]  # type: ignore[no-any-return]

    def _multiplier(self, row: Row, dual: DualMap | None, name: str) -> Terms:
        """The multiplier of the agent's ``min`` problem as a sum of (factor, variable), with its complementarity."""
        if row.lower is not None and row.upper is not None and not row.is_equality:
            return self._range(row, dual, name)
        if dual is None:
            variable = self._new_multiplier(name, row)
            factor = 1.0
        else:
            variable, factor = dual.variable, float(dual.factor * self.agent.sign)
        if not row.is_equality:
            right = signed(factor if row.lower is not None else -factor, variable)
            self.conditions.add(name, row_relation(row), right)
            replace_row(row)
        return ((factor, variable),)

    def _range(self, row: Row, dual: DualMap | None, row_name: str) -> Terms:
        lower, upper = f"{row_name}.lower", f"{row_name}.upper"
        at_lower = self.multipliers.add(lower, 0, None)
        at_upper = self.multipliers.add(upper, None, 0)
        self.conditions.add(lower, at_least(row.lower, row.body), at_lower)
        self.conditions.add(upper, below(row.body, row.upper), signed(-1, at_upper))
        replace_row(row)
        if dual is not None:
            factor = dual.factor * self.agent.sign
            self.block.dual_link[row_name] = dual.variable == factor * (at_lower + at_upper)
        return ((1.0, at_lower), (1.0, at_upper))

    def _new_multiplier(self, name: str, row: Row) -> Any:
        if row.is_equality:
            return self.multipliers.add(name)
        sides = (0, None) if row.lower is not None else (None, 0)
        return self.multipliers.add(name, *sides)

    def _bounds(self, variable: Any, own: str) -> None:
        lower, upper = bounds_of(variable)
        if lower is not None:
            name = f"{own}.lower"
            multiplier = self.bound_multipliers.add(name, 0)
            self.conditions.add(name, at_least(lower, variable) if lower else variable, multiplier)
            self.gradient.add_term(variable, MonomialTermExpression((-1, multiplier)))
        if upper is not None:
            name = f"{own}.upper"
            multiplier = self.bound_multipliers.add(name, 0)
            self.conditions.add(name, at_most(variable, upper), multiplier)
            self.gradient.add_term(variable, MonomialTermExpression((1, multiplier)))


def _times_multiplier(terms: Terms, derivative: Any) -> Any:
    """Minus the multiplier (a sum of (factor, variable)) times ``derivative``."""
    if len(terms) == 1 and derivative.__class__ in (int, float):
        factor, variable = terms[0]
        product = derivative if factor == 1 else -derivative if factor == -1 else factor * derivative  # 2 stays 2, and not 2.0
        return MonomialTermExpression((-product, variable))
    return -sum(factor * variable for factor, variable in terms) * derivative


def _multipliers() -> Any:
    return pyo.Var(pyo.Any, dense=False)


_PARTS: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("multiplier", _multipliers),
    ("bound_multiplier", _multipliers),
    ("stationarity", lambda: pyo.Constraint(pyo.Any)),
    ("dual_link", lambda: pyo.Constraint(pyo.Any)),
    ("complementarity", lambda: Complementarity(pyo.Any)),
)

_SHARED_PARTS: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("link", lambda: pyo.Constraint(pyo.Any)),
    ("state_copy", _multipliers),
    ("state_row", lambda: pyo.Constraint(pyo.Any)),
    ("sensitivity", _multipliers),
    ("sensitivity_row", lambda: pyo.Constraint(pyo.Any)),
)
