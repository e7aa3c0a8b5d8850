"""Bounds of a knapsack program that are linear in the decision that switches it, by column generation.

With any multipliers pi of the rows that tie knapsacks together, at every decision x that the form is of,

    cost(x) >= pi'(h - T x) + sum_k (base_k + shares_k'x) v_k(pi) + least of the columns in no knapsack,

where v_k(pi) is the least reduced cost of option k's fillings, found by dynamic programming: every answer at x takes one filling
of each knapsack, of the option that x has switched on, and no filling costs less than v_k. (Where x_j is 1, F_1's v counts once
and F_0's not at all.) That is affine in x; the multipliers of the linear program over patterns make it that program's optimum
at one x. Nothing of it relies on what a solver says: pi are taken as they come, and all the rest is computed here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bilevel_lang.solvers.branch_and_price.master import Master
from bilevel_lang.solvers.branch_and_price.pricing import Prices, priced
from bilevel_lang.solvers.branch_and_price.search import MISSING
from bilevel_lang.solvers.branch_and_price.switched import Switched
from bilevel_lang.solvers.program import Floats

ROUNDS = 100
"""Of pricing at one decision."""


@dataclass(frozen=True, slots=True)
class Cut:
    """``offset + slope'x`` is nowhere above the cost."""

    offset: float
    slope: Floats

    def at(self, x: Floats) -> float:
        """At ``x`` (n1,)."""
        return self.offset + float(self.slope @ x)


class PatternCuts:
    """Of one program, whose patterns are kept from one decision to the next. Raises SolverMissingError."""

    def __init__(self, form: Switched) -> None:
        self.form, self.cost = form, form.form.program.cost
        self._master = Master(form.form)

    def cut(self, x: Floats, near: float, deadline: float | None = None) -> Cut | None:
        """The best one at ``x`` (n1,), to ``near`` (relative); None where the patterns have no answer there, or time is over.

        ``x`` may lie between decisions.
        """
        form, best, found = self.form, -np.inf, None
        shift = form.technology @ x
        most = np.clip(form.base + form.shares @ x, 0.0, 1.0)
        self._master.begin(self.cost)
        self._master.set_sides(form.box.row_lower - shift, form.box.row_upper - shift)
        self._master.set_bounds(form.box.lower, form.box.upper, form.room, most)
        for _ in range(ROUNDS):
            shares = None if deadline is not None and time.perf_counter() >= deadline else self._master.solve()
            if shares is None:
                return found
            prices = priced(form.form, self.cost, form.box, form.room, shares.row_duals)
            cut = cut_of(form, prices)
            if np.isfinite(cut.offset) and cut.at(x) > best:
                best, found = cut.at(x), cut
            if shares.missing <= MISSING and shares.objective - best <= near * abs(shares.objective):
                return found
            # What no share of is allowed would change nothing.
            gain = np.where(most > 0, shares.block_duals - prices.values, 0.0)
            wanted = np.flatnonzero(gain > 1e-9 * max(1.0, abs(shares.objective)))
            if not self._master.add(wanted, prices.chosen[wanted]):
                return found if shares.missing <= MISSING else None
        return found


def cut_of(form: Switched, prices: Prices) -> Cut:
    """The cut that ``prices`` of the form's box prove, whatever their duals are."""
    duals, box = prices.duals, form.box
    paid = duals != 0
    side = np.where(duals > 0, box.row_lower, box.row_upper)
    offset = float(duals[paid] @ side[paid]) + prices.rest + float(form.base @ prices.values)
    return Cut(offset, np.asarray(form.shares.T @ prices.values - form.technology.T @ duals))
