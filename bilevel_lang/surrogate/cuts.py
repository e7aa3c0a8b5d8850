"""Exact affine pieces of an LP follower's value: a pool of cuts that needs no training, and is the baseline of every network.

A solved follower gives its value v_k and a gradient g_k at x_k. Where x enters right-hand sides only, the value of a minimum is
convex, every ``v_k + g_k'(x - x_k)`` lies below it and their maximum is a minorant (Benders 1962); where x enters costs only, it
is concave and their minimum a majorant. Where x enters both, or the matrix, the pieces are neither, and there is no pool.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Affine, Floats, Network

SAME = 1e-9
"""Pieces that differ by less than this, relative to their size, are one."""


@dataclass(frozen=True, eq=False)
class CutPool:
    """``side`` +1: the largest of ``slopes @ x + offsets`` (k pieces, n inputs), a minorant; -1: the least, a majorant."""

    slopes: Floats
    offsets: Floats
    side: int

    def __post_init__(self) -> None:
        if (
            self.side not in (-1, 1)
            or self.slopes.ndim != 2
            or self.offsets.shape != self.slopes.shape[:1]
            or not len(self.offsets)
        ):
            raise ValueError(f"no pool of cuts: slopes {self.slopes.shape}, offsets {self.offsets.shape}, side {self.side}")

    def __len__(self) -> int:
        return len(self.offsets)

    def __call__(self, points: Floats) -> Floats:
        """(k,) at ``points`` (k, n)."""
        pieces = points @ self.slopes.T + self.offsets
        return np.asarray(pieces.max(axis=1) if self.side > 0 else pieces.min(axis=1))

    def reduced(self, points: Floats, most: int, enough: float = 0.0) -> CutPool:
        """The at most ``most`` pieces, taken greedily, that come nearest to the whole pool at ``points`` (k, n).

        It stops before where the mean distance at the points is ``enough`` or less.
        """
        pieces = self.side * (points @ self.slopes.T + self.offsets)
        target = pieces.max(axis=1)
        chosen = [int(np.argmax(pieces.mean(axis=0)))]
        current = pieces[:, chosen[0]]
        while len(chosen) < most and (target - current).mean() > max(enough, 1e-12 * (1.0 + np.abs(target).max())):
            gains = np.maximum(pieces - current[:, None], 0.0).sum(axis=0)
            best = int(np.argmax(gains))
            if gains[best] <= 0.0:
                break
            chosen.append(best)
            current = np.maximum(current, pieces[:, best])
        return CutPool(self.slopes[chosen], self.offsets[chosen], self.side)

    def network(self) -> Network:
        """The same function as a network: a tournament of ``max(a, b) = a + relu(b - a)``, one neuron less than pieces."""
        return _Tournament(self).network()


def cut_pool(points: Floats, values: Floats, gradients: Floats, side: int) -> CutPool:
    """The different pieces at ``points`` (k, n) with ``values`` (k,) and ``gradients`` (k, n). Raises ValueError for none."""
    offsets = values - np.einsum("kn,kn->k", gradients, points)
    pieces = np.column_stack([gradients, offsets])
    size = np.maximum(np.abs(pieces).max(axis=0, initial=0.0), 1e-300)
    _, first = np.unique(np.round(pieces / size / SAME), axis=0, return_index=True)
    kept = np.sort(first)
    return CutPool(gradients[kept], offsets[kept], side)


@dataclass
class _Tournament:
    """Affine forms over [inputs | neurons so far] that play in pairs; every game is a neuron of the layer."""

    pool: CutPool
    layers: list[Affine] = field(default_factory=list)

    def network(self) -> Network:
        n = self.pool.slopes.shape[1]
        # side * form: a minimum is a maximum of negatives.
        forms, bias = self.pool.side * self.pool.slopes, self.pool.side * self.pool.offsets
        while len(bias) > 1:
            forms, bias = self._played(forms, bias)
        output = Affine(sp.csr_matrix(self.pool.side * forms), self.pool.side * bias)
        return Network(n, tuple(self.layers), output)

    def _played(self, forms: Floats, bias: Floats) -> tuple[Floats, Floats]:
        games = len(bias) // 2
        one, other = slice(0, 2 * games, 2), slice(1, 2 * games, 2)
        self.layers.append(Affine(sp.csr_matrix(forms[other] - forms[one]), bias[other] - bias[one]))
        wide = np.hstack([forms, np.zeros((len(bias), games))])
        winners = wide[one]
        winners[np.arange(games), forms.shape[1] + np.arange(games)] = 1.0
        return np.vstack([winners, wide[2 * games :]]), np.concatenate([bias[one], bias[2 * games :]])


def sum_of(first: Network, second: Network) -> Network:
    """The network whose outputs are the sums of those of two, neurons of ``first`` before those of ``second``."""
    n, skipped = first.inputs, first.neurons
    if second.inputs != n or second.outputs != first.outputs:
        raise ValueError("networks of different inputs or outputs have no sum")
    moved = [_behind(layer.weights, n, skipped) for layer in (*second.hidden, second.output)]
    hidden = tuple(Affine(w, layer.bias) for w, layer in zip(moved[:-1], second.hidden, strict=True))
    own = first.output.weights
    wide = sp.csr_matrix((own.data, own.indices, own.indptr), shape=(own.shape[0], n + skipped + second.neurons))
    return Network(n, (*first.hidden, *hidden), Affine(sp.csr_matrix(wide + moved[-1]), first.output.bias + second.output.bias))


def _behind(weights: sp.csr_matrix, inputs: int, skipped: int) -> sp.csr_matrix:
    """``weights`` with ``skipped`` zero columns behind those of the ``inputs``."""
    gap = sp.csr_matrix((weights.shape[0], skipped))
    return sp.csr_matrix(sp.hstack([weights[:, :inputs], gap, weights[:, inputs:]]))
