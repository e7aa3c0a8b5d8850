"""The product of the two sides of a pair equals mu (or is at most mu), for a decreasing sequence of mu.

Formulation: ``left, right >= 0, left * right = mu`` (the central path of the pair), mu = 1, 1e-2, ..., 1e-8, then the exact
piece; with ``form="inequality"`` it is Scholtes' regularisation. Both may be added up to one row for all pairs.
Accepts: any MPEC with continuous variables. Produces: a sequence of NLPs for Ipopt.
Exactness: stationary; no proof of global optimality whatever the number of starts. The equality has no strictly complementary
start to lose, but its NLPs have fewer points than those of the inequality: a pair cannot be 0 at both sides before the end.
Reference: Ferris, Dirkse and Meeraus 2005, in Kehoe et al. (eds), Frontiers in Applied General Equilibrium Modeling, 67-94
(the reformulation ``mult`` of NLPEC); Facchinei, Jiang and Qi 1999, Math. Program. 85:107, on smoothing by equalities.
"""

from __future__ import annotations

from typing import Any

from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding, PairRow
from bilevel_lang.reformulation.nlp_options import Form


class Product(NlpEncoding):
    """Products of pairs on the central path."""

    name = "product"
    component = "product"
    forms = ("equality", "inequality")
    aggregates = True

    def rows(self, left: Any, right: Any, mu: Any, form: Form) -> tuple[PairRow, ...]:
        """``left * right = mu``, or ``<= mu``."""
        return (PairRow(left * right, mu, form == "equality"),)
