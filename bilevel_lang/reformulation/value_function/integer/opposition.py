"""A leader who wants the opposite of what its follower wants: interdiction.

If the leader's objective holds the follower's columns only as minus a multiple of the follower's objective, and the leader's
rows hold none of them, every best answer is as good as any other: a solution is a decision and the value of the answer to it. The
follower's columns then need not be whole in the search, and the leader's objective is one in its own columns and the value.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.extended import Extended


def as_opposed(extended: Extended) -> Extended | None:
    """``extended`` for the search over decisions and values; None where leader and follower are not opposed like that."""
    source, program = extended.source, extended.program
    factor = opposition(source)
    if factor is None:
        return None
    integer, cost = program.integer.copy(), program.cost.copy()
    integer[: extended.n][source.follower] = False
    integer[extended.bodies.columns] = False
    cost[: extended.n][source.follower] = 0.0
    cost[extended.value] = factor * extended.value_scale
    return replace(extended, program=replace(program, integer=integer, cost=cost), opposed=True)


def opposition(source: BilevelProgram) -> float | None:
    """What a unit of the follower's objective costs the leader, if it has the sign that makes them opponents; else None."""
    relaxation = source.relaxation
    matrix = relaxation.matrix[np.flatnonzero(~source.follower_rows)]
    if (matrix[:, np.flatnonzero(source.follower)] != 0).nnz:
        return None
    wanted, mine = relaxation.cost[source.follower], source.follower_cost[source.follower]
    used = np.flatnonzero(mine)
    if not used.size:
        return None
    factor = float(wanted[used[0]] / mine[used[0]])
    if relaxation.sense * factor >= 0 or (np.abs(wanted - factor * mine) > 1e-12 * np.abs(wanted)).any():
        return None
    return factor
