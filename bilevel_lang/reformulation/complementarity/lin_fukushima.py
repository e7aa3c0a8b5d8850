"""Lin and Fukushima's regularisation: two rows a pair, which take the place of the bounds as well.

Formulation: ``left * right <= t**2`` and ``(left + t) * (right + t) >= t**2`` with ``t = sqrt(mu)``; the sides themselves are
free as long as mu > 0 (the rows keep them above ``-t``). mu = 1, 0.1, ..., 1e-4, then the exact piece, in which they are >= 0.
Accepts: any MPEC with continuous variables whose functions are defined a little below 0. Produces: a sequence of NLPs for Ipopt.
Exactness: stationary; no proof of global optimality whatever the number of starts.
Reference: Lin and Fukushima 2005, Ann. Oper. Res. 133:63.
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding, PairRow
from bilevel_lang.reformulation.nlp_options import Form


class LinFukushima(NlpEncoding):
    """Pairs between two hyperbolas."""

    name = "lin-fukushima"
    component = "lin_fukushima"
    keeps_bounds = False
    # Between hyperbolas closer than this an interior point method hardly finds a way; the exact piece does the rest.
    steps = (1.0, 0.1, 1e-2, 1e-3, 1e-4)

    def rows(self, left: Any, right: Any, mu: Any, form: Form) -> tuple[PairRow, ...]:
        """The row above the pair's axes and the one below."""
        t = pyo.sqrt(mu)
        # (left + t) (right + t) - t**2 with the squares cancelled on paper: near the end t**2 is below the rounding of the rest.
        below = left * right + t * (left + right)
        return (PairRow(left * right, mu, part="above"), PairRow(-below, 0, part="below"))
