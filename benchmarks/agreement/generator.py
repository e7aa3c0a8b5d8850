"""The random instances, family by family."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.agreement.instances import FAMILIES, Floats, Follower, Instance, Price, Rows

PATTERNS = 64
"""A ``dualvar`` instance has at most this many patterns of active sides, since all of them have to be looked at."""


def instance(family: str, seed: int) -> Instance:
    """The instance of that family and seed."""
    return _Draw(family, np.random.default_rng((FAMILIES.index(family), seed))).instance(f"{family}/{seed}")


class _Draw:
    """One instance being drawn; ``inside`` is a point that most of the rows contain."""

    def __init__(self, family: str, random: np.random.Generator) -> None:
        self.family = family
        self.random = random
        self.leaders = int(random.choice([1, 2], p=[0.6, 0.4]))
        count = 2 if family == "nash" else 1
        most = {"nash": 3, "dualvar": 3}.get(family, 4)
        self.sizes = [int(random.integers(1, most)) for _ in range(count)]
        self.prices = int(family == "dualvar")
        self.n = self.leaders + sum(self.sizes) + self.prices
        self.z = self.n - self.prices
        self.inside = random.integers(0, 3, self.n).astype(float)
        self.solvable = random.random() < 0.9

    def instance(self, name: str) -> Instance:
        followers, first = [], self.leaders
        for size in self.sizes:
            followers.append(self._follower(tuple(range(first, first + size))))
            first += size
        lower, upper = self._bounds(followers)
        while self.prices and _patterns(followers[0], lower, upper) > PATTERNS:
            followers[0] = self._follower(followers[0].columns)
            lower, upper = self._bounds(followers)
        prices = tuple(self._price(followers[0]) for _ in range(self.prices))
        integer = np.zeros(self.n, dtype=bool)
        integer[: self.leaders] = self.family == "integer"
        cost = self.random.integers(-4, 5, self.n).astype(float)
        sense = str(self.random.choice(["min", "max"]))
        quadratic = np.zeros((self.n, self.n))
        if self.family in ("qp-lp", "qp-qp") or (self.family in ("nash", "semidefinite") and self.random.random() < 0.4):
            quadratic = self._semidefinite(self.n, self.random.integers(1, self.n + 1)) * (1.0 if sense == "min" else -1.0)
        count = int(self.random.choice([0, 1, 2], p=[0.4, 0.4, 0.2]))
        rows = self._rows(count, np.ones(self.n, dtype=bool))
        return Instance(name, sense, lower, upper, integer, quadratic, cost, rows, tuple(followers), prices)

    def _follower(self, columns: tuple[int, ...]) -> Follower:
        size = len(columns)
        seen = np.ones(self.n, dtype=bool)
        seen[self.z :] = False  # a price is the leader's to look at
        rows = self._rows(int(self.random.integers(1, 4 if self.prices else 5)), seen)
        cost = self.random.integers(-4, 5, size).astype(float)
        cross = np.zeros((size, self.n))
        # A leader in the gradient of an LP follower moves it from vertex to vertex.
        if self.random.random() < 0.5 or self.family == "partial":
            cross = self.random.integers(-2, 3, (size, self.n)).astype(float)
            cross[:, list(columns)] = 0
            cross[:, self.z :] = 0
        hessian = np.zeros((size, size))
        if self.family in ("lp-qp", "qp-qp") or (self.family in ("nash", "dualvar", "integer") and self.random.random() < 0.5):
            hessian = self._semidefinite(size, size) + np.eye(size)
        elif self.family == "semidefinite":
            hessian = self._semidefinite(size, int(self.random.integers(1, size + 1)))
        if self.family == "degenerate":
            rows, cost = self._degenerate(rows, cost)
        return Follower(str(self.random.choice(["min", "max"])), columns, hessian, cross, cost, rows)

    def _semidefinite(self, size: int, rank: int) -> Floats:
        root = self.random.integers(-2, 3, (int(rank), size)).astype(float)
        return root.T @ root

    def _rows(self, count: int, seen: Floats) -> Rows:
        matrix = self.random.integers(-3, 4, (count, self.n)).astype(float) * seen
        matrix[self.random.random(matrix.shape) < 0.25] = 0
        if self.random.random() < 0.9:
            matrix[:, self.z :] = 0
        here = matrix[:, : self.z] @ self.inside[: self.z]
        if not self.solvable:
            here = here + self.random.integers(-6, 7, count)
        room = self.random.integers(0, 4, (2, count)).astype(float)
        kind = self.random.choice(["upper", "lower", "range", "equal"], count, p=[0.4, 0.35, 0.15, 0.1])
        lower = np.where(kind == "upper", -math.inf, here - np.where(kind == "equal", 0, room[0]))
        upper = np.where(kind == "lower", math.inf, here + np.where(kind == "equal", 0, room[1]))
        return Rows(matrix, lower, upper)

    def _degenerate(self, rows: Rows, cost: Floats) -> tuple[Rows, Floats]:
        """A row twice, once scaled or turned round; a redundant one; now and then a follower that does not care."""
        k, factor = int(self.random.integers(len(rows))), float(self.random.choice([1.0, 2.0, -1.0]))
        low, up = sorted((factor * rows.lower[k], factor * rows.upper[k]))
        weaker = np.array([rows.matrix[k], rows.matrix[k] * factor])
        wide_low, wide_up = rows.lower[k] - 1, rows.upper[k] + 1
        matrix = np.vstack([rows.matrix[:2], weaker])
        lower, upper = np.append(rows.lower[:2], [wide_low, low]), np.append(rows.upper[:2], [wide_up, up])
        chosen = self.random.random()
        if chosen < 0.25:
            cost = 0 * cost
        elif chosen < 0.5:
            # Parallel to a row: a whole face is optimal.
            cost = matrix[0, self.leaders : self.leaders + len(cost)].copy()
        return Rows(matrix, lower, upper), cost

    def _bounds(self, followers: list[Follower]) -> tuple[Floats, Floats]:
        """Leaders in a box, rarely with a side open; followers with bounds of every kind."""
        lower, upper = np.full(self.n, -math.inf), np.full(self.n, math.inf)
        lower[: self.leaders], upper[: self.leaders] = 0, self.random.integers(2, 5, self.leaders)
        if self.family != "integer" and self.random.random() < 0.15:
            upper[0] = math.inf
            lower[0] = self.random.choice([0, -2, -math.inf])
        free = 0.5 if self.family == "partial" else 0.2
        low_odds, up_odds = [0.6 - free / 2, 0.2, 0.3 - free / 2, free - 0.1], [0.4, 0.4 - free / 2, 0.2 + free / 2]
        for j in range(self.leaders, self.z):
            lower[j] = self.random.choice([0, -2, 1, -math.inf], p=low_odds)
            upper[j] = self.random.choice([4, 6, math.inf], p=up_odds)
        if self.random.random() < 0.1:
            j = int(self.random.integers(self.leaders, self.z))
            lower[j] = upper[j] = self.inside[j]
        return lower, upper

    def _price(self, follower: Follower) -> Price:
        return Price(self.n - 1, 0, int(self.random.integers(len(follower.rows))))


def _patterns(follower: Follower, lower: Floats, upper: Floats) -> int:
    """How many patterns of active sides there are: an equality has one, a range three."""
    total = 1
    own = list(follower.columns)
    for low, up in [*zip(follower.rows.lower, follower.rows.upper, strict=True), *zip(lower[own], upper[own], strict=True)]:
        total *= 1 if low == up else 1 + int(math.isfinite(low)) + int(math.isfinite(up))
    return total
