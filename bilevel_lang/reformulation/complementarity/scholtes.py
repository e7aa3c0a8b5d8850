"""Scholtes' regularisation: ``left * right <= mu`` for a decreasing sequence of mu, from several starts.

Formulation: ``left, right >= 0, left * right <= mu``, mu = 1, 1e-2, ..., 1e-8; then the pairs are decided (the smaller side is
fixed at 0) and the NLP of that piece is solved once more, so that the answer is complementary to the solver's own tolerance.
Accepts: any MPEC with continuous variables. Produces: a sequence of NLPs for Ipopt.
Exactness: stationary; no proof of global optimality whatever the number of starts.
Reference: Scholtes 2001, SIAM J. Optim. 11:918; Hoheisel, Kanzow and Schwartz 2013, Math. Program. 137:257.
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.complementarity.encoding import Encoded
from bilevel_lang.reformulation.complementarity.homotopy import MU, Homotopy, Starter
from bilevel_lang.reformulation.complementarity.pairs import as_variable, take_pairs
from bilevel_lang.reformulation.rewrite import Options
from bilevel_lang.solution import Exactness


class Scholtes:
    """Products of pairs pushed to zero."""

    name = "scholtes"
    solver = "ipopt"

    def encode(self, model: Any, options: Options, starter: Starter) -> Encoded:
        """One row ``encoding.product[name]`` for every pair, and the parameter ``encoding.mu`` (a fixed variable)."""
        for variable in model.component_data_objects(pyo.Var):
            if not variable.fixed and not variable.is_continuous():
                said = f"`{variable.name}` is integer and `scholtes` is for continuous problems"
                raise RefusedError(said, "use `--encoding sos1`")
        block, pairs = take_pairs(model)
        # The homotopy sets mu step by step; the model itself, as it is written to a file, states the last step.
        block.mu = pyo.Var()
        block.mu.fix(MU[-1])
        block.product = pyo.Constraint(pyo.Any)
        sides = []
        for pair in pairs:
            left = as_variable(block, f"{pair.name}.left", pair.left)
            right = as_variable(block, f"{pair.name}.right", pair.right)
            block.product[pair.name] = left * right - block.mu <= 0
            sides.append((left, right))
        return Encoded(Exactness.STATIONARY, Homotopy(model, block.mu, tuple(sides), starter).run)
