"""The products of all pairs in the objective, with a weight that grows.

Formulation: minimise ``f + (1/mu) sum(left * right)`` with ``left, right >= 0`` (for a maximum: minus the sum), mu = 10, 1, ...,
1e-4, then the exact piece. The penalty is exact: under mild conditions the products are 0 from a finite weight on.
Accepts: any MPEC with continuous variables. Produces: a sequence of NLPs for Ipopt, with no row for any pair: their feasible sets
are those of the high-point relaxation with the followers' stationarity, which keeps constraint qualifications.
Exactness: stationary; no proof of global optimality whatever the number of starts. An end point whose pairs are not complementary
counts as none.
Reference: Ralph and Wright 2004, Optim. Methods Softw. 19:527; Leyffer, Lopez-Calva and Nocedal 2006, SIAM J. Optim. 17:52.
"""

from __future__ import annotations

from typing import Any

from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding


class Penalty(NlpEncoding):
    """Products of pairs as a cost."""

    name = "penalty"
    # A weight beyond 1e4 spoils the scaling and brings nothing: the penalty is exact.
    steps = (10.0, 1.0, 0.1, 1e-2, 1e-4)

    def cost(self, left: Any, right: Any, mu: Any) -> Any:
        """``left * right / mu``."""
        return left * right / mu
