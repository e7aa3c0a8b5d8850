"""``stage`` and ``stagedefault``: what is decided before the random data are known, and what after."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.visitor import identify_mutable_parameters

from bilevel_lang.components.walking import Met
from bilevel_lang.errors import Span
from bilevel_lang.grammar.leaves import Number, Reference
from bilevel_lang.grammar.random_syntax import Stage, StageDefault
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.resolver.activity import is_active
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.names import Names
from bilevel_lang.resolver.random_parameters import RandomReader
from bilevel_lang.resolver.report import Report

STAGED = ("variable", "row", "parameter")


class Stages:
    """Who belongs to which stage, in one model; mistakes go to the report (E27)."""

    def __init__(self, names: Names, random: RandomReader, report: Report) -> None:
        self._names, self._random, self._report = names, random, report
        self._listed: ComponentMap = ComponentMap()
        self._default, self._defaulted = 1, False
        self._opening: Span | None = None
        self.second_variables: list[Any] = []
        self.second_rows: list[Any] = []

    def read(self, info: EmpInfo, objective: Any) -> None:
        """Settle the stages. ``objective`` is the model's active Objective, or None."""
        for statement in info.statements:
            if isinstance(statement, StageDefault):
                if self._defaulted:
                    self._report.error("E27", "a second `stagedefault`", statement.span, "keep one of them")
                self._defaulted = True
                self._default = self._number(statement.number) or 1
                self._opening = self._opening or statement.span
        for statement in info.statements:
            if isinstance(statement, Stage):
                self._opening = self._opening or statement.span
                self._stage(statement)
        if self._report.has_errors:
            return
        self._settle(objective)
        self._check(objective)

    def is_second(self, component: Any) -> bool:
        """Whether a variable or a row belongs to the second stage."""
        found = self._listed.get(component)
        return (self._default if found is None else found[0]) == 2

    # --- What is listed.

    def _number(self, number: Number) -> int | None:
        value = number.value
        if not value.is_integer() or value < 1:
            self._report.error("E27", f"`{number.text}` is no stage", number.span, "stages are 1 and 2")
        elif value > 2:
            said = f"stage {number.text}: problems of more than two stages are not carried out"
            self._report.error("R1", said, number.span, "decide everything after the first stage at once: stage 2")
        else:
            return int(value)
        return None

    def _stage(self, statement: Stage) -> None:
        stage = self._number(statement.number)
        for item in statement.items:
            if not isinstance(item, Reference):
                said, help = "a stage has variables, rows and random parameters, by name", "list them, or use `stagedefault`"
                self._report.error("E27", said, item.span, help)
            elif stage is not None:
                self._item(item, stage)

    def _item(self, item: Reference, stage: int) -> None:
        found = self._names.find(item, {})
        if found is None:
            return
        if found.kind == "block":
            inside = (c for e in found.elements for c in e.data.component_data_objects((pyo.Var, pyo.Constraint)))
            self._list(inside, stage, item.span)
        elif found.kind not in STAGED:
            help = "list variables, rows and random parameters"
            if found.kind == "objective":
                help = "take it out: what is random in the objective is paid in the second stage anyway"
            said = f"`{found.text}` is {a_kind(found.kind)}: it has no stage"
            self._report.error("E27", said, found.span, help)
        elif item.negated:
            self._report.error("E27", f"`-{found.text}`: nothing is flipped here", found.span, "drop the `-`")
        elif found.kind == "parameter":
            self._parameters([e.data for e in found.elements], found.text, stage, found.span)
        else:
            self._list((e.data for e in found.elements), stage, found.span)

    def _parameters(self, elements: list[Any], text: str, stage: int, span: Span) -> None:
        if not any(self._random.is_meant(data) for data in elements):
            help = f"give it a law: `randvar {text} discrete 0.5 30 0.5 60`"
            self._report.error("E27", f"`{text}` is not random: data have no stage", span, help)
        elif stage == 1:
            said = f"`{text}` is random, and what is random is known in stage 2 only"
            self._report.error("E27", said, span, f"write `stage 2 {text}`, or leave it out")

    def _list(self, components: Iterable[Any], stage: int, span: Span) -> None:
        for component in components:
            before = self._listed.get(component)
            if before is not None and before[0] != stage:
                said = f"`{component.name}` is listed in stage {before[0]} already"
                self._report.error("E27", said, span, "list it once")
            self._listed[component] = (stage, span)

    # --- What follows from it.

    def _settle(self, objective: Any) -> None:
        model = self._names.model
        rows = [r for r in model.component_data_objects(pyo.Constraint, active=True) if is_active(r)]
        self._definition(objective, rows)
        self.second_rows = [r for r in rows if self.is_second(r)]
        used = Met(*(() if objective is None else (objective.expr,)), *(r.body for r in rows))
        listed = ComponentSet(v for v in self._listed if v.ctype is pyo.Var and not v.fixed)
        everything = [*used, *(v for v in listed if v not in used)]
        self.second_variables = [v for v in everything if self.is_second(v)]

    def _definition(self, objective: Any, rows: list[Any]) -> None:
        """The variable that the objective consists of, defined by one row with second-stage terms, goes to stage 2 with the
        row."""
        if objective is None or not objective.expr.is_variable_type():
            return
        variable = objective.expr
        mine = [r for r in rows if variable in ComponentSet(Met(r.body))]
        if variable in self._listed or self._default == 2 or len(mine) != 1 or mine[0] in self._listed or not mine[0].equality:
            return
        if self._late(mine[0].expr):
            self._listed[variable] = self._listed[mine[0]] = (2, self._opening)
            said = f"`{variable.name}` and the row that defines it, `{mine[0].name}`, belong to stage 2"
            self._report.notice("E27", said)

    def _late(self, expression: Any) -> str | None:
        """A name of stage 2 in an expression, None without one."""
        for variable in Met(expression):
            if self.is_second(variable):
                return f"`{variable.name}` of stage 2"
        for parameter in _parameters_in(expression):
            if self._random.number_of(parameter) is not None:
                return f"the random `{parameter.name}`"
        return None

    def _check(self, objective: Any) -> None:
        model = self._names.model
        for row in model.component_data_objects(pyo.Constraint, active=True):
            if self.is_second(row) or not is_active(row):
                continue
            late = self._late(row.expr)
            if late is not None:
                span = self._listed[row][1] if row in self._listed else self._somewhere()
                said = f"row `{row.name}` belongs to stage 1, and holds {late}"
                self._report.error("E27", said, span, f"list it: `stage 2 {row.parent_component().name}`")
        for variable in model.component_data_objects(pyo.Var):
            if not self.is_second(variable) and not variable.fixed:
                self._check_bounds(variable)
        self._check_use(objective)

    def _somewhere(self) -> Span | None:
        """Where what is not listed should be: at the stages, and where there are none at what is random."""
        parameters = self._random.parameters
        return self._opening or (parameters[0].span if parameters else None)

    def _check_bounds(self, variable: Any) -> None:
        for bound in (variable.lower, variable.upper):
            late = None if bound is None else self._late(bound)
            if late is not None:
                span = self._listed[variable][1] if variable in self._listed else self._somewhere()
                help = f"list it: `stage 2 {variable.parent_component().name}`, or make the bound a row of stage 2"
                self._report.error("E27", f"a bound of `{variable.name}`, of stage 1, holds {late}", span, help)

    def _check_use(self, objective: Any) -> None:
        """Every random parameter should be somewhere: else its value was taken out of it when the model was built."""
        used: set[int] = set()
        expressions = [r.expr for r in self.second_rows] + ([] if objective is None else [objective.expr])
        expressions += [b for v in self.second_variables for b in (v.lower, v.upper) if b is not None]
        for expression in expressions:
            used |= {id(p) for p in _parameters_in(expression)}
        for parameter in self._random.parameters:
            if id(parameter.data) not in used:
                help = "write the parameter itself into the model's expressions, not `value(...)` of it"
                said = f"`{parameter.name}` is random, and nothing in the model depends on it"
                self._report.warning("E27", said, parameter.span, help)


def _parameters_in(expression: Any) -> Iterable[Any]:
    return () if isinstance(expression, (int, float)) else identify_mutable_parameters(expression)
