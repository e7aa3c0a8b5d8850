"""``expectedvalue``, ``cvarlo``, ``cvarup``, ``varlo``, ``varup`` and ``chance``: what is asked of the law of a result."""

from __future__ import annotations

from typing import Any

from bilevel_lang.grammar.leaves import Number, Reference
from bilevel_lang.grammar.random_syntax import Chance, ExpectedValue, RiskMeasure
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.names import Names
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.stages import Stages
from bilevel_lang.uncertainty.program import ChanceRows, RiskKind, RiskTerm

LARGEST_TAIL = 0.5
"""A level above this is taken for a mistake: some systems count the share beside the tail, here it is the tail's own."""


class RiskReader:
    """Reads the measures of risk of one annotation; mistakes go to the report (E28)."""

    def __init__(self, names: Names, stages: Stages, report: Report) -> None:
        self._names, self._stages, self._report = names, stages, report

    def risks(self, info: EmpInfo) -> tuple[RiskTerm, ...]:
        """The measures, in the order of the text."""
        found: list[RiskTerm] = []
        for statement in info.statements:
            if isinstance(statement, ExpectedValue):
                names = (statement.variable,) if statement.result is None else (statement.variable, statement.result)
                found += self._measure(statement, "expectedvalue", names, 1.0)
            elif isinstance(statement, RiskMeasure) and self._is_tail(statement):
                found += self._measure(statement, statement.kind, statement.variables, statement.level.value)
        self._check_twice(found)
        return tuple(found)

    def chances(self, info: EmpInfo) -> tuple[ChanceRows, ...]:
        """The chance constraints, in the order of the text."""
        return tuple(c for s in info.statements if isinstance(s, Chance) and (c := self._chance(s)) is not None)

    def _is_tail(self, statement: RiskMeasure) -> bool:
        level = statement.level.value
        if 0 < level <= LARGEST_TAIL:
            return True
        side = "highest" if statement.kind.endswith("up") else "lowest"
        help = f"`{statement.kind} ... 0.05` looks at the {side} 5 %"
        if LARGEST_TAIL < level < 1:
            help = f"for the {side} {100 * (1 - level):.4g} % write {1 - level:.6g}"
        said = f"level {statement.level.text}: the level is the probability of the tail, above 0 and at most {LARGEST_TAIL}"
        self._report.error("E28", said, statement.level.span, help)
        return False

    def _measure(self, statement: Any, kind: RiskKind, names: tuple[Reference, ...], level: float) -> list[RiskTerm]:
        variables = [self._variable(reference) for reference in names]
        if any(v is None for v in variables):
            return []
        for reference, variable in zip(names, variables, strict=True):
            if variable.fixed:
                said = f"`{variable.name}` is fixed: a number has no risk, and stands for none"
                self._report.error("E28", said, reference.span, "unfix it, or take the statement out")
                return []
        if not self._stages.is_second(variables[0]):
            said = f"`{variables[0].name}` is decided in stage 1: it is not random"
            self._report.error("E28", said, names[0].span, f"list it with its row in stage 2: `stage 2 {variables[0].name}`")
            return []
        if id(variables[0]) not in {id(v) for v in self._stages.second_variables}:
            said = f"`{variables[0].name}` is in no active row and not in the objective: nothing makes it random"
            self._report.error("E28", said, names[0].span, "define it by a row of stage 2")
            return []
        result = variables[1] if len(variables) == 2 else None
        if result is not None and self._stages.is_second(result):
            said = f"`{result.name}` stands for a measure, one number for all scenarios, and is listed in stage 2"
            self._report.error("E28", said, names[1].span, "leave it in stage 1")
            return []
        if result is not None and not result.is_continuous():
            self._report.error("E28", f"`{result.name}` stands for a measure, and is whole", names[1].span, "declare it as real")
            return []
        return [RiskTerm(kind, variables[0], level, result, span=statement.span, source=self._report.source)]

    def _variable(self, reference: Reference) -> Any:
        found = self._names.find(reference, {})
        if found is None:
            return None
        if found.kind != "variable" or len(found.elements) != 1 or reference.negated:
            what = a_kind(found.kind) if found.kind != "variable" else f"{len(found.elements)} variables"
            help = "name one variable; for an expression, define it by a row of stage 2"
            said = f"`{found.text}` is {'negated' if reference.negated else what}, a single variable is expected here"
            self._report.error("E28", said, found.span, help)
            return None
        return found.elements[0].data

    def _check_twice(self, found: list[RiskTerm]) -> None:
        seen: set[int] = set()
        for term in found:
            stands = term.variable if term.result is None else term.result
            if id(stands) in seen:
                help = "give each measure a variable of its own: `cvarup cost c 0.05`"
                self._report.error("E28", f"`{stands.name}` stands for two measures", term.span, help)
            seen.add(id(stands))

    def _chance(self, statement: Chance) -> ChanceRows | None:
        rows = [row for reference in statement.rows for row in self._rows(reference)]
        others = [a for a in statement.arguments if not isinstance(a, Number)]
        numbers = [a for a in statement.arguments if isinstance(a, Number)]
        if others or len(numbers) != 1:
            extra = others[0] if others else numbers[1]
            said = "`chance` with a count, a weight or a variable after its rows is understood, and not carried out"
            help = (
                "give the rows and one probability; a penalty is a binary of stage 2 in the rows, with a price in the objective"
            )
            self._report.error("R1", said, extra.span, help)
            return None
        probability = numbers[0].value
        if not 0 < probability <= 1:
            self._report.error("E28", f"`{numbers[0].text}` is no probability", numbers[0].span, "above 0 and at most 1")
            return None
        return ChanceRows(tuple(rows), probability, span=statement.span, source=self._report.source) if rows else None

    def _rows(self, reference: Reference) -> list[Any]:
        found = self._names.find(reference, {})
        if found is None:
            return []
        if found.kind != "row":
            said = f"`{found.text}` is {a_kind(found.kind)}, a row is expected here"
            self._report.error("E28", said, found.span, "name rows of stage 2")
            return []
        early = [e.data for e in found.elements if not self._stages.is_second(e.data)]
        if early:
            said = f"`{early[0].name}` belongs to stage 1: it holds or not whatever happens"
            self._report.error("E28", said, found.span, f"list it: `stage 2 {found.text}`")
            return []
        active = {id(row) for row in self._stages.second_rows}
        asleep = [e.data for e in found.elements if id(e.data) not in active]
        if asleep:
            said = f"`{asleep[0].name}` is deactivated: it holds nothing"
            self._report.error("E28", said, found.span, "activate it, or take it out of the `chance`")
            return []
        return [e.data for e in found.elements]
