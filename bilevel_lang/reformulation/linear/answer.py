"""From a solver's array back to the modeller's variables and the agents' multipliers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverRun


def solver_run(mpec: LinearMpec, found: MatrixRun) -> SolverRun:
    """The run with its values on the modeller's variables, and with the reported multipliers."""
    if found.x is None:
        return found.on_components(None)
    return replace(found.on_components(values_at(mpec, found.x)), multipliers=multipliers_at(mpec, found.x))


def values_at(mpec: LinearMpec, x: Floats) -> ComponentMap:
    """The modeller's variables at ``x``; objective variables that were left out are computed."""
    values = ComponentMap(zip(mpec.variables, x[: len(mpec.variables)].tolist(), strict=True))
    for each in mpec.postponed:
        values[each.variable] = 0.0
        values[each.variable] = each.level + each.factor * number_at(each.expression, values)
    return values


def multipliers_at(mpec: LinearMpec, x: Floats) -> tuple[tuple[str, float, Any], ...]:
    """(row, reported multiplier, component) of every row of an agent that has one."""
    return tuple((m.name, float(sum(f * x[j] for f, j in m.terms)), m.component) for m in mpec.reported)
