"""How large a follower's objective is, and the tolerances that follow from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyomo.common.collections import ComponentMap
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.oracle.magnitude import magnitude
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent

SHARPNESS = 4096.0
"""By what the rows are multiplied that compare two answers, once the objective has size 1: SCIP's tolerances are absolute."""

ROW_TOLERANCE = 1e-6
"""What such a row may miss: ten times SCIP's own tolerance."""

SAMPLES = 7

WIDTH = 1.0
"""Half the width of the box in which variables without bounds are sampled."""


@dataclass(frozen=True, slots=True)
class Scale:
    """``factor`` > 0 (a power of two) brings the objective to size 1; ``epsilon`` > 0 is in its own units.

    An answer counts as optimal where it misses the optimum by at most ``2 * epsilon``.
    """

    factor: float
    epsilon: float

    @property
    def sharp(self) -> float:
        """The factor of rows that compare two answers."""
        return self.factor * SHARPNESS


def scale_of(agent: Agent, random: np.random.Generator) -> Scale:
    """Measured at random points of the box; the median of the sizes that are not zero."""
    assert agent.objective is not None
    own = [v for v in agent.variables if not is_pinned(v)]
    variables = list(identify_variables(agent.objective.expression, include_fixed=False))
    sizes = [magnitude(agent.objective.expression, own, _point(variables, random)).total for _ in range(SAMPLES)]
    sizes = [size for size in sizes if math.isfinite(size) and size > 0]
    size = float(np.median(sizes)) if sizes else 1.0
    factor = 2.0 ** -round(math.log2(size))
    return Scale(factor, ROW_TOLERANCE / (factor * SHARPNESS))


def scales_of(agents: Sequence[Agent]) -> list[Scale]:
    """One for each agent; the same each time."""
    random = np.random.default_rng(0)
    return [scale_of(agent, random) for agent in agents]


def _point(variables: Sequence[object], random: np.random.Generator) -> ComponentMap:
    values: ComponentMap = ComponentMap()
    for variable in variables:
        lower, upper = variable.lb, variable.ub  # type: ignore[attr-defined]
        if lower is None:
            lower = -WIDTH if upper is None else upper - 2 * WIDTH
        upper = lower + 2 * WIDTH if upper is None else upper
        values[variable] = float(random.uniform(lower, upper))
    return values
