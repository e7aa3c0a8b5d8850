"""Fan-in split into blocks with bounds of their own: between big-M (one block) and a neuron's convex hull (one for each input).

Tsay, Kronqvist, Thebelt, Misener 2021, "Partition-based formulations for mixed-integer optimization of trained ReLU neural
networks", NeurIPS, eq. (6), with two blocks of sorted weights, their default. With a block's sum p_k, lo_k <= p_k <= up_k, and
q_k the part of it that is active (p_k where the neuron is, 0 where it is not):

    z = sum q_k + b active,  sum (p_k - q_k) + b (1 - active) <= 0,  z >= 0,
    lo_k (1 - active) <= p_k - q_k <= up_k (1 - active),  lo_k active <= q_k <= up_k active
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.bounds.interval import reach
from bilevel_lang.surrogate.embedding.arrays import ACTIVE, Ints
from bilevel_lang.surrogate.embedding.assembly import Assembly, Columns, Terms
from bilevel_lang.surrogate.embedding.split import add_switches
from bilevel_lang.surrogate.network import Affine, Floats

BLOCKS = 2


class Partition:
    """See the module."""

    name = "partition"
    needs_bounds = True
    rows_only = True

    def add(self, assembly: Assembly, neurons: Ints) -> None:
        """Columns ``active`` and ``block1``, ``block2``."""
        active = add_switches(assembly, neurons)
        bias, relu = assembly.bias[neurons], assembly.relu[neurons]
        lower, upper = assembly.column_bounds()
        sums = [Affine(part, np.zeros(len(neurons))) for part in blocks(assembly.affine[neurons])]
        pieces = [
            self._block(assembly, neurons, active, number, form, *reach(form, lower, upper)) for number, form in enumerate(sums)
        ]
        terms: Terms = [(q, 1.0) for q in pieces]
        assembly.add_rows("sum", neurons, None, [*terms, (active, bias), (relu, -1.0)], 0.0, 0.0)
        rest: Terms = [(q, -1.0) for q in pieces]
        assembly.add_rows("inactive_sum", neurons, assembly.before(neurons), [*rest, (active, -bias)], -np.inf, 0.0)

    def _block(self, assembly: Assembly, neurons: Ints, active: Ints, number: int, form: Affine, low: Floats, up: Floats) -> Ints:
        """The column q of one block and its four rows."""
        part = Columns(f"block{number + 1}", neurons, np.minimum(low, 0.0), np.maximum(up, 0.0), ACTIVE, form)
        q = assembly.add_columns(part)
        assembly.add_rows(f"active_low{number + 1}", neurons, None, [(q, 1.0), (active, -low)], 0.0, np.inf)
        assembly.add_rows(f"active_up{number + 1}", neurons, None, [(q, 1.0), (active, -up)], -np.inf, 0.0)
        assembly.add_rows(f"inactive_low{number + 1}", neurons, form, [(q, -1.0), (active, low)], low, np.inf)
        assembly.add_rows(f"inactive_up{number + 1}", neurons, form, [(q, -1.0), (active, up)], -np.inf, up)
        return q


def blocks(weights: sp.csr_matrix) -> list[sp.csr_matrix]:
    """``weights`` (k, columns) as a sum of BLOCKS matrices: of each row the smallest weights, ..., the largest."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    order = np.lexsort((weights.data, rows))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    rank -= weights.indptr[rows]
    block = rank * BLOCKS // np.maximum(1, np.diff(weights.indptr))[rows]
    made = []
    for number in range(BLOCKS):
        kept = weights.copy()
        kept.data = np.where(block == number, weights.data, 0.0)
        kept.eliminate_zeros()
        made.append(kept)
    return made
