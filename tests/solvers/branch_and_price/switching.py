"""Random second stages made of knapsacks that decisions switch, and what they truly cost, by scipy."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.branch_and_price.switched import Domain
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from tests.solvers.branch_and_price.programs import assignment, known

KINDS = ("open", "larger", "most", "shared", "bought", "equal", "turned", "forced")
"""``open``: a room is there when it is open. ``larger``: some room is there anyway. ``most``: a bound of a few items is switched.
``shared``: two decisions are in one room's row. ``bought``: as much room as is bought, beside the switches; ``equal``: customers
are served exactly once. ``turned``: rows are written as >=. ``forced``: a room that is open has to take its first item."""

BINS, ITEMS = 3, 5


def second_stage(kind: str, seed: int) -> tuple[MatrixProgram, sp.csr_matrix, Domain]:
    """The program at x = 0, its technology matrix, and decisions: x_1, x_2, x_3 in {0, 1}, x_4 in [0, 3]."""
    program, draw = assignment(seed), np.random.default_rng(seed + 500)
    room = program.row_upper[:BINS]
    entries = sp.lil_matrix((program.rows, BINS + 1))
    upper, lower = program.row_upper.copy(), program.row_lower.copy()
    upper[:BINS] = draw.integers(2, 5, BINS) if kind in ("larger", "shared") else 0.0
    for j in range(BINS):
        entries[j, j] = -room[j]
        for i in range(ITEMS):
            row = BINS + ITEMS + j * ITEMS + i
            if kind == "most" and i > 1:
                continue
            if kind in ("open", "most", "equal", "turned", "bought"):
                entries[row, j], upper[row] = -1.0, 0.0
    if kind == "most":
        upper[:BINS], entries[:BINS] = room, 0.0
    if kind == "shared":
        entries[0, 1] = -2.0
    if kind == "bought":
        entries[1, BINS] = -1.5
    if kind == "equal":
        upper[BINS : BINS + ITEMS] = 1.0
    if kind == "forced":
        for j in range(BINS):
            entries[BINS + ITEMS + j * ITEMS, j], lower[BINS + ITEMS + j * ITEMS] = -1.0, 0.0
    program = replace(program, row_upper=upper, row_lower=lower)
    matrix = sp.csr_matrix(entries)
    if kind == "turned":
        program = replace(program, matrix=-program.matrix, row_lower=-program.row_upper, row_upper=-program.row_lower)
        matrix = -matrix
    bounds = np.zeros(BINS + 1), np.array([1.0, 1.0, 1.0, 3.0])
    return program, matrix, Domain(*bounds, np.array([True, True, True, False]))


def decisions() -> Floats:
    """(k, 4): all of the binary ones with three values of the last."""
    return np.array([[*x, u] for x in itertools.product((0.0, 1.0), repeat=BINS) for u in (0.0, 1.3, 3.0)])


def true_cost(program: MatrixProgram, technology: sp.csr_matrix, x: Floats, whole: bool = True) -> float:
    """At ``x`` (4,), +inf without an answer; not ``whole``: of the linear relaxation."""
    shift = technology @ x
    integer = program.integer & whole
    at = replace(program, integer=integer, row_lower=program.row_lower - shift, row_upper=program.row_upper - shift)
    found = known(at)
    return float(found.fun) if found.status == 0 else np.inf
