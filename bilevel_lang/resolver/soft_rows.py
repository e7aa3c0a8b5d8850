"""``adjustequ``: hard rows that become soft, in a clone of the modeller's model.

A row ``lower <= body <= upper`` of an agent (or the leader) is replaced by one with slacks, and its owner's objective gets the
penalty: weight times the sum of the slacks (``abs``, ``maxz``) or of their squares (``sqr``), added for ``min``, subtracted for
``max``. The violation of an inequality is how far it is from holding, never how far it is from being tight.

Source: GAMS manual, solver JAMS, section "Soft Constraints"; Ferris, Dirkse, Jagla and Meeraus 2009, Comput. Chem. Eng. 33:1973.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet

from bilevel_lang.components.walking import variables_in
from bilevel_lang.errors import Span
from bilevel_lang.grammar.syntax import AdjustEqu, Adjustment, EmpInfo
from bilevel_lang.problem import Softening, SoftRow
from bilevel_lang.resolver.activity import bounds_known, is_active
from bilevel_lang.resolver.drafts import Draft
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.names import Names
from bilevel_lang.resolver.objectives import defining_coefficient, definition_of, is_priced
from bilevel_lang.resolver.ownership import LEADER, Ownership
from bilevel_lang.resolver.report import Report

BLOCK = "soft"
"""Name of the block of slacks in the clone (or the next free one)."""


def derive(model: Any, info: EmpInfo) -> Softening | None:
    """A clone of ``model`` for an annotation with ``adjustequ``, and the way back; None where the model is used as it is."""
    if not any(isinstance(s, AdjustEqu) for s in info.statements):
        return None
    memo: dict[int, Any] = {}
    clone = model.clone(memo)
    components: ComponentMap = ComponentMap()
    components[clone] = model
    for ctype in (pyo.Var, pyo.Constraint):
        for original in model.component_data_objects(ctype):
            components[memo[id(original)]] = original
    return Softening(model, components)


def working_model(model: Any, softening: Softening | None) -> Any:
    """The model that the names are looked up in: the modeller's, or its clone."""
    if softening is None:
        return model
    return next(clone for clone, original in softening.components.items() if original is model)


