"""Start points for local methods: the leader somewhere, the agents at their best responses to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.response import LocalAnswer, local_response
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.reformulation.multiplier_starts import MultiplierStarts
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Multiplier

WIDTH = 10.0
"""Half the width of the box in which a start is drawn where bounds are missing."""

SCALES = (1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 0.3, 10.0)
"""By what WIDTH is multiplied at start number k (in turn): nobody knows the scale of a variable without bounds."""

ROUNDS = 2
"""How often the agents answer each other in turn before a start is taken as it is."""


KNOWN = 1
"""The number of the start at a point that is known."""

SPREAD = 0.5
"""Standard deviation of the logarithm of starts around 1."""


class Starts:
    """Start number 0 is the modeller's own values; the others are drawn with a counter-based seed.

    ``known``: a point (by variable of the modeller's) that another search has found; number 1 begins there, at the agents'
    answers to it, and not far from it where the sequence of its descent is short.
    """

    def __init__(
        self,
        problem: BilevelProblem,
        twins: Mapping[Any, Any],
        options: Options,
        multipliers: Sequence[Multiplier] = (),
        known: ComponentMap | None = None,
    ) -> None:
        self._problem = problem
        self._multipliers = MultiplierStarts(multipliers, twins)
        self._twins = twins
        self._options = options
        self._known = ComponentMap() if known is None else known

    def write(self, number: int) -> None:
        """Write start ``number`` into the twins; where followers answer, the multipliers of their answers as well."""
        random = np.random.default_rng((self._options.seed, number))
        values: ComponentMap = ComponentMap()
        for original in self._twins:
            values[original] = self._value(original, number, random)
        # Every other start: a raw point reaches pieces that best responses never visit.
        answers = self._respond(values) if number % 2 == 1 else []
        for original, twin in self._twins.items():
            if not twin.fixed:
                twin.set_value(values[original], skip_validation=True)
        for agent, answer in answers:  # after the twins: the variable of a `dualvar` is one of them
            self._multipliers.write(agent, answer)

    def _value(self, original: Any, number: int, random: np.random.Generator) -> float:
        if number == 0 or original.fixed:
            return self._first(original)
        if number == KNOWN and original in self._known:
            return _inside(original, float(self._known[original]))
        return _draw(original, random, SCALES[number % len(SCALES)] * WIDTH)

    def _first(self, original: Any) -> float:
        value = 0.0 if original.value is None else float(original.value)
        return value if original.fixed else _inside(original, value)

    def _respond(self, values: ComponentMap) -> list[tuple[Agent, LocalAnswer]]:
        answers: list[tuple[Agent, LocalAnswer]] = []
        for _ in range(ROUNDS if len(self._problem.agents) > 1 else 1):
            for agent in self._problem.agents:
                if agent.objective is None:
                    continue
                answer = local_response(agent, values, self._options.for_solver())
                if answer is not None:
                    values.update(answer.values)
                    answers.append((agent, answer))
        return answers


class UnitStarts(Starts):
    """Starts around 1, where models of prices and activity levels have their benchmark; number 0 keeps the modeller's values."""

    def _value(self, original: Any, number: int, random: np.random.Generator) -> float:
        if original.fixed or (number == 0 and original.value is not None):
            return self._first(original)
        return _inside(original, math.exp(SPREAD * random.normal()) if number else 1.0)


def _draw(variable: Any, random: np.random.Generator, width: float) -> float:
    centre = _inside(variable, 0.0 if variable.value is None else float(variable.value))
    lower = variable.lb if variable.lb is not None else (min(centre, variable.ub) if variable.ub is not None else centre) - width
    upper = variable.ub if variable.ub is not None else max(centre, lower) + width
    lower, upper = max(lower, centre - 100 * WIDTH), min(upper, centre + 100 * WIDTH)
    return float(random.uniform(lower, upper)) if lower < upper else _inside(variable, lower)


def _inside(variable: Any, value: float) -> float:
    if variable.lb is not None:
        value = max(value, variable.lb)
    if variable.ub is not None:
        value = min(value, variable.ub)
    return float(value)
