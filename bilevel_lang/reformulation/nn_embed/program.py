"""The single-level program: the high-point relaxation with a network in place of the follower's optimality.

    value     min F(z) + price * s   over all rows,  f(z) <= N(x) + s,  s >= 0
    leader    min N(x)               over all rows

with F the leader's objective and f the follower's, both as minimisations. The slack keeps the program feasible where N is too
low; Dumouchelle, Julien, Kurtz and Khalil 2024, NeurIPS ("Neur2BiLO"), sections 3.2 and 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.embedding.arrays import Embedding


@dataclass(frozen=True, eq=False)
class EmbeddedProgram:
    """``program`` over [columns of the problem | slack | columns of the network]; ``inputs`` are columns of the problem."""

    program: MatrixProgram
    embedding: Embedding
    inputs: Ints
    columns: int

    def start(self, point: Floats) -> Floats:
        """All columns at ``point`` (columns,) of the problem: the network's own follow; the slack is left to the solver."""
        hidden = self.embedding.complete(point[self.inputs][None, :])[0]
        return np.concatenate([point, [np.nan], hidden])


def value_program(source: BilevelProgram, inputs: Ints, embedding: Embedding, price: float) -> EmbeddedProgram:
    """See the module; ``price`` of a unit by which the follower's objective exceeds the network's value."""
    wide = _widened(source, inputs, embedding)
    n = source.relaxation.columns
    output = embedding.outputs
    row = -_placed(output.weights, inputs, n, wide.columns)
    row[:, :n] += sp.csr_matrix(source.follower_cost)
    row[0, n] = -1.0
    cost = wide.cost.copy()
    cost[n] = price
    program = replace(
        wide,
        cost=cost,
        matrix=sp.csr_matrix(sp.vstack([wide.matrix, row.tocsr()])),
        row_lower=np.append(wide.row_lower, -np.inf),
        row_upper=np.append(wide.row_upper, output.bias[0]),
    )
    return EmbeddedProgram(program, embedding, inputs, n)


def leader_program(source: BilevelProgram, inputs: Ints, embedding: Embedding) -> EmbeddedProgram:
    """See the module; the slack stays 0."""
    wide = _widened(source, inputs, embedding)
    n = source.relaxation.columns
    cost = np.asarray(_placed(embedding.outputs.weights, inputs, n, wide.columns).toarray()).ravel()
    upper = wide.upper.copy()
    upper[n] = 0.0
    program = replace(wide, cost=cost, upper=upper, constant=float(embedding.outputs.bias[0]))
    return EmbeddedProgram(program, embedding, inputs, n)


def _widened(source: BilevelProgram, inputs: Ints, embedding: Embedding) -> MatrixProgram:
    """The relaxation as a minimisation, with columns for slack and network and the network's rows."""
    base = source.relaxation
    n, k = base.columns, embedding.columns
    total = n + 1 + k
    matrix = sp.csr_matrix((base.matrix.data, base.matrix.indices, base.matrix.indptr), shape=(base.rows, total))
    return replace(
        base,
        lower=np.concatenate([base.lower, [0.0], embedding.lower]),
        upper=np.concatenate([base.upper, [np.inf], embedding.upper]),
        integer=np.concatenate([base.integer, [False], embedding.integer]),
        cost=np.concatenate([base.sense * base.cost, np.zeros(1 + k)]),
        matrix=sp.csr_matrix(sp.vstack([matrix, _placed(embedding.matrix, inputs, n, total)])),
        row_lower=np.concatenate([base.row_lower, embedding.row_lower]),
        row_upper=np.concatenate([base.row_upper, embedding.row_upper]),
        constant=base.sense * base.constant,
        sense=1,
    )


def _placed(matrix: sp.csr_matrix, inputs: Ints, columns: int, total: int) -> sp.lil_matrix:
    """Rows over [inputs | network] as rows over all ``total`` columns."""
    n = len(inputs)
    coo = matrix.tocoo()
    place = np.concatenate([inputs, np.arange(columns + 1, total)])
    assert matrix.shape[1] == n + total - columns - 1
    return sp.csr_matrix((coo.data, (coo.row, place[coo.col])), shape=(matrix.shape[0], total)).tolil()
