"""The same function with fewer neurons, given bounds: nothing is approximated.

* A neuron that is never active is 0; one that is always active is its affine map, and is put into those that use it.
* A neuron whose input is a multiple of another's is a multiple of that one, or, where the multiple is negative, of its negative
  part: max(0, -a) = max(0, a) - a.
* What no output needs is left out.

Serra, Kumar, Ramalingam 2020, "Lossless compression of deep neural networks", for the first and the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from bilevel_lang.surrogate.bounds.interval import NetworkBounds
from bilevel_lang.surrogate.embedding.polarity import Halves, Push, halves
from bilevel_lang.surrogate.network import Affine, Bools, Floats, Network

Fates: TypeAlias = npt.NDArray[np.int8]

KEPT, LINEAR, DEAD, MERGED, UNUSED = range(5)
"""Fates of neurons: kept as a ReLU; always active; never active; a multiple of another; needed by no output."""

FILL = 2.0
"""Always-active neurons of a layer are substituted unless that makes more than FILL times the nonzeros that it removes."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """``network`` equals the original over the bounds.

    ``lower``, ``upper`` (neurons,) bound the inputs of its ReLUs; a neuron with ``lower >= 0`` is linear and was kept to save
    nonzeros. ``needs`` are the halves; ``fate`` (original neurons,) what became of each; ``origin`` (neurons,) the original
    number of each that is left.
    """

    network: Network
    lower: Floats
    upper: Floats
    needs: Halves
    fate: Fates
    origin: npt.NDArray[np.int64]

    @property
    def linear(self) -> Bools:
        """Which neurons (neurons,) are always active."""
        return self.lower >= 0


def reduce_network(network: Network, bounds: NetworkBounds, push: tuple[Push, ...]) -> Reduced:
    """Without what the bounds decide and without what outputs pushed as ``push`` says do not need."""
    work = _Substitution(network)
    for layer in range(len(network.hidden)):
        work.take(layer, bounds)
    return work.finish(push)


class _Substitution:
    """Layer by layer: every column of the original as an affine form (``map``, ``shift``) of the inputs and the neurons kept."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.map: sp.csr_matrix | None = None  # as long as every column is its own: most networks, most of the time
        self.shift = np.zeros(network.inputs)
        self.layers: list[Affine] = []
        self.fate = np.full(network.neurons, KEPT, dtype=np.int8)
        self.lower: list[Floats] = []
        self.upper: list[Floats] = []
        self.done = 0

    def take(self, number: int, bounds: NetworkBounds) -> None:
        """Decide on the neurons of one layer."""
        layer = self._composed(self.network.hidden[number])
        here = slice(self.done, self.done + len(layer.bias))
        low, up = bounds.lower[here], bounds.upper[here]
        dead = up <= 0
        linear = (low >= 0) & ~dead
        if linear.any() and not self._worth(number, linear, layer):
            linear[:] = False
        merged, factor, into = multiples(layer, ~dead & ~linear & (low < 0))
        kept = ~dead & ~linear & ~merged
        self.fate[here] = np.select([dead, linear, merged], [DEAD, LINEAR, MERGED], KEPT)
        self.done = here.stop
        if self.map is None and kept.all():
            self.layers.append(layer)
            self.shift = np.zeros(self.network.inputs + self.done)
        else:
            self._extend(layer, linear, kept, merged, factor, into)
            self.layers.append(Affine(layer.weights[kept], layer.bias[kept]))
        self.lower.append(low[kept])
        self.upper.append(up[kept])

    def _composed(self, layer: Affine) -> Affine:
        """``layer`` over the inputs and the neurons kept."""
        if self.map is None:
            return layer
        weights = (layer.weights @ self.map).tocsr()
        weights.eliminate_zeros()
        return Affine(weights, layer.weights @ self.shift + layer.bias)

    def _worth(self, number: int, linear: Bools, layer: Affine) -> bool:
        """Whether to put the ``linear`` neurons of a layer into their users rather than to keep them as columns."""
        place = self.network.inputs + self.done
        nonzeros, users = 0, 0
        for user in (*self.network.hidden[number + 1 :], self.network.output):
            rows, columns, _ = entries(user.weights)
            mine = (columns >= place) & (columns < place + len(linear))
            mine[mine] = linear[columns[mine] - place]
            nonzeros += int(mine.sum())
            users += len(np.unique(rows[mine]))
        rows, columns, _ = entries(layer.weights)
        own = columns[linear[rows]]
        return users * len(np.unique(own)) <= FILL * (nonzeros + len(own))

    def _extend(
        self, layer: Affine, linear: Bools, kept: Bools, merged: Bools, factor: Floats, into: npt.NDArray[np.int64]
    ) -> None:
        """The columns of one more layer: rows of ``layer`` where they are linear, the neurons kept, multiples of these.

        All is written as one list of entries: each product or stack of sparse matrices would cost more than the whole of it.
        """
        before = len(self.shift)
        if self.map is None:
            self.map = sp.identity(before, format="csr")
        forms, place = self.map.shape[1], self.map.shape[1] + np.cumsum(kept) - 1
        flipped = np.flatnonzero(merged & (factor < 0))
        substituted, same, own = np.flatnonzero(linear), np.flatnonzero(merged), np.flatnonzero(kept)
        parts = [entries(self.map)]
        for rows, sources, scale in (
            (substituted, substituted, np.ones(len(substituted))),
            (flipped, into[flipped], factor[flipped]),
        ):
            if len(rows):
                picked = layer.weights[sources]
                k, columns, data = entries(picked)
                parts.append((before + rows[k], columns, scale[k] * data))
        parts.append((before + own, place[own], np.ones(len(own))))
        parts.append((before + same, place[into[same]], abs(factor[same])))
        rows, columns, data = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.map = sp.csr_matrix((data, (rows, columns)), shape=(before + len(kept), forms + len(own)))
        shift = np.where(linear, layer.bias, 0.0)
        shift[flipped] = factor[flipped] * layer.bias[into[flipped]]
        self.shift = np.concatenate([self.shift, shift])

    def finish(self, push: tuple[Push, ...]) -> Reduced:
        """The network of what was kept, without what no output needs."""
        output = self._composed(self.network.output)
        none = np.zeros(0)
        lower, upper = (np.concatenate([none, *side]) for side in (self.lower, self.upper))
        network = Network(self.network.inputs, tuple(a for a in self.layers if len(a.bias)), output)
        needs = halves(network, push)
        used = needs.lower | needs.upper
        origin = np.flatnonzero(self.fate == KEPT)
        self.fate[origin[~used]] = UNUSED
        if not used.all():
            network, needs = _restricted(network, used), Halves(needs.lower[used], needs.upper[used])
        return Reduced(network, lower[used], upper[used], needs, self.fate, origin[used])


