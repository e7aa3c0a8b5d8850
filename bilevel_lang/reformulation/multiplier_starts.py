"""The multipliers of followers' answers as start values of the multipliers in an MPEC.

Signs as in :mod:`bilevel_lang.problem`. At an answer with its multipliers the rows of stationarity and the pairs hold, so that a
descent begins at a point of the MPEC and not at one that only looks like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.response import LocalAnswer
from bilevel_lang.problem import Agent
from bilevel_lang.reformulation.rewrite import Multiplier


class MultiplierStarts:
    """Where the multipliers of rows and bounds are in one rewritten model."""

    def __init__(self, multipliers: Sequence[Multiplier], twins: ComponentMap) -> None:
        self._of_row: dict[int, list[Multiplier]] = {}
        for multiplier in multipliers:
            self._of_row.setdefault(id(multiplier.component), []).append(multiplier)
        self._bounds = _bound_multipliers(twins)

    def write(self, agent: Agent, answer: LocalAnswer) -> None:
        """Write the multipliers of ``answer``; those that the model does not have, or has more than once, are left alone."""
        for row, dual in answer.rows:
            found = self._of_row.get(id(row.component), [])
            if len(found) == 1:
                _split(found[0].expression, dual)
        for variable, cost in answer.reduced_costs.items():
            pull = agent.sign * cost
            self._put(f"{variable.name}.lower", max(0.0, pull))
            self._put(f"{variable.name}.upper", max(0.0, -pull))

    def _put(self, name: str, value: float) -> None:
        if name in self._bounds:
            self._bounds[name].set_value(value, skip_validation=True)


def _split(terms: Any, value: float) -> None:
    """Give ``value`` to the first of the terms that may have it, 0 to the others (a range has one for each side)."""
    left = value
    for factor, variable in terms:
        if variable.fixed:
            continue
        own = left / factor
        fits = (variable.lb is None or own >= variable.lb) and (variable.ub is None or own <= variable.ub)
        variable.set_value(own if fits else 0.0, skip_validation=True)
        left = 0.0 if fits else left


def _bound_multipliers(twins: ComponentMap) -> dict[str, Any]:
    """The variables ``kkt.bound_multiplier[name]`` of the model that the twins are in, by name."""
    model = next((twin.model() for twin in twins.values()), None)
    if model is None:
        return {}
    found: dict[str, Any] = {}
    for block in model.component_objects(pyo.Block, descend_into=False):
        container = block.component("bound_multiplier") if block.local_name.startswith("kkt") else None
        if container is not None and container.ctype is pyo.Var:
            found.update((str(name), variable) for name, variable in container.items())
    return found
