"""What a network of scenario sets is trained on: costs of pairs of a decision and a scenario, and sets drawn from them.

Every pair is solved once. A set is a choice of the scenarios that were solved for a decision, with probabilities; what it costs
is their mean, without another solve.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Floats

Ints = npt.NDArray[np.int64]

TILT = 3.0
"""Of sets that lean to one side: a scenario that is one deviation further on that side is up to exp(this) times as likely."""


@dataclass(frozen=True, eq=False)
class PairCosts:
    """``costs`` (k, S) of ``points`` (k, n) in ``scenarios`` (S, p), NaN where a pair was not solved or has no answer.

    ``weights`` (k,) >= 0: how much a decision counts. ``lower`` and ``upper`` (n,): the box of the decisions. Raises ValueError
    for shapes that do not fit, and for a decision without any cost.
    """

    points: Floats
    scenarios: Floats
    costs: Floats
    weights: Floats
    lower: Floats
    upper: Floats

    def __post_init__(self) -> None:
        k, n = self.points.shape
        if self.costs.shape != (k, len(self.scenarios)) or self.weights.shape != (k,) or self.lower.shape != (n,):
            raise ValueError(f"costs {self.costs.shape} do not fit {k} decisions and {len(self.scenarios)} scenarios")
        if not np.isfinite(self.costs).any(axis=1).all():
            raise ValueError("a decision has no cost in any scenario")
        if (self.weights < 0).any() or not np.isfinite(self.points).all() or not np.isfinite(self.scenarios).all():
            raise ValueError("weights have to be >= 0, decisions and scenarios finite")

    def __len__(self) -> int:
        return len(self.points)

    def rows(self, chosen: Ints) -> PairCosts:
        """The decisions ``chosen``."""
        return PairCosts(self.points[chosen], self.scenarios, self.costs[chosen], self.weights[chosen], self.lower, self.upper)

    def split(self, share: float, seed: int) -> tuple[PairCosts, PairCosts]:
        """(training, held out), by decisions; at least one in each."""
        order = np.random.Generator(np.random.Philox(seed)).permutation(len(self))
        held = min(max(1, round(share * len(self))), len(self) - 1)
        return self.rows(np.sort(order[held:])), self.rows(np.sort(order[:held]))

    def content_hash(self) -> str:
        """SHA-256 of all numbers."""
        digest = hashlib.sha256()
        for array in (self.points, self.scenarios, self.costs, self.weights, self.lower, self.upper):
            clean = np.where(np.isnan(array), np.nan, array + 0.0).astype("<f8")
            digest.update(str(array.shape).encode() + np.ascontiguousarray(clean).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Sets:
    """``owner`` (s,): the decision of each set; ``weights`` (s, S) its probabilities; ``costs`` (s,): its expected cost."""

    owner: Ints
    weights: sp.csr_matrix
    costs: Floats


def drawn_sets(pairs: PairCosts, each: int, generator: np.random.Generator) -> Sets:
    """``each`` sets for every decision: all of its scenarios, then in turn a few, all leaning to one side, any number of them,
    leaning again. So other means and spreads than those of the law are seen, and small sets not more than large ones."""
    rows: list[tuple[int, Ints, Floats]] = []
    centre, spread = pairs.scenarios.mean(axis=0), pairs.scenarios.std(axis=0)
    scaled = (pairs.scenarios - centre) / np.where(spread > 0, spread, 1.0)
    for k, costs in enumerate(pairs.costs):
        there = np.flatnonzero(np.isfinite(costs))
        for number in range(each):
            if number == 0:
                rows.append((k, there, np.full(len(there), 1.0 / len(there))))
            elif number % 2:
                few = float(np.exp(generator.uniform(0.0, np.log(len(there)))))
                size = round(few) if number % 4 == 1 else int(generator.integers(1, len(there) + 1))
                some = np.sort(generator.permutation(there)[:size])
                rows.append((k, some, np.full(size, 1.0 / size)))
            else:
                rows.append((k, there, _leaning(scaled[there], generator)))
    owner = np.array([k for k, _, _ in rows], dtype=np.int64)
    starts = np.cumsum([0, *(len(some) for _, some, _ in rows)])
    places, values = np.concatenate([r[1] for r in rows]), np.concatenate([r[2] for r in rows])
    weights = sp.csr_matrix((values, places, starts), shape=(len(rows), len(pairs.scenarios)))
    costs = np.array([float(share @ pairs.costs[k, some]) for k, some, share in rows])
    return Sets(owner, weights, costs)


def _leaning(scaled: Floats, generator: np.random.Generator) -> Floats:
    """Probabilities (S,) that grow exponentially in a random direction."""
    direction = generator.normal(size=scaled.shape[1])
    direction /= max(float(np.linalg.norm(direction)), 1e-12)
    height = generator.uniform(0.0, TILT) * (scaled @ direction)
    found = np.exp(height - height.max())
    shares: Floats = found / found.sum()
    return shares
