"""By how much the rows of a second stage have to be violated: the program that a decision without an answer is judged by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays


def elastic(arrays: TwoStageArrays) -> TwoStageArrays:
    """By how much the rows of the second stage have to be violated in sum: its cost is 0 where a scenario has an answer."""
    rows, columns = arrays.recourse.shape
    entries = np.arange(rows)
    slack = sp.csr_matrix((np.ones(rows), (entries, entries)), shape=(rows, rows))
    matrix = sp.csr_matrix(sp.hstack([arrays.recourse, slack, -slack]))
    varying = {name: v for name, v in arrays.varying.items() if name not in ("cost", "constant", "first_cost")}
    if (found := varying.get("recourse")) is not None:
        # Two more entries stand at the end of every row before.
        row = np.searchsorted(arrays.recourse.indptr, found.places, side="right") - 1
        varying["recourse"] = replace(found, places=found.places + 2 * row)
    return replace(
        arrays,
        first=replace(arrays.first, sense=1),
        lower=np.concatenate([arrays.lower, np.zeros(2 * rows)]),
        upper=np.concatenate([arrays.upper, np.full(2 * rows, np.inf)]),
        integer=np.zeros(columns + 2 * rows, dtype=bool),
        cost=np.concatenate([np.zeros(columns), np.ones(2 * rows)]),
        constant=0.0,
        recourse=matrix,
        varying=varying,
    )
