"""The first stage with a network in place of the second: a program whose size does not depend on the number of scenarios.

    direct    min c'x + t               subject to  t >= N(x),  t >= sum_g theta_g,  theta_g >= cuts of group g,  first-stage rows
    residual  min c'x + sum theta + N(x)   subject to  theta_g >= cuts of group g,  first-stage rows

N is pushed down in both, so that an input-convex network costs rows and columns but no binaries (Amos, Xu and Kolter 2017).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.surrogate.embedding.arrays import Embedding
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.network import Network


@dataclass(frozen=True, eq=False)
class Learned:
    """``program`` over [x | theta | t | columns of the network]; its objective is what the surrogate says of the total cost."""

    program: MatrixProgram
    embedding: Embedding


def learned_program(cuts: Cuts, decisions: Decisions, network: Network, residual: bool, form: str) -> Learned:
    """See the module. Raises RefusedError and UsageError as :func:`~bilevel_lang.surrogate.embedding.construction.embed` does."""
    embedding = embed(network, decisions.inputs, form, ("down",))
    assert not len(embedding.sos1) and not len(embedding.complementary), "HiGHS has rows and integers only: NnOptions refuses"
    master = cuts.program(whole=True)
    n, begin = len(cuts.cost), master.columns + 1
    total = begin + embedding.columns
    place = np.concatenate([decisions.seen, np.arange(begin, total)])
    wide = _placed(master.matrix, np.arange(master.columns), total)
    output = _placed(embedding.outputs.weights, place, total)
    bias = float(embedding.outputs.bias[0])
    cost = np.concatenate([master.cost, np.zeros(total - master.columns)])
    rows, low = [wide, _placed(embedding.matrix, place, total)], [master.row_lower, embedding.row_lower]
    if residual:
        cost = cost + np.asarray(output.toarray()).ravel()
    else:
        cost[n : master.columns], cost[begin - 1] = 0.0, 1.0
        t = sp.csr_matrix((np.ones(1), (np.zeros(1, dtype=int), [begin - 1])), shape=(1, total))
        thetas = sp.csr_matrix((np.ones(cuts.count), (np.zeros(cuts.count, dtype=int), np.arange(n, n + cuts.count))), (1, total))
        # Without cuts the thetas are 0 and say nothing of t.
        rows += [t - output, t - thetas] if cuts.slopes else [t - output]
        low += [np.array([bias, 0.0] if cuts.slopes else [bias])]
    lower = np.concatenate(low)
    up = [master.row_upper, embedding.row_upper]
    up += [np.full(len(lower) - sum(map(len, up)), np.inf)]
    program = replace(
        master,
        lower=np.concatenate([master.lower, [0.0 if residual else -np.inf], embedding.lower]),
        upper=np.concatenate([master.upper, [0.0 if residual else np.inf], embedding.upper]),
        integer=np.concatenate([master.integer, [False], embedding.integer]),
        cost=cost,
        matrix=sp.csr_matrix(sp.vstack(rows)),
        row_lower=lower,
        row_upper=np.concatenate(up),
        constant=master.constant + (bias if residual else 0.0),
    )
    return Learned(program, embedding)


def _placed(matrix: sp.csr_matrix, place: np.ndarray, total: int) -> sp.csr_matrix:
    """The rows of ``matrix`` with its column j at ``place[j]``, over ``total`` columns."""
    coo = matrix.tocoo()
    return sp.csr_matrix((coo.data, (coo.row, place[coo.col])), shape=(matrix.shape[0], total))
