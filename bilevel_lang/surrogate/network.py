"""A network of affine maps and ReLUs, in the one form that everything here works on.

Every layer is an affine map of *everything before it*, inputs and the outputs of all earlier layers, followed by ReLU; the
outputs are an affine map of everything. Skip connections, sums and concatenations are then nothing special, scalings are folded
into the weights, and leaky or clipped ReLUs are affine combinations of ReLUs. It is the form in which input-convex networks are
usually written (Amos, Xu, Kolter 2017, "Input convex neural networks", eq. 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Affine:
    """``weights`` (outputs, columns) times the columns, plus ``bias`` (outputs,); float64, finite."""

    weights: sp.csr_matrix
    bias: Floats

    def __call__(self, columns: Floats) -> Floats:
        """``columns`` (points, columns) to (points, outputs)."""
        return np.asarray((self.weights @ columns.T).T) + self.bias


@dataclass(frozen=True, eq=False)
class Network:
    """``inputs`` numbers in, ``hidden`` ReLU layers, ``output`` affine.

    The columns of a layer's weights are the inputs, then the neurons of every layer before it in their order; those of ``output``
    are all inputs and all neurons. Raises ValueError for other shapes and for numbers that are not finite.
    """

    inputs: int
    hidden: tuple[Affine, ...]
    output: Affine

    def __post_init__(self) -> None:
        columns = self.inputs
        for number, layer in enumerate((*self.hidden, self.output), start=1):
            rows, found = layer.weights.shape
            if found != columns or layer.bias.shape != (rows,):
                raise ValueError(
                    f"layer {number} has weights {layer.weights.shape} and bias {layer.bias.shape}; it has {columns} columns"
                )
            if not (np.isfinite(layer.weights.data).all() and np.isfinite(layer.bias).all()):
                raise ValueError(f"layer {number} has weights that are not finite")
            columns += rows

    @property
    def outputs(self) -> int:
        """How many numbers come out."""
        return len(self.output.bias)

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons in each hidden layer."""
        return tuple(len(layer.bias) for layer in self.hidden)

    @property
    def neurons(self) -> int:
        """ReLUs in all."""
        return sum(self.widths)

    def columns(self, points: Floats) -> Floats:
        """Inputs and the outputs of all neurons, (points, inputs + neurons), at ``points`` (points, inputs)."""
        known = np.asarray(points, dtype=float).reshape(-1, self.inputs)
        for layer in self.hidden:
            known = np.hstack([known, np.maximum(layer(known), 0.0)])
        return known

    def __call__(self, points: Floats) -> Floats:
        """The outputs (points, outputs) at ``points`` (points, inputs), in float64."""
        return self.output(self.columns(points))

    def convex(self) -> Bools:
        """Which outputs (outputs,) are proven convex in the inputs: no neuron on their way enters with a negative weight."""
        return np.array([self._monotone(row) for row in self.output.weights.toarray()], dtype=bool)

    def concave(self) -> Bools:
        """Which outputs (outputs,) are proven concave in the inputs: the negative of a convex one."""
        return np.array([self._monotone(-row) for row in self.output.weights.toarray()], dtype=bool)

    def _monotone(self, weights: Floats) -> bool:
        """Whether a sum of columns with these weights is convex: backwards, the neurons that count and their weights' signs."""
        if (weights[self.inputs :] < 0).any():
            return False
        counts = weights != 0
        end = self.inputs + self.neurons
        for layer in reversed(self.hidden):
            end -= len(layer.bias)
            rows = np.flatnonzero(counts[end : end + len(layer.bias)])
            used = layer.weights[rows]
            if used.nnz and (used[:, self.inputs :].data < 0).any():
                return False
            counts[:end] |= np.asarray((used != 0).sum(axis=0)).ravel() > 0
        return True


def dense(weights: list[Floats], biases: list[Floats]) -> Network:
    """A plain multilayer perceptron: ``weights[k]`` (outputs, inputs) as torch keeps them, ReLU between, none at the end."""
    inputs = weights[0].shape[1]
    layers, before = [], inputs
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        skipped = before - weight.shape[1] if number else 0
        matrix = sp.csr_matrix(np.hstack([np.zeros((weight.shape[0], skipped)), weight]))
        layers.append(Affine(matrix, np.asarray(bias, dtype=float)))
        before += weight.shape[0]
    return Network(inputs, tuple(layers[:-1]), layers[-1])
