"""From an answer in the modeller's terms to a point of the MPEC: what the KKT rewrite adds gets its values back."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.analysis.linearised import NotLinearisedError, linearise
from bilevel_lang.analysis.stationarity import LARGEST, classify
from bilevel_lang.errors import BilevelError
from bilevel_lang.oracle.agent_model import UNDEFINED
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.complementarity.pairs import conditions, take_pairs
from bilevel_lang.reformulation.optimality_conditions import BuiltMpec, build_mpec
from bilevel_lang.solution import Point, Stationarity


def stationarity_of(problem: BilevelProblem, point: Point, values: ComponentMap) -> Stationarity | None:
    """The kind of stationary point that ``point`` (completed: ``values``) is, None for a problem without complementarities.

    Where it cannot be told, ``kind`` is None and ``how`` begins with ``not computed``.
    """
    if sum(len(agent.variables) + len(agent.rows) for agent in problem.agents) > LARGEST:
        return _not_computed(f"more than {LARGEST} variables or pairs")
    try:
        built = build_mpec(problem)
        if next(conditions(built.twin.model), None) is None:
            return None
        _load(built, point, values)
        block, pairs = take_pairs(built.twin.model)
        _load_parts(block)
        return classify(linearise(built.twin.model, pairs))
    except NotLinearisedError as reason:
        return _not_computed(str(reason))
    except BilevelError as error:
        return _not_computed(error.diagnostics[0].message)
    except UNDEFINED as error:
        return _not_computed(f"a function is not defined at the point ({error})")


def _not_computed(reason: str) -> Stationarity:
    return Stationarity(None, None, None, 0, 0, f"not computed: {reason}")


def _load(built: BuiltMpec, point: Point, values: ComponentMap) -> None:
    """The modeller's variables, the multipliers of rows that the answer reports, and those of bounds that stationarity leaves.

    Integers are fixed where they are.
    """
    for original, twin in built.twin.variables.items():
        if original in values:
            twin.set_value(values[original], skip_validation=True)
        if not twin.is_continuous() and not twin.fixed:
            twin.fix(round(twin.value))
    reported = [name for name, _, _ in point.multipliers]
    if reported != [name for name, _, _, _ in built.multipliers]:
        raise NotLinearisedError("the answer does not report the multipliers of all rows")
    for (_, value, _), (_, terms, _, _) in zip(point.multipliers, built.multipliers, strict=True):
        for factor, variable in terms:
            # Of the two of a range at most one is not zero: the one whose cone the number is in.
            share = value / factor
            if len(terms) > 1:
                share = max(share, 0.0) if variable.lb == 0 else min(share, 0.0)
            variable.set_value(share, skip_validation=True)
    _load_bound_multipliers(built.block)


def _load_bound_multipliers(block: Any) -> None:
    """What is left of each agent's stationarity is the multiplier of the bound that pushes that way."""
    if block.component("bound_multiplier") is None:
        return  # no agent has a bound
    multipliers = {id(v): v for v in block.bound_multiplier.values()}
    for variable in multipliers.values():
        variable.set_value(0.0)
    for row in block.stationarity.values() if block.component("stationarity") is not None else ():
        rest = float(pyo.value(row.body)) - float(pyo.value(row.upper))
        for name in (f"{row.index()}.lower", f"{row.index()}.upper"):
            if name not in block.bound_multiplier:
                continue
            variable = block.bound_multiplier[name]
            # Stationarity holds ``- z_lower + z_upper``.
            value = max(0.0, rest if name.endswith(".lower") else -rest)
            variable.set_value(value)


def _load_parts(block: Any) -> None:
    """The two parts of the function of a mixed condition ``lo <= y <= up _|_ F``: the row ``F = plus - minus``."""
    for name, row in block.row.items():
        if f"{name}.lower" not in block.part:
            continue
        plus, minus = block.part[f"{name}.lower"], block.part[f"{name}.upper"]
        plus.set_value(0.0)
        minus.set_value(0.0)
        without = float(pyo.value(row.body))
        plus.set_value(1.0)
        slope = float(pyo.value(row.body)) - without
        force = (float(pyo.value(row.upper)) - without) / slope
        plus.set_value(max(force, 0.0))
        minus.set_value(max(-force, 0.0))
