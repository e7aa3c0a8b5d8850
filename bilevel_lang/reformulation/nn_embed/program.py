"""The single-level program: the high-point relaxation with a network in place of the follower's optimality.

    value     min F(z) + price * s           over all rows,  f(z) <= N(x) + s,  s >= 0
    leader    min N(x)                       over all rows
    response  min F(z) + price * sum |d|     over all rows,  y = N(x) + d

with F the leader's objective and f the follower's, both as minimisations. The slack keeps the program feasible where N is off.
Dumouchelle, Julien, Kurtz and Khalil 2024, NeurIPS ("Neur2BiLO"), sections 3.2 and 3.3; Moreno-Palancas et al. 2025.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.lp_bounds import largest_over
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.bounds.tightening import tighten_bounds
from bilevel_lang.surrogate.embedding.arrays import Embedding
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.polarity import Push
from bilevel_lang.surrogate.network import Network

PUSH: dict[str, Push] = {"value": "up", "leader": "down", "response": "both"}
"""What each program does with the network's outputs: a row ``f <= N`` gains from larger ones, a minimum from smaller ones."""


@dataclass(frozen=True, eq=False)
class EmbeddedProgram:
    """``program`` over [columns of the problem | slacks | columns of the network]; ``inputs`` are columns of the problem."""

    program: MatrixProgram
    embedding: Embedding
    target: str
    inputs: Ints
    columns: int
    slacks: int

    def start(self, point: Floats) -> Floats:
        """All columns at ``point`` (columns,) of the problem: the network's own follow; slacks are left to the solver."""
        hidden = self.embedding.complete(point[self.inputs][None, :])[0]
        return np.concatenate([point, np.full(self.slacks, np.nan), hidden])

    def claim(self, x: Floats, source: BilevelProgram) -> float:
        """What the program says at its point ``x`` that the leader gets, in the leader's own sense."""
        relaxation = source.relaxation
        if self.target == "leader":
            return float(relaxation.sense * self.program.objective_at(x))
        return relaxation.objective_at(x[: self.columns])


def embedded_program(
    source: BilevelProgram, inputs: Ints, domain: InputSet, network: Network, target: str, form: str, price: float
) -> EmbeddedProgram:
    """See the module; ``price`` of a unit of slack. ``network`` takes ``inputs`` and speaks of minimisations.

    Raises RefusedError and UsageError as :func:`~bilevel_lang.surrogate.embedding.construction.embed` does.
    """
    bounds = tighten_bounds(network, domain, largest_over) if network.neurons else None
    embedding = embed(network, domain, form, (PUSH[target],) * network.outputs, bounds)
    assert not len(embedding.sos1) and not len(embedding.complementary), "HiGHS has rows and integers only: NnOptions refuses"
    own = np.flatnonzero(source.follower)
    slacks = {"value": 1, "leader": 0, "response": 2 * len(own)}[target]
    wide = _widened(source, inputs, embedding, slacks)
    n, total = source.relaxation.columns, wide.columns
    output = _placed(embedding.outputs.weights, inputs, n + slacks, total)
    cost = wide.cost.copy()
    cost[n : n + slacks] = price
    if target == "leader":
        cost = np.asarray(output.toarray()).ravel()
        return EmbeddedProgram(
            replace(wide, cost=cost, constant=float(embedding.outputs.bias[0])), embedding, target, inputs, n, slacks
        )
    if target == "value":
        left = np.zeros(total)
        left[:n], left[n] = source.follower_cost, -1.0
        rows, low = sp.csr_matrix(left) - output, np.full(1, -np.inf)
    else:
        k = len(own)
        each = np.arange(k)
        places = np.concatenate([own, n + each, n + k + each])
        signs = np.repeat([1.0, -1.0, 1.0], k)
        rows = sp.csr_matrix((signs, (np.tile(each, 3), places)), shape=(k, total)) - output
        low = embedding.outputs.bias
    program = replace(
        wide,
        cost=cost,
        matrix=sp.csr_matrix(sp.vstack([wide.matrix, rows])),
        row_lower=np.concatenate([wide.row_lower, low]),
        row_upper=np.concatenate([wide.row_upper, embedding.outputs.bias]),
    )
    return EmbeddedProgram(program, embedding, target, inputs, n, slacks)


def _widened(source: BilevelProgram, inputs: Ints, embedding: Embedding, slacks: int) -> MatrixProgram:
    """The relaxation as a minimisation, with columns for slacks and network and the network's rows."""
    base = source.relaxation
    n, k = base.columns, embedding.columns
    total = n + slacks + k
    matrix = sp.csr_matrix((base.matrix.data, base.matrix.indices, base.matrix.indptr), shape=(base.rows, total))
    zeros, flags = np.zeros(slacks), np.zeros(slacks, dtype=bool)
    return replace(
        base,
        lower=np.concatenate([base.lower, zeros, embedding.lower]),
        upper=np.concatenate([base.upper, np.full(slacks, np.inf), embedding.upper]),
        integer=np.concatenate([base.integer, flags, embedding.integer]),
        cost=np.concatenate([base.sense * base.cost, zeros, np.zeros(k)]),
        matrix=sp.csr_matrix(sp.vstack([matrix, _placed(embedding.matrix, inputs, n + slacks, total)])),
        row_lower=np.concatenate([base.row_lower, embedding.row_lower]),
        row_upper=np.concatenate([base.row_upper, embedding.row_upper]),
        constant=base.sense * base.constant,
        sense=1,
    )


def _placed(matrix: sp.csr_matrix, inputs: Ints, begin: int, total: int) -> sp.csr_matrix:
    """Rows over [inputs | network] as rows over all ``total`` columns, those of the network from ``begin`` on."""
    coo = matrix.tocoo()
    place = np.concatenate([inputs, np.arange(begin, total)])
    return sp.csr_matrix((coo.data, (coo.row, place[coo.col])), shape=(matrix.shape[0], total))
