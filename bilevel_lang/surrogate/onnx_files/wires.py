"""The values in a graph as arrays of affine forms: what a ReLU is applied to becomes a layer, the rest is bookkeeping.

A :class:`Wire` is a tensor of the graph for one point (batch axes have length 1): its shape, and for each element, in row-major
order, an affine form of the inputs and the neurons made so far.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Affine, Floats, Network
from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.limits import Limits
from bilevel_lang.surrogate.onnx_files.tensors import Array

Index: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Wire:
    """``forms`` has as many rows as ``shape`` has elements; its columns are those known when it was made."""

    shape: tuple[int, ...]
    forms: Affine

    @property
    def size(self) -> int:
        """How many elements."""
        return math.prod(self.shape)


Value: TypeAlias = "Wire | Array"
"""What flows along an edge: something that depends on the inputs, or a constant."""


class Tape:
    """The columns known so far, and the layers that made them."""

    def __init__(self, inputs: int, limits: Limits) -> None:
        self.inputs = inputs
        self.limits = limits
        self.layers: list[Affine] = []
        self.columns = inputs

    def source(self, start: int, shape: tuple[int, ...]) -> Wire:
        """The inputs from number ``start`` on."""
        return self._unit(np.arange(start, start + math.prod(shape)), shape)

    def _unit(self, columns: Index, shape: tuple[int, ...]) -> Wire:
        k = len(columns)
        weights = sp.csr_matrix((np.ones(k), columns, np.arange(k + 1)), shape=(k, self.columns))
        return Wire(shape, Affine(weights, np.zeros(k)))

    def relu(self, wire: Wire) -> Wire:
        """max(0, wire), as a new layer. Raises ComplaintError where there are too many neurons."""
        if self.columns + wire.size > self.limits.columns:
            raise ComplaintError(f"more than {self.limits.columns} inputs and neurons", "train a smaller network")
        self.layers.append(Affine(self.widened(wire.forms.weights), wire.forms.bias))
        start = self.columns
        self.columns += wire.size
        return self._unit(np.arange(start, self.columns), wire.shape)

    def widened(self, weights: sp.csr_matrix) -> sp.csr_matrix:
        """The same over all columns known now."""
        return sp.csr_matrix((weights.data, weights.indices, weights.indptr), shape=(weights.shape[0], self.columns))

    def scaled(self, wire: Wire, factor: Floats, offset: Floats) -> Wire:
        """``factor * wire + offset``, both (size,) or numbers."""
        size = wire.size
        factors = np.broadcast_to(np.asarray(factor, dtype=float).ravel(), (size,))
        weights = wire.forms.weights.copy()
        weights.data = weights.data * np.repeat(factors, np.diff(weights.indptr))
        return Wire(wire.shape, Affine(weights, wire.forms.bias * factors + np.asarray(offset, dtype=float).ravel()))

    def total(self, first: Wire, second: Wire) -> Wire:
        """The sum of two wires of one shape."""
        a, b = first.forms, second.forms
        return Wire(first.shape, Affine((self.widened(a.weights) + self.widened(b.weights)).tocsr(), a.bias + b.bias))

    def picked(self, wire: Wire, places: Array) -> Wire:
        """The elements of ``wire`` with the numbers in ``places``, in its shape."""
        self.require(places.size, int(np.diff(wire.forms.weights.indptr).max(initial=0)) * places.size)
        flat = places.ravel()
        return Wire(places.shape, Affine(wire.forms.weights[flat], wire.forms.bias[flat]))

    def mapped(self, matrix: sp.csr_matrix, wire: Wire, shape: tuple[int, ...]) -> Wire:
        """``matrix`` (new size, size) times ``wire``, in ``shape``."""
        self.require(matrix.shape[0], int(np.diff(wire.forms.weights.indptr)[matrix.indices].sum()))
        return Wire(shape, Affine((matrix @ wire.forms.weights).tocsr(), matrix @ wire.forms.bias))

    def joined(self, wires: list[Wire], places: Array) -> Wire:
        """All ``wires`` one after the other, then as :meth:`picked`."""
        self.require(sum(w.size for w in wires), sum(w.forms.weights.nnz for w in wires))
        weights = sp.vstack([self.widened(w.forms.weights) for w in wires], format="csr")
        together = Wire((weights.shape[0],), Affine(weights, np.concatenate([w.forms.bias for w in wires])))
        return self.picked(together, places)

    def constant(self, values: Array) -> Wire:
        """A constant as a wire."""
        weights = sp.csr_matrix((values.size, self.columns))
        return Wire(values.shape, Affine(weights, np.asarray(values, dtype=float).ravel()))

    def require(self, size: int, nonzeros: int) -> None:
        """ComplaintError where a value would be too large."""
        if size > self.limits.elements or nonzeros > self.limits.nonzeros:
            raise ComplaintError(f"a value with {size} elements and up to {nonzeros} terms", "train a smaller network")

    def network(self, output: Wire) -> Network:
        """All layers, with ``output`` at the end. ValueError where a number has overflowed."""
        return Network(self.inputs, tuple(self.layers), Affine(self.widened(output.forms.weights), output.forms.bias))
