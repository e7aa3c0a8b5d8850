"""How many columns of one price a relaxation takes: a fraction of one is rounded to the dear side by whole answers.

Often they are penalties: a relaxation pays for a third of a customer that is not served, the truth for a whole one. What that
adds is no bound, but it follows the true costs from decision to decision where the relaxation alone does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.branch_and_price.form import one_price
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats

NEARLY = 1e-6
"""A number of columns so near a whole one is whole."""


@dataclass(frozen=True, eq=False)
class Counted:
    """``columns`` of the second stage, and the price (S,) that they share in each scenario of a minimisation."""

    columns: Ints
    prices: Floats

    def rounding(self, spent: Floats) -> Floats:
        """(k, S), >= 0: what is missing to the dear side of the next whole number, where ``spent`` (k, S) goes to the columns."""
        count = spent / self.prices
        # Of penalties one more is dear, of rewards one less.
        side = np.where(self.prices > 0, np.ceil(count - NEARLY), np.floor(count + NEARLY))
        return np.asarray(np.maximum(0.0, self.prices * (side - count)))


def counted(arrays: TwoStageArrays) -> Counted | None:
    """Of ``arrays`` as they are written; None where no whole columns share a price in every scenario."""
    if not arrays.integer.any():
        return None
    columns = one_price(arrays.integer, arrays.sense * arrays.scenario(0).cost)
    prices = np.tile(arrays.sense * arrays.cost[columns], (arrays.scenarios, 1))
    if (random := arrays.varying.get("cost")) is not None:
        mine = np.isin(random.places, columns)
        prices[:, np.searchsorted(columns, random.places[mine])] = arrays.sense * random.values[:, mine]
    if not columns.size or (prices != prices[:, :1]).any() or (prices == 0).any():
        return None
    return Counted(columns, prices[:, 0])
