"""Indicators on arrays: one binary a pair says which of its two columns is zero. No big-M in the model.

Formulation: ``z = 1`` forces ``left <= 0`` and ``z = 0`` forces ``right <= 0``, z binary, for every pair. Accepts: any MPEC with
linear rows and conditions. Produces: indicator constraints for SCIP. Exactness: exact; SCIP branches on the binaries
and makes a big-M row of an indicator only where its own presolve has proven a bound.
Reference: Bonami, Lodi, Tramontani and Wiese 2015, Math. Program. 151:191; SCIP 10 documentation, ``cons_indicator``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.encoding import EncodedArrays
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.piece import piece_of, polished
from bilevel_lang.reformulation.linear.second_opinion import run_with_second_opinion
from bilevel_lang.reformulation.linear.start import starting
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.matrix import Indicator, MatrixProgram, MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip import Scip


class LinearIndicator:
    """Pairs as two indicators on one binary."""

    name = "indicator"
    solvers: tuple[str, ...] = ("scip",)

    def encode(self, mpec: LinearMpec, solver: str, options: Options) -> EncodedArrays:
        """A binary and two indicators a pair; the binaries come after the MPEC's own columns."""
        program = with_indicators(mpec)

        def run(wanted: Options, start: Floats | None) -> MatrixRun:
            begin = starting(mpec, start)
            # z = 1 forces left <= 0.
            decided = None if begin is None else np.concatenate([begin, (begin[mpec.left] <= 0).astype(float)])
            found = run_with_second_opinion(program, Scip(), wanted, decided, lambda x: piece_of(mpec, x))
            return polished(mpec, found, wanted.for_solver())

        return EncodedArrays(Exactness.EXACT, solver, run)


def with_indicators(mpec: LinearMpec) -> MatrixProgram:
    """The MPEC's program with its pairs as indicators, the binary of pair i in column ``program.columns + i``."""
    pairs, first = len(mpec.left), mpec.program.columns
    sides = zip(mpec.left.tolist(), mpec.right.tolist(), strict=True)
    both = ((Indicator(first + i, 1, left), Indicator(first + i, 0, right)) for i, (left, right) in enumerate(sides))
    return replace(with_binaries(mpec.program, pairs), indicators=tuple(each for two in both for each in two))


def with_binaries(program: MatrixProgram, count: int) -> MatrixProgram:
    """``program`` with ``count`` binary columns after its own, in no row yet."""
    n = program.columns + count
    wider = None
    if program.quadratic is not None:
        old = program.quadratic.tocoo()
        wider = sp.csc_matrix((old.data, (old.row, old.col)), shape=(n, n))
    return replace(
        program,
        lower=np.concatenate([program.lower, np.zeros(count)]),
        upper=np.concatenate([program.upper, np.ones(count)]),
        integer=np.concatenate([program.integer, np.ones(count, dtype=bool)]),
        cost=np.concatenate([program.cost, np.zeros(count)]),
        matrix=sp.hstack([program.matrix, sp.csr_matrix((program.rows, count))], format="csr"),
        quadratic=wider,
    )
