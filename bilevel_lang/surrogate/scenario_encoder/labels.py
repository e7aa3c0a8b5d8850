"""What a network of scenario sets is trained on: costs of pairs of a decision and a scenario, each solved once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bilevel_lang.surrogate.network import Floats

Ints = npt.NDArray[np.int64]


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


def comparable_means(costs: Floats, scenarios: Floats) -> Floats:
    """(k,) mean costs of decisions that were not solved in the same scenarios: ``costs`` (k, S) as :class:`PairCosts` has them.

    What the means of their ``scenarios`` (S, p) differ by from those of all is taken out, at slopes that least squares find
    within the decisions: a control variate (Glasserman 2003, "Monte Carlo methods in financial engineering", section 4.1).
    Without it a decision looks good because its scenarios were.
    """
    there = np.isfinite(costs)
    count = np.maximum(there.sum(axis=1), 1)
    means: Floats = np.where(there, costs, 0.0).sum(axis=1) / count
    spread = scenarios.std(axis=0)
    scaled = (scenarios - scenarios.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    places = there @ scaled / count[:, None]
    rows, columns = np.nonzero(there)
    away = scaled[columns] - places[rows]
    # A little ridge: parameters may move together, or hardly at all.
    square = away.T @ away + 1e-6 * max(1, len(rows)) * np.eye(scaled.shape[1])
    slopes = np.linalg.solve(square, away.T @ (costs[rows, columns] - means[rows]))
    adjusted: Floats = means - places @ slopes
    return adjusted
