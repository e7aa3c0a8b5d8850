"""Random LP-LP problems, by size and seed.

    min cx'x + cy'y   over x in [0, 10]^n, where y solves   min d'y  s.t.  A x + B y <= b,  y in [0, 10]^n

with integer coefficients, A from -3 to 3 and B from 0 to 4, both dense. ``family`` may name harder relatives: see
:data:`FAMILIES`. Nothing here needs more than numpy: the environments of the peers read it too.
"""

from dataclasses import dataclass

import numpy as np

FAMILIES = {
    "plain": "as above",
    "two-signed": "B from -4 to 4, leader's costs opposed to the follower's, some rows with two sides",
    "sparse": "the same with about 5 entries a row and free signs of the leader's costs",
    "equalities": "the same with a fifth of the follower's rows as equations",
    "leader-rows": "the same with n/5 dense rows of the leader over x and y",
}

BOX = 10.0


@dataclass(frozen=True, eq=False)
class Instance:
    """``low <= A x + B y <= high`` is the follower's, ``G x + H y <= g`` the leader's; x and y are in [0, BOX]."""

    name: str
    cx: np.ndarray
    cy: np.ndarray
    d: np.ndarray
    a: np.ndarray
    b: np.ndarray
    low: np.ndarray
    high: np.ndarray
    g: np.ndarray
    h: np.ndarray
    right: np.ndarray

    @property
    def size(self) -> int:
        """Rows, and variables of each player."""
        return len(self.cx)


def instance(family: str, n: int, seed: int) -> Instance:
    """One problem with n rows, n leader's and n follower's variables. Raises KeyError for an unknown family."""
    if family not in FAMILIES:
        raise KeyError(family)
    return _plain(n, seed) if family == "plain" else _relative(family, n, seed)


def _plain(n: int, seed: int) -> Instance:
    r = np.random.default_rng(seed)
    a = r.integers(-3, 4, (n, n))
    b = r.integers(0, 5, (n, n))
    high = r.integers(20, 60, n)
    cx, cy, d = r.integers(-5, 6, n), r.integers(-5, 6, n), r.integers(-5, 3, n)
    none = np.zeros((0, n))
    return Instance(f"plain-{n}-{seed}", cx, cy, d, a, b, np.full(n, -np.inf), high.astype(float), none, none, np.zeros(0))


def _relative(family: str, n: int, seed: int) -> Instance:
    r = np.random.default_rng((1, seed))
    share = 1.0 if family == "two-signed" else min(1.0, 5.0 / n)

    def matrix(rows: int, largest: int, share: float) -> np.ndarray:
        return r.integers(-largest, largest + 1, (rows, n)) * (r.random((rows, n)) < share)

    a, b = matrix(n, 3, share), matrix(n, 4, share)
    x, y = BOX * r.random(n), BOX * r.random(n)
    body = a @ x + b @ y
    low, high = np.full(n, -np.inf), np.ceil(body + 15 * r.random(n))
    low[n - n // 10 :] = high[n - n // 10 :] - 40
    if family == "equalities":
        low[: n // 5] = high[: n // 5] = body[: n // 5]
    d = r.integers(-5, 6, n)
    opposed = -d * r.integers(1, 4, n)
    cy = opposed if family == "two-signed" else r.integers(-5, 6, n)
    rows = n // 5 if family == "leader-rows" else 0
    g, h = matrix(rows, 3, 1.0), matrix(rows, 3, 1.0)
    right = np.ceil(g @ x + h @ y + 10 * r.random(rows))
    return Instance(f"{family}-{n}-{seed}", r.integers(-5, 6, n), cy, d, a, b, low, high, g, h, right)
