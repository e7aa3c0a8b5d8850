"""Columns for decisions of the leader that stand in no linear row: its curved rows alone may hold them, and bound them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.contrib.fbbt.fbbt import fbbt
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.reformulation.value_function.integer.reading import ReadProblem


def with_columns(read: ReadProblem, variables: Sequence[Any], rows: Sequence[Any]) -> ReadProblem:
    """``read`` with ``variables`` of the leader as empty columns, bounded by the model and by the ``rows`` that hold them."""
    if not variables:
        return read
    boxes = [_box(v, rows) for v in variables]
    program, k = read.arrays.relaxation, len(variables)
    none = np.zeros(k)
    relaxation = replace(
        program,
        lower=np.append(program.lower, [low for low, _ in boxes]),
        upper=np.append(program.upper, [up for _, up in boxes]),
        integer=np.append(program.integer, [not v.is_continuous() for v in variables]),
        cost=np.append(program.cost, none),
        matrix=sp.csr_matrix(sp.hstack([program.matrix, sp.csr_matrix((program.rows, k))])),
    )
    arrays = replace(
        read.arrays,
        relaxation=relaxation,
        follower=np.append(read.arrays.follower, np.zeros(k, dtype=bool)),
        follower_cost=np.append(read.arrays.follower_cost, none),
    )
    return replace(read, arrays=arrays, variables=(*read.variables, *variables))


def _box(variable: Any, rows: Sequence[Any]) -> tuple[float, float]:
    """Bounds of ``variable``: the model's, and what feasibility-based tightening draws from each of the ``rows``."""
    low, up = (-math.inf if variable.lb is None else variable.lb), (math.inf if variable.ub is None else variable.ub)
    for row in rows:
        if any(v is variable for v in identify_variables(row.body, include_fixed=False)):
            found = _tightened(variable, row)
            low, up = max(low, found[0]), min(up, found[1])
    return float(low), float(up)


def _tightened(variable: Any, row: Any) -> tuple[float, float]:
    """What ``row`` says of ``variable``. Pyomo tightens in place, and the modeller's bounds are put back."""
    before = [(v, v.lb, v.ub) for v in identify_variables(row.body, include_fixed=False)]
    try:
        fbbt(row)
        low, up = variable.bounds
    except InfeasibleConstraintException:
        # No value satisfies the row: the judge says so of each decision.
        low, up = None, None
    finally:
        for v, lower, upper in before:
            v.setlb(lower)
            v.setub(upper)
    return (-math.inf if low is None else low), (math.inf if up is None else up)