def multiples(layer: Affine, among: Bools) -> tuple[Bools, Floats, npt.NDArray[np.int64]]:
    """Which rows of ``layer`` are a multiple of an earlier one, both in ``among``: flags, factors, and the row that each repeats.

    Rows are compared to 1e-13 of their norm: what is merged differs from what was there by rounding alone.
    """
    width = len(layer.bias)
    merged, factor, into = np.zeros(width, dtype=bool), np.ones(width), np.arange(width)
    rows = np.flatnonzero(among & (np.diff(layer.weights.indptr) > 0))
    if len(rows) < 2:
        return merged, factor, into
    owner = np.repeat(np.arange(width), np.diff(layer.weights.indptr))
    norm = np.sqrt(np.bincount(owner, weights=layer.weights.data**2, minlength=width) + layer.bias**2)
    # Multiples have the same projection on any direction, up to the sign: sorting finds the few pairs worth a look.
    direction = np.random.default_rng(0).random(layer.weights.shape[1] + 1)
    shadow = abs(layer.weights @ direction[:-1] + layer.bias * direction[-1])[rows] / norm[rows]
    order = np.argsort(shadow, kind="stable")
    for k in np.flatnonzero(np.diff(shadow[order]) <= 1e-12):
        # Three and more multiples come in pairs, in any order: all of them go into the first one.
        first, second = sorted((int(into[rows[order[k]]]), int(into[rows[order[k + 1]]])))
        if first != second and _ratio(layer, first, second, norm):
            into[into == second] = first
    for row in np.flatnonzero(into != np.arange(width)):
        ratio = _ratio(layer, int(into[row]), int(row), norm)
        merged[row], factor[row], into[row] = bool(ratio), ratio or 1.0, into[row] if ratio else row
    return merged, factor, into


def _ratio(layer: Affine, first: int, second: int, norm: Floats) -> float:
    """r with row ``second`` = r times row ``first``; 0 where there is none."""
    one = np.append(layer.weights[first].toarray().ravel(), layer.bias[first])
    two = np.append(layer.weights[second].toarray().ravel(), layer.bias[second])
    ratio = float(np.sign(one @ two) * norm[second] / norm[first])
    return ratio if abs(two - ratio * one).max() <= 1e-13 * norm[second] else 0.0


def entries(matrix: sp.csr_matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Floats]:
    """(rows, columns, data) of all entries of ``matrix``, row by row."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices, matrix.data


def _restricted(network: Network, used: Bools) -> Network:
    """``network`` without the neurons that are not ``used``, which nothing used depends on."""
    keep = np.concatenate([np.ones(network.inputs, dtype=bool), used])
    layers, done = [], network.inputs
    for layer in network.hidden:
        rows = used[done - network.inputs : done - network.inputs + len(layer.bias)]
        if rows.any():
            layers.append(Affine(layer.weights[rows][:, keep[:done]], layer.bias[rows]))
        done += len(layer.bias)
    return Network(network.inputs, tuple(layers), Affine(network.output.weights[:, keep], network.output.bias))
