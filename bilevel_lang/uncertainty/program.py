"""A two-stage stochastic program after names have become components; it stands beside the types of ``problem.py``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyomo.environ as pyo

from bilevel_lang.errors import Diagnostic, RefusedError, Source, Span
from bilevel_lang.uncertainty.laws import Floats
from bilevel_lang.uncertainty.leaning import leaning
from bilevel_lang.uncertainty.sampling import Group, Sampled, drawn, listed, why_not_listed
from bilevel_lang.uncertainty.scenario_set import ScenarioSet

RiskKind = Literal["expectedvalue", "cvarlo", "cvarup", "varlo", "varup"]

SOLVED, EVALUATED, TRAINED, UNLIKELY = 1, 2, 3, 4
"""The streams of random numbers: of the sample that is solved, of the one on which the answer is tried out, of training."""

WIDER = "take another law, or declare the parameter with a wider domain: Param(..., within=Reals)"
"""The mend for a value that a parameter cannot have."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Stated:
    """What one statement says, and its place: some of it can be judged only when there are scenarios, or arrays."""

    span: Span | None = None
    source: Source | None = None

    def diagnostic(self, said: str, help: str) -> Diagnostic:
        """A finding that points at the statement."""
        return Diagnostic("R1", said, help, self.span, self.source)

    def refusal(self, said: str, help: str) -> RefusedError:
        """The same as an error."""
        return RefusedError(self.diagnostic(said, help))


@dataclass(frozen=True, eq=False)
class RandomParameter(Stated):
    """A mutable ParamData of the modeller's model that is random."""

    name: str
    data: Any

    def outside(self, values: Floats) -> tuple[int, str] | None:
        """The place of a value among ``values`` (n,) that the parameter cannot have, and what is wrong; None without one."""
        domain = self.data.parent_component().domain
        if domain is pyo.Any or domain is pyo.Reals:
            return None
        wrong = next((v for v in np.unique(values).tolist() if v not in domain), None)
        if wrong is None:
            return None
        said = f"`{self.name}` is to be {wrong:g}, and is declared to be in {domain.name}"
        return int(np.argmax(values == wrong)), said


@dataclass(frozen=True, eq=False)
class RiskTerm(Stated):
    """A measure of risk of the second-stage variable ``variable``.

    ``level`` is the probability of the tail (``cvarup cost 0.05``: the mean of the 5 % highest costs). ``result`` is the
    first-stage variable that stands for the measure; None: in the objective the variable itself does.
    """

    kind: RiskKind
    variable: Any
    level: float
    result: Any = None


@dataclass(frozen=True, eq=False)
class ChanceRows(Stated):
    """Rows (ConstraintData) that hold all together with at least this probability."""

    rows: tuple[Any, ...]
    probability: float


@dataclass(frozen=True, eq=False)
class StochasticProgram:
    """Who decides when, and what is random.

    ``second_variables`` and ``second_rows`` belong to the second stage: they are there once for each scenario. Everything else is
    decided before. ``groups`` are independent of each other and hold all of ``parameters``, by number. ``seed``: of ``setseed``.
    """

    parameters: tuple[RandomParameter, ...]
    groups: tuple[Group, ...]
    second_variables: tuple[Any, ...]
    second_rows: tuple[Any, ...]
    risks: tuple[RiskTerm, ...] = ()
    chances: tuple[ChanceRows, ...] = ()
    seed: int = 0

    @property
    def tie(self) -> Stated | None:
        """What ties the scenarios together: the first measure of risk, or else the first chance constraint; None without."""
        return next((stated for stated in (*self.risks, *self.chances)), None)

    def scenarios(self, count: int | None, seed: int) -> ScenarioSet:
        """The scenarios to solve: all of them, or ``count`` drawn from the laws. Raises RefusedError where they cannot be
        listed, or where a parameter does not take its value."""
        if count is not None:
            return self._within(drawn(self.groups, count, (self.seed, seed), SOLVED))
        reason = why_not_listed(self.groups)
        if reason is not None:
            help = "draw a sample of them: `--scenarios 1000`, or `sample PARAMETER 100` in the annotation"
            raise self._unlisted().refusal(f"the scenarios cannot be listed: {reason}", help)
        return self._within(listed(self.groups, (self.seed, seed)))

    def fresh(self, count: int, seed: int) -> ScenarioSet:
        """``count`` scenarios drawn from the laws, independent of those that were solved. Raises RefusedError where a parameter
        does not take its value."""
        return self._within(drawn(self.groups, count, (self.seed, seed), EVALUATED))

    def training(self, count: int, seed: int) -> ScenarioSet:
        """``count`` scenarios to train a network on: half drawn from the laws, half (fewer, where a parameter does not take its
        value) possible but unlikely ones (:mod:`.leaning`). Raises RefusedError where a parameter does not take a value that was
        drawn from the laws."""
        usual = self._within(drawn(self.groups, (count + 1) // 2, (self.seed, seed), TRAINED)).values
        far = leaning(self.groups, count // 2, (self.seed, seed), UNLIKELY)
        domains = [p.data.parent_component().domain for p in self.parameters]
        fine = [all(v in domain for v, domain in zip(row, domains, strict=True)) for row in far.tolist()]
        values = np.vstack([usual, far[np.array(fine, dtype=bool)]])
        return ScenarioSet(values, np.full(len(values), 1.0 / len(values)), True)

    def _within(self, scenarios: ScenarioSet) -> ScenarioSet:
        """The same scenarios, after a look at what the parameters were declared to hold."""
        for parameter, values in zip(self.parameters, scenarios.values.T, strict=True):
            found = parameter.outside(values)
            if found is not None:
                raise parameter.refusal(f"in scenario {scenarios.name(found[0])} {found[1]}", WIDER)
        return scenarios

    def _unlisted(self) -> RandomParameter:
        """The first parameter that has too many values; where only all of them together are too many, the first of all."""
        endless = [p for g in self.groups if isinstance(g, Sampled) and g.size is None for p in g.parameters]
        return self.parameters[min(endless, default=0)]
