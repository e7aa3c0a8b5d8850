"""``randvar``, ``jrandvar``, ``correlation``, ``sample``, ``setseed``, ``scenarios``: which parameters are random, and their
laws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo

from bilevel_lang.errors import Span
from bilevel_lang.grammar.leaves import Number, Reference
from bilevel_lang.grammar.random_syntax import Correlation, JRandVar, RandVar, Sample, Scenarios, SetSeed
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.names import Found, Names
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.scenario_files import read_table
from bilevel_lang.uncertainty.laws import Law, LawError, law
from bilevel_lang.uncertainty.program import RandomParameter
from bilevel_lang.uncertainty.sampling import WAYS, Discrete, Group, Sampled
from bilevel_lang.uncertainty.scenario_set import wrong_probability

LARGEST_SAMPLE = 10_000_000


@dataclass
class _Plan:
    """What is said about sampling a law: the size and way of its ``sample``, and its correlations, by parameter."""

    size: int | None = None
    way: str = "montecarlo"
    together: int | None = None
    correlations: dict[int, tuple[float, Span]] = field(default_factory=dict)


class RandomReader:
    """Collects the random parameters of one annotation; mistakes go to the report (E26)."""

    def __init__(self, names: Names, report: Report) -> None:
        self._names = names
        self._report = report
        self.parameters: list[RandomParameter] = []
        self.groups: list[Group] = []
        self.seed = 0
        self._seeded = False
        self._lawless: set[int] = set()
        self._unread = False  # a table with mistakes: what its columns are is not known
        self._numbers: dict[int, int] = {}
        self._laws: dict[int, Law] = {}
        self._plans: dict[int, _Plan] = {}

    def read(self, info: EmpInfo) -> None:
        """Everything that the annotation says about random data."""
        for statement in info.statements:
            if isinstance(statement, RandVar):
                self._single(statement)
            elif isinstance(statement, JRandVar):
                self._joint(statement)
            elif isinstance(statement, Scenarios):
                self._file(statement)
            elif isinstance(statement, SetSeed):
                self._seed(statement)
        samples = [s for s in info.statements if isinstance(s, Sample)]
        for place, sample in enumerate(samples):
            self._sample(sample, place)
        for statement in info.statements:
            if isinstance(statement, Correlation):
                self._correlation(statement)
        self._group_laws()

    def number_of(self, data: Any) -> int | None:
        """The number of a parameter among the random ones, None for data."""
        return self._numbers.get(id(data))

    def is_meant(self, data: Any) -> bool:
        """Whether a parameter is random, or would be but for a mistake that was told."""
        return self._unread or id(data) in self._numbers or id(data) in self._lawless

    # --- Parameters.

    def _elements(self, reference: Reference) -> list[Any]:
        """The mutable parameters that a reference names; an empty list after an error."""
        found = self._names.find(reference, {})
        return [] if found is None else self._mutable(found, self._report)

    def _mutable(self, found: Found, report: Report) -> list[Any]:
        if found.kind != "parameter":
            help = "random is what a Param(mutable=True) of the model holds"
            report.error("E26", f"`{found.text}` is {a_kind(found.kind)}, a parameter is expected here", found.span, help)
            return []
        fixed = [e for e in found.elements if not _is_mutable(e.data)]
        if fixed:
            help = f"declare it with `mutable=True`: {found.reference.segments[-1].name} = Param(..., mutable=True)"
            said = f"`{found.text}` is not mutable: its value has gone into the model as a number, and cannot be random"
            report.error("E26", said, found.span, help)
            return []
        if found.reference.negated:
            report.error("E26", f"`-{found.text}`: a parameter is not negated here", found.span, "drop the `-`")
            return []
        return [e.data for e in found.elements]

    def _declare(self, elements: Sequence[Any], span: Span) -> tuple[int, ...]:
        numbers = []
        for data in elements:
            if id(data) in self._numbers:
                said, help = f"`{data.name}` is random already", "give each parameter one law"
                self._report.error("E26", said, span, help)
                continue
            self._numbers[id(data)] = len(self.parameters)
            numbers.append(len(self.parameters))
            self.parameters.append(RandomParameter(data.name, data, span=span, source=self._report.source))
        return tuple(numbers)

    # --- Laws.

    def _single(self, statement: RandVar) -> None:
        elements = self._elements(statement.parameter)
        if not self._are_finite(statement.numbers):
            self._lawless |= {id(data) for data in elements}
            return
        if statement.distribution == "discrete":
            rows = self._rows(statement, 1)
            if rows is None:
                self._lawless |= {id(data) for data in elements}
                return
            for number in self._declare(elements, statement.parameter.span):
                self.groups.append(Discrete((number,), rows[:, 1:], _scaled(rows[:, 0])))
            return
        try:
            found = law(statement.distribution, tuple(n.value for n in statement.numbers))
        except LawError as error:
            self._report.error("E26", str(error), statement.span, error.mend)
            self._lawless |= {id(data) for data in elements}
            return
        for number in self._declare(elements, statement.parameter.span):
            self._laws[number] = found
            self._plans[number] = _Plan()

    def _joint(self, statement: JRandVar) -> None:
        elements = [data for reference in statement.parameters for data in self._elements(reference)]
        if not elements or not self._are_finite(statement.numbers):
            self._lawless |= {id(data) for data in elements}
            return
        rows = self._rows(statement, len(elements))
        numbers = self._declare(elements, statement.parameters[0].span.to(statement.parameters[-1].span))
        if rows is not None and len(numbers) == len(elements):
            self.groups.append(Discrete(numbers, rows[:, 1:], _scaled(rows[:, 0])))

    def _are_finite(self, numbers: Sequence[Number]) -> bool:
        """False after an error: a number that is written and larger than any float."""
        large = next((n for n in numbers if not math.isfinite(n.value)), None)
        if large is not None:
            self._report.error("E26", f"`{large.text}` is not a finite number", large.span, "write one below 1e308")
        return large is None

    def _rows(self, statement: RandVar | JRandVar, width: int) -> np.ndarray[Any, Any] | None:
        """The numbers in rows of a probability and ``width`` values; None after an error."""
        numbers = statement.numbers
        if not numbers or len(numbers) % (width + 1):
            what = "a value" if width == 1 else f"{width} values"
            said = f"the numbers come in groups of a probability and {what}; there are {len(numbers)}"
            span = numbers[-1].span if numbers else statement.span
            self._report.error("E26", said, span, f"give {width + 1} numbers for each outcome")
            return None
        rows = np.array([n.value for n in numbers]).reshape(-1, width + 1)
        negative = np.flatnonzero(rows[:, 0] < 0)
        wrong = wrong_probability(rows[:, 0])
        if wrong is not None:
            place = numbers[int(negative[0]) * (width + 1)].span if negative.size else numbers[0].span.to(numbers[-1].span)
            self._report.error("E26", wrong, place, "probabilities are >= 0 and sum to 1 (within 1e-6)")
            return None
        return rows

    def _file(self, statement: Scenarios) -> None:
        table = read_table(statement, self._report, self._names.model, self._mutable)
        self._unread |= table is None
        if table is not None:
            numbers = self._declare(table.parameters, statement.span)
            if len(numbers) == len(table.parameters):
                self.groups.append(Discrete(numbers, table.values, _scaled(table.probabilities), table.names))

    # --- Samples.

    def _seed(self, statement: SetSeed) -> None:
        value = statement.seed.value
        if self._seeded:
            self._report.error("E26", "a second `setseed`", statement.span, "keep one of them")
        self._seeded = True
        if not value.is_integer() or value < 0:
            self._report.error("E26", f"`{statement.seed.text}` is no seed", statement.seed.span, "a whole number >= 0")
        else:
            self.seed = int(value)

    def _sample(self, statement: Sample, place: int) -> None:
        size, way = statement.size.value, self._way(statement)
        if not size.is_integer() or not 1 <= size <= LARGEST_SAMPLE:
            help = f"a whole number from 1 to {LARGEST_SAMPLE:,}"
            self._report.error("E26", f"`{statement.size.text}` is no size of a sample", statement.size.span, help)
            return
        numbers = [n for r in statement.parameters for n in self._with_law(r)] if statement.parameters else list(self._laws)
        if not statement.parameters and not numbers and not self._lawless:
            help = "take it out: what has finitely many values is listed, each with its probability"
            self._report.error("E26", "there is nothing to sample", statement.span, help)
        for number in numbers:
            if self._plans[number].size is not None:
                said = f"`{self.parameters[number].name}` is sampled twice"
                self._report.error("E26", said, statement.span, "keep one of the statements")
            self._plans[number] = _Plan(int(size), way, place)

    def _way(self, statement: Sample) -> str:
        ways: list[str] = []
        for option in statement.options:
            word = option.segments[0].name.lower() if isinstance(option, Reference) else ""
            help = "after the size may stand " + ", ".join(f"`{w}`" for w in WAYS)
            if word not in WAYS:
                self._report.error("E26", "no way of sampling is called so", option.span, help)
            elif ways:
                self._report.error("E26", f"a second way of sampling, after `{ways[0]}`", option.span, "keep one of them")
            else:
                ways.append(word)
        return ways[0] if ways else "montecarlo"

    def _with_law(self, reference: Reference) -> list[int]:
        """The numbers of parameters that have a law to sample from."""
        found = []
        for data in self._elements(reference):
            number = self.number_of(data)
            if id(data) in self._lawless:
                continue  # its law is a mistake that was told
            if number is None:
                help = f"give it a law first: `randvar {data.name} normal 45 10`"
                self._report.error("E26", f"`{data.name}` is not random", reference.span, help)
            elif number not in self._laws:
                help = "take it out: its values are listed, each with its probability"
                self._report.error("E26", f"`{data.name}` has finitely many values", reference.span, help)
            else:
                found.append(number)
        return found

    def _correlation(self, statement: Correlation) -> None:
        pair = [self._with_law(reference) for reference in (statement.first, statement.second)]
        if not all(pair):
            return
        if any(len(p) != 1 for p in pair) or pair[0] == pair[1]:
            self._report.error("E26", "a correlation is that of two parameters", statement.span, "name two single elements")
            return
        if not -1 < statement.value.value < 1:
            help = "a number between -1 and 1"
            self._report.error("E26", f"`{statement.value.text}` is no correlation", statement.value.span, help)
            return
        (first,), (second,) = pair
        if second in self._plans[first].correlations:
            self._report.error("E26", "a second correlation of these two", statement.span, "keep one of the statements")
        self._plans[first].correlations[second] = (statement.value.value, statement.span)
        self._plans[second].correlations[first] = (statement.value.value, statement.span)

    def _group_laws(self) -> None:
        """One group for what is correlated or sampled together."""
        left = list(self._laws)
        while left:
            members, border = [], [left[0]]
            while border:
                number = border.pop()
                if number not in left:
                    continue
                left.remove(number)
                members.append(number)
                together = self._plans[number].together
                border += [n for n in left if together is not None and self._plans[n].together == together]
                border += list(self._plans[number].correlations)
            self._group(sorted(members))

    def _group(self, members: list[int]) -> None:
        plans = [self._plans[n] for n in members]
        places = [span for p in plans for _, span in p.correlations.values()]
        if len({(p.size, p.way) for p in plans}) > 1:
            said = "parameters that are correlated have samples of different sizes"
            self._report.error("E26", said, places[0], "sample them by one statement: `sample a b 100`")
            return
        correlation = None
        if places:
            correlation = np.eye(len(members))
            for i, plan in enumerate(plans):
                for other, (value, _) in plan.correlations.items():
                    correlation[i, members.index(other)] = value
            if np.linalg.eigvalsh(correlation)[0] <= 1e-9:
                help = "no random numbers have these correlations together: bring some of them nearer to 0"
                self._report.error("E26", "the correlations contradict each other", places[0], help)
                return
        laws = tuple(self._laws[n] for n in members)
        self.groups.append(Sampled(tuple(members), laws, correlation, plans[0].size, plans[0].way))


def _is_mutable(data: Any) -> bool:
    """Whether an element of a parameter may change: of others the model holds the number only."""
    component = data.parent_component() if hasattr(data, "parent_component") else None
    return component is not None and component.ctype is pyo.Param and bool(component.mutable)


def _scaled(probabilities: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Probabilities that sum to 1 but for the digits that were left out, made to sum to 1."""
    return np.asarray(probabilities / probabilities.sum(), dtype=float)
