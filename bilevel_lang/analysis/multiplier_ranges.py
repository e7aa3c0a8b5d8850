"""``dualvar``: is the multiplier that the leader's model uses the only one?"""

from __future__ import annotations

from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.agent_model import UNDEFINED, value_of
from bilevel_lang.oracle.multiplier_ranges import multiplier_range
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.solution import MultiplierRange

SAME = 1e-6
"""Ends of a range closer than this, relative to max(1, |value|), are the same."""


def measure_multiplier_ranges(problem: BilevelProblem, values: ComponentMap) -> tuple[MultiplierRange, ...]:
    """One :class:`MultiplierRange` for each ``dualvar`` variable; those that cannot be had at the point are left out.

    So are multipliers that agents have in common (``visol``): what each agent by itself would allow is no range of theirs.
    """
    found = []
    for dual in problem.dual_maps:
        if problem.has_common_multiplier(dual.row):
            continue
        try:
            ends = multiplier_range(dual, values)
        except (*UNDEFINED, RefusedError):
            continue  # no derivative at the point: verification has said so
        if ends is None:
            continue
        value = value_of(dual.variable, values)
        unique = ends[1] - ends[0] <= SAME * max(1.0, abs(value))
        found.append(MultiplierRange(dual.variable.name, dual.row.name, value, *ends, unique))
    return tuple(found)