class Softener:
    """Makes the rows of all ``adjustequ`` statements soft, once it is known who owns them."""

    def __init__(self, drafts: list[Draft], objective: Any, leaders: Any, names: Names, books: Ownership, report: Report) -> None:
        self.drafts = {d.name: d for d in drafts}
        self.functions = {id(f.source) for d in drafts for f in d.functions if f.source is not None}
        self.objective = objective
        self.leaders = leaders
        self.names = names
        self.books = books
        self.report = report
        self._done: dict[int, Span] = {}
        self._block: Any = None

    def soften(self, info: EmpInfo) -> tuple[SoftRow, ...]:
        """Change the model in place. Reports E1, E2, E3 and E21 for what cannot be made soft."""
        statements = (s for s in info.statements if isinstance(s, AdjustEqu))
        return tuple(row for s in statements for adjustment in s.adjustments for row in self._adjust(adjustment))

    def release_definitions(self, named_by_dualvar: ComponentSet) -> None:
        """The objective variables of agents with soft rows, and the rows that define them, go to the leader.

        They hold as they are written: the variable is the objective without the penalty, and nobody decides about it.
        """
        for draft in self.drafts.values():
            definition = definition_of(draft, named_by_dualvar, self.report) if is_priced(draft) else None
            if definition is not None:
                del self.books.rows[definition.row]
                self.books.variables[definition.variable] = LEADER

    def _adjust(self, adjustment: Adjustment) -> Iterator[SoftRow]:
        found = self.names.find(adjustment.row, {})
        weight = self._weight(adjustment)
        if found is None or weight is None:
            return
        if found.kind != "row":
            help = "name the row (a Constraint); a bound of a variable has to be written as one"
            said = f"`{found.text}` is {a_kind(found.kind)}, a row is expected after `adjustequ`"
            self.report.error("E2", said, found.span, help)
            return
        if adjustment.row.negated:
            said = f"`-{found.text}`: the violation of a row is the same when it is flipped"
            self.report.error("E21", said, found.span, "drop the `-`")
            return
        for element in found.elements:
            if is_active(element.data) and self._can_be_soft(element.data, adjustment):
                self._done[id(element.data)] = adjustment.span
                yield self._soften(element.data, adjustment, weight)

    def _weight(self, adjustment: Adjustment) -> float | None:
        """The price of a unit of violation, 1 where none is given; None after E21 was reported."""
        if len(adjustment.weights) > 1:
            said = f"{len(adjustment.weights)} weights for one penalty"
            help = "one penalty has one weight: the price of a unit of violation"
            self.report.error("E21", said, adjustment.weights[1].span, help)
            return None
        if not adjustment.weights:
            return 1.0
        weight = adjustment.weights[0]
        if weight.value < 0:
            said = f"a negative weight ({weight.text}) would reward the violation"
            self.report.error("E21", said, weight.span, "give a weight > 0; the penalty of a `max` agent is subtracted anyway")
            return None
        if weight.value == 0:
            help = "give a weight > 0, or deactivate the row in the model"
            self.report.error("E21", "weight 0 drops the row", weight.span, help)
            return None
        return weight.value

    def _can_be_soft(self, row: Any, adjustment: Adjustment) -> bool:
        """False after an error was reported: whose row it is, and what else it is used for."""
        if id(row) in self._done:
            said = f"row `{row.name}` is made soft twice (line {self._done[id(row)].line})"
            self.report.error("E3", said, adjustment.span, "give one penalty for each row")
            return False
        why, help = self._obstacle(row, adjustment.penalty)
        if why:
            self.report.error("E21", f"row `{row.name}` cannot be made soft: {why}", adjustment.span, help)
        return not why

    def _obstacle(self, row: Any, penalty: str) -> tuple[str, str]:
        owner = self.books.rows.get(row, LEADER)
        draft = self.drafts.get(owner)
        if not bounds_known(row):
            return "a bound of it has no value", "give the parameter a value in the model"
        if row.lb is None and row.ub is None:
            return "it has no side, so nothing can violate it", "take it out"
        if id(row) in self.functions:
            return f"it is a function of `{owner}`, no constraint", "take it out"
        if row in self.books.sharing.rows or row in self.books.sharing.state_rows:
            help = "give each agent a row of its own, or keep it hard"
            return "several agents share it, and each would have a penalty of its own", help
        if draft is not None and draft.kind == "vi":
            help = "make the agent a `min` or `max`, or keep the row hard"
            return f"its owner `{owner}` is a `vi` and has no objective to put a penalty in", help
        if draft is None and owner != LEADER:
            return f"it belongs to {owner}", "keep it hard there, or take it out of there"
        if draft is None and self.objective is None:
            return "its owner has no objective to put a penalty in", "give the model an active Objective; a constant will do"
        variable = self.leaders if draft is None else draft.objective if draft.objective_kind == "variable" else None
        # `x == 3` with the leader's objective x is a row like any other: it defines x by nothing.
        alone = draft is None and all(v is variable for v in variables_in(row.body))
        if variable is not None and not alone and defining_coefficient(row, variable):
            return f"it defines the objective variable `{variable.name}`", "keep it hard"
        if row.equality and penalty == "maxz":
            return "`maxz` is one-sided, and an equality has two", "write `abs`, or make it an inequality in the model"
        return "", ""

    def _soften(self, row: Any, adjustment: Adjustment, weight: float) -> SoftRow:
        draft = self.drafts.get(self.books.rows.get(row, LEADER))
        slacks = self._slacks(row, adjustment.penalty)
        self._replace(row, {side: variable for variable, side in slacks})
        terms = [v**2 if adjustment.penalty == "sqr" else v for v, _ in slacks]
        cost = weight * sum(terms)
        owner = LEADER if draft is None else draft.name
        for variable, _ in slacks:
            self.books.claim_variable(variable, owner, adjustment.span)
        if draft is None:
            sign = 1 if self.objective.sense == pyo.minimize else -1
            self.objective.set_value(self.objective.expr + sign * cost)
        else:
            draft.add_penalty(cost if draft.kind == "min" else -cost, [v for v, _ in slacks], adjustment.span)
        return SoftRow(row.name, row, adjustment.penalty, weight, owner, tuple(slacks), adjustment.span)

    def _slacks(self, row: Any, penalty: str) -> list[tuple[Any, str]]:
        if row.equality and penalty == "sqr":
            variable = self._variable("deviation", row)
            variable.setlb(None)
            return [(variable, "deviation")]
        sides = [side for side, bound in (("below", row.lb), ("above", row.ub)) if bound is not None]
        return [(self._variable(side, row), side) for side in sides]

    def _replace(self, row: Any, slacks: dict[str, Any]) -> None:
        lower, upper = row.lb, row.ub
        body = row.body + slacks["below"] if "below" in slacks else row.body
        body = body - slacks["above"] if "above" in slacks else body
        body = body - slacks["deviation"] if "deviation" in slacks else body
        row.set_value(body == lower if row.equality else (lower, body, upper))

    def _variable(self, side: str, row: Any) -> Any:
        if self._block is None:
            self._block = pyo.Block()
            model = self.books.model
            taken = (f"{BLOCK}_{k}" if k else BLOCK for k in range(len(list(model.component_map())) + 2))
            model.add_component(next(name for name in taken if not hasattr(model, name)), self._block)
        if self._block.component(side) is None:
            self._block.add_component(side, pyo.Var(pyo.Any, dense=False))
        variable = self._block.component(side)[row.name]
        variable.setlb(0)
        variable.set_value(0.0)
        return variable


def finished(softening: Softening | None, rows: tuple[SoftRow, ...]) -> Softening | None:
    """The record with its rows."""
    return None if softening is None else replace(softening, rows=rows)
