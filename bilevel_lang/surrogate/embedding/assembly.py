"""Collects the columns and rows of a form, and makes the arrays of them.

The new columns begin with one for every neuron of the reduced network, so the weights of any layer are rows as they stand:
``affine`` (neurons, inputs + neurons) and ``bias`` hold the value before each ReLU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.embedding.arrays import ALWAYS, Completion, Embedding, Ints
from bilevel_lang.surrogate.embedding.polarity import Push
from bilevel_lang.surrogate.embedding.reduction import Reduced
from bilevel_lang.surrogate.network import Affine, Bools, Floats, Network

Sides: TypeAlias = "Floats | float"
Terms: TypeAlias = "Sequence[tuple[Ints, Floats | float]]"


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of one kind for some neurons (k,) of the reduced network: ``kind`` names them, ``gate`` and ``forms`` (k rows over
    inputs and neurons) say their value at a point, as in :class:`Completion`."""

    kind: str
    neurons: Ints
    lower: Floats
    upper: Floats
    gate: int
    forms: Affine
    integer: bool = False


class Assembly:
    """What a form adds to; ``reduced`` is the network at hand, ``lower`` and ``upper`` (inputs,) bound its inputs."""

    def __init__(self, reduced: Reduced, lower: Floats, upper: Floats) -> None:
        self.reduced = reduced
        self._input_bounds = lower, upper
        self.inputs = reduced.network.inputs
        self.affine, self.bias = stacked(reduced.network)
        self.columns: list[Columns] = []
        self.size = self.inputs
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._sides: list[tuple[Floats, Floats]] = []
        self._row_names: list[str] = []
        self.rows = 0
        self.sos1 = np.zeros((0, 2), dtype=np.int64)
        self.complementary = np.zeros((0, 2), dtype=np.int64)
        neurons = np.arange(reduced.network.neurons)
        self.relu = self.add_columns(Columns("relu", neurons, *self._ranges(), ALWAYS, self.value(neurons)))

    def _ranges(self) -> tuple[Floats, Floats]:
        low, up = self.reduced.lower, self.reduced.upper
        return np.maximum(low, 0.0), np.maximum(up, 0.0)

    def column_bounds(self) -> tuple[Floats, Floats]:
        """Bounds of inputs and neurons (inputs + neurons,)."""
        low, up = (np.concatenate(pair) for pair in zip(self._input_bounds, self._ranges(), strict=True))
        return low, up

    def before(self, neurons: Ints, factor: float = 1.0) -> Affine:
        """``factor`` times the value before the ReLU of ``neurons``, over inputs and neurons."""
        return Affine(factor * self.affine[neurons], factor * self.bias[neurons])

    def value(self, neurons: Ints) -> Affine:
        """The outputs of ``neurons`` themselves."""
        k, width = len(neurons), self.affine.shape[1]
        unit = sp.csr_matrix((np.ones(k), self.inputs + neurons, np.arange(k + 1)), shape=(k, width))
        return Affine(unit, np.zeros(k))

    def constant(self, neurons: Ints, value: float = 1.0) -> Affine:
        """``value`` for each of ``neurons``."""
        return Affine(sp.csr_matrix((len(neurons), self.affine.shape[1])), np.full(len(neurons), value))

    def add_columns(self, columns: Columns) -> Ints:
        """Where the new columns are, numbered over inputs and new columns."""
        self.columns.append(columns)
        place = np.arange(self.size, self.size + len(columns.neurons))
        self.size += len(columns.neurons)
        return place

    def add_rows(
        self,
        kind: str,
        neurons: Ints,
        forms: Affine | None,
        terms: Terms,
        lower: Sides,
        upper: Sides,
    ) -> None:
        """One row for each of ``neurons``: ``lower <= forms(columns) + sum of coefficient * column <= upper``.

        ``terms`` are pairs of columns (k,) and coefficients (k,); the constants of ``forms`` go to the sides.
        """
        k = len(neurons)
        constant = np.zeros(k)
        if forms is not None:
            weights = forms.weights
            self._entries.append((self.rows + np.repeat(np.arange(k), np.diff(weights.indptr)), weights.indices, weights.data))
            constant = forms.bias
        here = np.arange(self.rows, self.rows + k)
        self._entries += [(here, place, np.broadcast_to(np.asarray(c, dtype=float), (k,))) for place, c in terms]
        low, up = (np.broadcast_to(np.asarray(side, dtype=float), (k,)) - constant for side in (lower, upper))
        self._sides.append((low, up))
        self._row_names += [f"{kind}[{i}]" for i in self.reduced.origin[neurons]]
        self.rows += k

    def finish(self, form: str, push: tuple[Push, ...]) -> Embedding:
        """The arrays."""
        new = self.size - self.inputs
        network = self.reduced.network
        output = Affine(_widened(network.output.weights, self.size), network.output.bias)
        return Embedding(
            form=form,
            push=push,
            inputs=self.inputs,
            lower=np.concatenate([c.lower for c in self.columns]),
            upper=np.concatenate([c.upper for c in self.columns]),
            integer=np.concatenate([np.full(len(c.neurons), c.integer) for c in self.columns]),
            names=tuple(f"{c.kind}[{i}]" for c in self.columns for i in self.reduced.origin[c.neurons]),
            matrix=self._matrix(new),
            row_lower=np.concatenate([np.zeros(0), *(low for low, _ in self._sides)]),
            row_upper=np.concatenate([np.zeros(0), *(up for _, up in self._sides)]),
            row_names=tuple(self._row_names),
            sos1=self.sos1,
            complementary=self.complementary,
            outputs=output,
            reduced=self.reduced,
            completion=self._completion(),
        )

    def _matrix(self, new: int) -> sp.csr_matrix:
        shape = (self.rows, self.inputs + new)
        if not self._entries:
            return sp.csr_matrix(shape)
        rows, columns, data = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        return sp.csr_matrix((data, (rows, columns)), shape=shape)

    def _completion(self) -> Completion:
        gate = np.concatenate([np.full(len(c.neurons), c.gate, dtype=np.int8) for c in self.columns])
        neuron = np.concatenate([c.neurons for c in self.columns])
        weights = sp.vstack([c.forms.weights for c in self.columns], format="csr")
        return Completion(gate, neuron, Affine(weights, np.concatenate([c.forms.bias for c in self.columns])))

    def switched(self) -> Ints:
        """The neurons whose output has to be held from above and is not linear: those that cost a switch."""
        return np.flatnonzero(self.reduced.needs.upper & ~self.reduced.linear)

    def unswitched(self) -> Bools:
        """Flags (neurons,): held from below only, and not linear."""
        return self.reduced.needs.lower & ~self.reduced.needs.upper & ~self.reduced.linear


def stacked(network: Network) -> tuple[sp.csr_matrix, Floats]:
    """All hidden layers as one strictly lower triangular map: weights (neurons, inputs + neurons) and bias (neurons,)."""
    width = network.inputs + network.neurons
    if not network.hidden:
        return sp.csr_matrix((0, width)), np.zeros(0)
    data = np.concatenate([a.weights.data for a in network.hidden])
    indices = np.concatenate([a.weights.indices for a in network.hidden])
    counts = np.concatenate([np.diff(a.weights.indptr) for a in network.hidden])
    starts = np.concatenate([[0], np.cumsum(counts)])
    weights = sp.csr_matrix((data, indices, starts), shape=(network.neurons, width))
    return weights, np.concatenate([a.bias for a in network.hidden])


def _widened(weights: sp.csr_matrix, columns: int) -> sp.csr_matrix:
    """The same with zero columns behind."""
    return sp.csr_matrix((weights.data, weights.indices, weights.indptr), shape=(weights.shape[0], columns))
