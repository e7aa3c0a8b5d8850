"""SOS1 on arrays: at most one of the two columns of a pair is not zero. No big-M at all.

Formulation: ``SOS1(left, right)`` for every pair. Accepts: any MPEC with linear rows and conditions. Produces: an LP, QP or MILP
with SOS1 sets for SCIP. Exactness: exact.
Reference: Siddiqui and Gabriel 2013, Netw. Spat. Econ. 13:205; Kleinert and Schmidt 2023, Comput. Manag. Sci. 20:3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.linear.encoding import EncodedArrays
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.piece import piece_of, polished
from bilevel_lang.reformulation.linear.second_opinion import run_with_second_opinion
from bilevel_lang.reformulation.linear.start import starting
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip import Scip


class LinearSos1:
    """Pairs as SOS1 sets."""

    name = "sos1"
    solvers: tuple[str, ...] = ("scip",)

    def encode(self, mpec: LinearMpec, solver: str, options: Options) -> EncodedArrays:
        """One set a pair, over the MPEC's own columns."""
        program = replace(mpec.program, sos1=np.column_stack([mpec.left, mpec.right]))

        def run(wanted: Options, start: Floats | None) -> MatrixRun:
            found = run_with_second_opinion(program, Scip(), wanted, starting(mpec, start), lambda x: piece_of(mpec, x))
            return polished(mpec, found, wanted.for_solver())

        return EncodedArrays(Exactness.EXACT, solver, run)
