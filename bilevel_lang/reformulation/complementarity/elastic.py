"""Elastic mode: the rows of the pairs with slacks that cost, for problems in which every ordinary start fails.

Formulation: ``body <= e``, or ``body = e - d`` for an equality, with ``e, d >= 0`` and the objective
``f + weight * sum(e + d)``. The rows of followers and leader stay hard. The l1 penalty is exact:
where the problem has points without slack, a large enough weight finds one. A
point that still needs slack is no point of the MPEC and is never handed on.

Reference: Anitescu 2005, SIAM J. Optim. 15:1203; DeMiguel, Friedlander, Nogales and Scholtes 2005, SIAM J. Optim. 16:587.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.reformulation.complementarity.finish import EndPoint
from bilevel_lang.reformulation.complementarity.relaxed_model import RelaxedModel

WEIGHT = 1e4
"""Cost of one unit of slack."""

NONE = 1e-6
"""Slack in all that counts as none: rounding of the solver."""


@dataclass(frozen=True, eq=False)
class Stretched:
    """The slacks of an elastic model."""

    slacks: tuple[Any, ...]
    none: float = NONE

    def slack(self) -> float:
        """The sum of the slacks at the present values."""
        return sum(max(0.0, float(s.value or 0.0)) for s in self.slacks)

    def without_slacks(self, end: EndPoint) -> EndPoint:
        """An end point of the elastic model as one of the model itself."""
        ours = {id(s) for s in self.slacks}
        places = [k for k, v in enumerate(end.values) if id(v) not in ours]
        values = ComponentMap((v, x) for v, x in end.values.items() if id(v) not in ours)
        return replace(end, values=values, result=replace(end.result, x=np.asarray(end.result.x)[places]))


@contextmanager
def elastic(relaxed: RelaxedModel) -> Iterator[Stretched]:
    """Within, the rows of the pairs are elastic and the objective pays for it; the model is as before afterwards."""
    block = relaxed.block
    block.elastic = pyo.VarList(domain=pyo.NonNegativeReals)
    before = [(row, row.expr) for row in relaxed.rows]
    active = relaxed.penalised or relaxed.objective
    sense = pyo.minimize if active is None else active.sense
    try:
        slacks = [_stretch(row, block.elastic) for row in relaxed.rows]
        flat = tuple(s for group in slacks for s in group)
        cost = (WEIGHT if sense == pyo.minimize else -WEIGHT) * sum(flat)
        if active is not None:
            active.deactivate()
        block.elastic_objective = pyo.Objective(expr=cost + (0 if active is None else active.expr), sense=sense)
        yield Stretched(flat)
    finally:
        for row, expression in before:
            row.set_value(expression)
        if block.component("elastic_objective") is not None:
            block.del_component("elastic_objective")
        if active is not None:
            active.activate()
        block.del_component("elastic")


def _stretch(row: Any, slacks: Any) -> tuple[Any, ...]:
    """Let ``row`` give way; the slacks start at what it takes at the present values."""
    body, equality = row.body - (pyo.value(row.upper) or 0.0), row.equality
    above = slacks.add()
    if not equality:
        row.set_value(body - above <= 0)
        return (above,)
    below = slacks.add()
    row.set_value(body - above + below == 0)
    return (above, below)
