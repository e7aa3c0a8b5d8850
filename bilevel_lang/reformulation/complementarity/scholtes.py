"""Scholtes' regularisation: the product of the two sides of a pair is at most mu, for a decreasing sequence of mu.

Formulation: ``left, right >= 0, left * right <= mu``, mu = 1, 1e-2, ..., 1e-8; then the pairs are decided (the smaller side is
fixed at 0) and the NLP of that piece is solved once more, so that the answer is complementary to the solver's own tolerance.
Accepts: any MPEC with continuous variables. Produces: a sequence of NLPs for Ipopt.
Exactness: stationary; no proof of global optimality whatever the number of starts.
Reference: Scholtes 2001, SIAM J. Optim. 11:918; Hoheisel, Kanzow and Schwartz 2013, Math. Program. 137:257.
"""

from __future__ import annotations

from typing import Any

from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding, PairRow
from bilevel_lang.reformulation.nlp_options import Form


class Scholtes(NlpEncoding):
    """Products of pairs pushed to zero."""

    name = "scholtes"
    component = "product"
    aggregates = True

    def rows(self, left: Any, right: Any, mu: Any, form: Form) -> tuple[PairRow, ...]:
        """``left * right <= mu``."""
        return (PairRow(left * right, mu),)
