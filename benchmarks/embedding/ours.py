"""Our side of the comparison: build, tighten, search for a start, solve with HiGHS; processor seconds of each."""

from __future__ import annotations

import time
from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.lp_bounds import largest_over
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.bounds.tightening import tighten_bounds
from bilevel_lang.surrogate.embedding.arrays import Embedding
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.local_search import search
from bilevel_lang.surrogate.network import Floats, Network

GAP = 1e-4
REPEAT = 4
"""The embedding is built so often, and the least time counts, here as for the peers."""
SETTINGS = {"mip_heuristic_effort": 0.0}
"""Where there is a start: HiGHS's own searches take half of its time here and do not better what the forward pass has found."""
FEW = 15
"""Binaries up to which HiGHS is done before a local search would be."""


@dataclass(frozen=True)
class Outcome:
    """Of one tool on one problem. ``build`` is the embedding alone; ``solve`` all the rest: bounds, start and solver."""

    build: float
    binaries: int
    solve: float
    status: str
    objective: float
    bound: float


def input_set(inputs: int, lower: float, upper: float, capacity: float) -> InputSet:
    """A box, and the row sum_j (1 + j / 10) x_j >= capacity unless that is 0."""
    ones, rows = np.ones(inputs), 1 if capacity else 0
    weights = sp.csr_matrix((1 + np.arange(inputs) / 10)[None][:rows].reshape(rows, inputs))
    names = tuple(f"x{j}" for j in range(inputs))
    return InputSet(
        lower * ones, upper * ones, np.zeros(inputs, dtype=bool), names, weights, np.full(rows, capacity), np.full(rows, np.inf)
    )


def minimise(network: Network, inputs: InputSet, limit: float) -> Outcome:
    """The least output over ``inputs``, as nn-embed would have it: form split, pushed down."""
    built = min(_seconds(network, inputs) for _ in range(REPEAT))
    start = time.process_time()
    bounds = tighten_bounds(network, inputs, largest_over)
    embedding = embed(network, inputs, push=("down",), bounds=bounds)
    point = search(network, inputs, np.ones(1)) if embedding.binaries > FEW else None
    solver = loaded(embedding, inputs, point, limit)
    solver.run()
    seconds = time.process_time() - start
    info = solver.getInfo()
    x = np.array(solver.getSolution().col_value)[: inputs.inputs]
    value = float(network(x[None])[0, 0])
    return Outcome(built, embedding.binaries, seconds, solver.getModelStatus().name, value, info.mip_dual_bound)


def _seconds(network: Network, inputs: InputSet) -> float:
    """Of building the embedding once."""
    start = time.process_time()
    embed(network, inputs, push=("down",))
    return time.process_time() - start


def loaded(embedding: Embedding, inputs: InputSet, point: Floats | None, limit: float) -> highspy.Highs:
    """HiGHS with the problem and the start in it, one thread."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    settings = {"threads": 1, "mip_rel_gap": GAP, "time_limit": limit} | (SETTINGS if point is not None else {})
    for key, value in settings.items():
        solver.setOptionValue(key, value)
    wide = sp.hstack([inputs.rows, sp.csr_matrix((inputs.rows.shape[0], embedding.columns))])
    matrix = sp.vstack([wide, embedding.matrix], format="csr")
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = matrix.shape[1], matrix.shape[0]
    lp.col_cost_, lp.offset_ = embedding.outputs.weights.toarray()[0], float(embedding.outputs.bias[0])
    lp.col_lower_, lp.col_upper_ = np.append(inputs.lower, embedding.lower), np.append(inputs.upper, embedding.upper)
    lp.row_lower_ = np.append(inputs.row_lower, embedding.row_lower)
    lp.row_upper_ = np.append(inputs.row_upper, embedding.row_upper)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    kinds = np.append(inputs.integer, embedding.integer)
    lp.integrality_ = [highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous for whole in kinds]
    solver.passModel(lp)
    if point is not None:
        given = highspy.HighsSolution()
        given.col_value = list(np.append(point, embedding.complete(point[None])[0]))
        solver.setSolution(given)
    return solver
