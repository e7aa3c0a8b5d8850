"""Kanzow and Schwartz' regularisation: one of the two sides of a pair is at most t, without a product.

Formulation: ``left, right >= 0, phi(left - t, right - t) <= 0`` with ``t = sqrt(mu)`` and ``phi(a, b) = a b`` where
``a + b >= 0``, ``-(a**2 + b**2) / 2`` elsewhere: a function with continuous derivatives whose zeros are exactly
the complementary pairs. Both branches are ``(max(a + b, 0)**2 - a**2 - b**2) / 2``. mu = 1, 1e-2, ..., 1e-8, then the
exact piece.
Accepts: any MPEC with continuous variables. Produces: a sequence of NLPs for Ipopt (second derivatives jump at ``a + b = 0``).
Exactness: stationary; no proof of global optimality whatever the number of starts.
Reference: Kanzow and Schwartz 2013, SIAM J. Optim. 23:770; Hoheisel, Kanzow and Schwartz 2013, Math. Program. 137:257.
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding, PairRow
from bilevel_lang.reformulation.nlp_options import Form


class KanzowSchwartz(NlpEncoding):
    """Pairs with one side within t of zero."""

    name = "kanzow-schwartz"
    component = "kanzow_schwartz"

    def rows(self, left: Any, right: Any, mu: Any, form: Form) -> tuple[PairRow, ...]:
        """``phi(left - t, right - t) <= 0``."""
        t = pyo.sqrt(mu)
        a, b = left - t, right - t
        total = a + b
        # max(s, 0)**2 = (s**2 + s |s|) / 2: smooth enough for Ipopt, and no if-then-else.
        return (PairRow((total**2 + total * abs(total)) / 4 - (a**2 + b**2) / 2, 0),)
