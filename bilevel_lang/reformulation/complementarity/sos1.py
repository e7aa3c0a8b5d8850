"""SOS1: at most one of the two sides of a pair is non-zero. No big-M at all.

Formulation: ``left, right >= 0`` as variables, ``SOS1(left, right)``.
Accepts: any MPEC. Produces: an LP, QP or NLP with SOS1 sets, for solvers that branch on them (SCIP, Gurobi).
Exactness: exact.
Reference: Siddiqui and Gabriel 2013, Netw. Spat. Econ. 13:205; Kleinert and Schmidt 2023, Comput. Manag. Sci. 20:3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyomo.environ as pyo

from bilevel_lang.reformulation.complementarity.encoding import Encoded
from bilevel_lang.reformulation.complementarity.homotopy import Starter
from bilevel_lang.reformulation.complementarity.pairs import Pair, as_variable, take_pairs
from bilevel_lang.reformulation.complementarity.piece import polished
from bilevel_lang.reformulation.complementarity.second_opinion import run_with_second_opinion
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.solver import Solver, SolverRun


class Sos1:
    """Pairs as SOS1 sets."""

    name = "sos1"
    solver = "scip"

    def encode(self, model: Any, options: Options, starter: Starter) -> Encoded:
        """One SOS1 set ``encoding.sos1[name]`` for every pair."""
        block, pairs = take_pairs(model)
        members = self.state(block, pairs)

        def run(solver: Solver, wanted: Options) -> SolverRun:
            return polished(model, members, run_with_second_opinion(model, block, solver, wanted), wanted)

        return Encoded(Exactness.EXACT, run)

    def state(self, block: Any, pairs: Sequence[Pair]) -> list[tuple[Any, Any]]:
        """The sets of ``pairs`` in ``block``; the sides of each."""
        members: dict[str, tuple[Any, Any]] = {}
        for pair in pairs:
            left = as_variable(block, f"{pair.name}.left", pair.left)
            right = as_variable(block, f"{pair.name}.right", pair.right)
            members[pair.name] = (left, right)
        block.sos1 = pyo.SOSConstraint(list(members), rule=lambda b, name: (list(members[name]), [1, 2]), sos=1)
        return list(members.values())
