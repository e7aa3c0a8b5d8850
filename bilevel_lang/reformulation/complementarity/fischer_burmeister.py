"""The smoothed function of Fischer and Burmeister, one row a pair.

Formulation: ``left + right - sqrt(left**2 + right**2 + 2 mu) = 0``, which is ``left * right = mu`` with both sides > 0; with
``form="inequality"`` it is ``<= 0``, that is ``left * right <= mu``. mu = 1, 1e-2, ..., 1e-8, then the exact piece.
Accepts: any MPEC with continuous variables. Produces: a sequence of NLPs for Ipopt.
Exactness: stationary; no proof of global optimality whatever the number of starts.
Reference: Fischer 1992, Optimization 24:269; Kanzow 1996, SIAM J. Matrix Anal. Appl. 17:851 (the smoothing); Facchinei, Jiang and
Qi 1999, Math. Program. 85:107 (for MPECs).
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding, PairRow
from bilevel_lang.reformulation.nlp_options import Form


class FischerBurmeister(NlpEncoding):
    """Pairs as zeros of a smoothed NCP function."""

    name = "fischer-burmeister"
    component = "fischer_burmeister"
    forms = ("equality", "inequality")

    def rows(self, left: Any, right: Any, mu: Any, form: Form) -> tuple[PairRow, ...]:
        """``left + right <= sqrt(left**2 + right**2 + 2 mu)``, or ``=``."""
        return (PairRow(left + right - pyo.sqrt(left**2 + right**2 + 2 * mu), 0, form == "equality"),)
