"""All parameters of a network as one vector, and what they compute: values and gradients, in torch.

Layer k: ``a_k = W_k z_{k-1} + D_k x + b_k``, ``z_k = max(0, a_k)``; output: ``w z_K + d x + c``. A ReLU network has D_1 only (and
d, which costs no neuron); an input-convex one has every D_k, and W_k, w >= 0 (Amos, Xu and Kolter 2017, eq. 2).
One vector instead of a list of matrices: a step of Adam is then a handful of operations, whatever the number of layers.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Affine, Bools, Floats, Network


@dataclass(frozen=True, slots=True)
class _Layer:
    """Where in the vector: W (rows, before), D (rows, inputs), b (rows,); slices are empty where there is none."""

    rows: int
    before: int
    inputs: int
    W: slice
    D: slice
    b: slice


@dataclass(frozen=True, slots=True)
class Shape:
    """``inputs`` n, hidden ``layers``, ``outputs`` o; ``convex``: hidden weights are >= 0 and every layer sees the inputs."""

    inputs: int
    layers: tuple[int, ...]
    outputs: int
    convex: bool = False

    def parts(self) -> tuple[_Layer, ...]:
        """The layers, the output last."""
        return _parts(self)

    @property
    def size(self) -> int:
        """Length of the vector."""
        return int(self.parts()[-1].b.stop)

    def start(self, seed: int) -> Floats:
        """He's initialisation; for a convex network positive weights of the same size, centred by the bias."""
        generator = np.random.Generator(np.random.Philox(seed))
        vector = np.zeros(self.size)
        parts = self.parts()
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            fan = max(1, part.before + part.inputs)
            vector[part.D] = generator.normal(size=part.rows * part.inputs) * np.sqrt((1.0 if last else 2.0) / fan)
            W = generator.normal(size=part.rows * part.before) * np.sqrt((1.0 if last else 2.0) / fan)
            vector[part.W] = np.abs(W) / np.sqrt(max(1, part.before)) if self.convex else W
            if number == 0:
                vector[part.b] = generator.uniform(-0.5, 0.5, size=part.rows)
        return vector

    def nonnegative(self) -> Bools:
        """(size,): the entries that a convex network keeps >= 0."""
        flags = np.zeros(self.size, dtype=bool)
        if self.convex:
            for part in self.parts():
                flags[part.W] = True
        return flags

    def penalised(self) -> Bools:
        """(size,): the entries that L1 shrinks and pruning drops: weights of and between neurons, not biases."""
        flags = np.zeros(self.size, dtype=bool)
        for part in self.parts():
            flags[part.W] = True
        for part in self.parts()[:-1]:
            flags[part.D] = True
        return flags

    def matrices(self, vector: Any) -> list[tuple[Any, Any, Any]]:
        """(W, D, b) of each layer, as views that torch differentiates in one go."""
        parts = self.parts()
        pieces = iter(vector.split([s.stop - s.start for part in parts for s in (part.W, part.D, part.b)]))
        return [
            (next(pieces).view(part.rows, part.before), next(pieces).view(part.rows, part.inputs), next(pieces)) for part in parts
        ]

    def forward(self, matrices: list[tuple[Any, Any, Any]], x: Any) -> tuple[Any, list[Any]]:
        """(outputs (k, o), pre-activations of the hidden layers) at scaled inputs ``x`` (k, n)."""
        z, seen = None, []
        for W, D, b in matrices:
            a = b.expand(x.shape[0], -1)
            if D.shape[1]:
                a = a.addmm(x, D.T)
            if W.shape[1]:
                a = a.addmm(z, W.T)
            seen.append(a)
            z = a.clamp(min=0.0)
        return seen.pop(), seen

    def backward(self, matrices: list[tuple[Any, Any, Any]], x: Any, seen: list[Any], off: Any, into: Any) -> None:
        """The way back of :meth:`forward`: ``into`` (size,) becomes the derivatives of ``(off * outputs).sum()``, ``off`` (k, o).

        Autograd gives the same and takes three times as long on networks as small as these.
        """
        slopes = self.matrices(into)
        for number in range(len(matrices) - 1, -1, -1):
            (W, _, _), (to_W, to_D, to_b) = matrices[number], slopes[number]
            to_b.copy_(off.sum(0))
            if to_D.shape[1]:
                to_D.copy_(off.T @ x)
            if to_W.shape[1]:
                below = seen[number - 1]
                to_W.copy_(off.T @ below.clamp(min=0.0))
                off = (off @ W).mul_(below >= 0)  # at a kink as autograd has it

    def gradient(self, matrices: list[tuple[Any, Any, Any]], seen: list[Any]) -> Any:
        """Gradient (k, n) of the only output where the pre-activations are ``seen``; the pattern of signs counts as constant."""
        back, total, _ = matrices[-1]
        for (W, D, _), a in zip(reversed(matrices[:-1]), reversed(seen), strict=True):
            active = back * (a.detach() > 0)
            if D.shape[1]:
                total = total + active @ D
            if W.shape[1]:
                back = active @ W
        return total

    def interval(self, matrices: list[tuple[Any, Any, Any]]) -> list[tuple[Any, Any]]:
        """(least, largest) pre-activations of each hidden layer over inputs in [-1, 1]."""
        found: list[tuple[Any, Any]] = []
        low = up = None
        for W, D, b in matrices[:-1]:
            reach = D.abs().sum(1) if D.shape[1] else 0.0
            least, largest = b - reach, b + reach
            if W.shape[1]:
                positive, negative = W.clamp(min=0.0), W.clamp(max=0.0)
                least = least + positive @ low + negative @ up
                largest = largest + positive @ up + negative @ low
            found.append((least, largest))
            low, up = least.clamp(min=0.0), largest.clamp(min=0.0)
        return found

    def network(self, vector: Floats, negate: bool = False) -> Network:
        """As a :class:`Network` of scaled numbers; ``negate`` turns a convex one into a concave one."""
        n, layers = self.inputs, []
        columns = n
        for part in self.parts():
            skipped = columns - n - part.before
            D = vector[part.D].reshape(part.rows, part.inputs) if part.inputs else np.zeros((part.rows, n))
            W = vector[part.W].reshape(part.rows, part.before)
            weights = np.hstack([D, np.zeros((part.rows, skipped)), W])
            layers.append((weights, vector[part.b].copy()))
            columns += part.rows
        sign = -1.0 if negate else 1.0
        weights, bias = layers.pop()
        return Network(
            n, tuple(Affine(sp.csr_matrix(w), b) for w, b in layers), Affine(sp.csr_matrix(sign * weights), sign * bias)
        )


@functools.lru_cache(maxsize=64)
def _parts(shape: Shape) -> tuple[_Layer, ...]:
    """Computed once: a step of training asks three times."""
    found, at, before = [], 0, 0
    for number, rows in enumerate((*shape.layers, shape.outputs)):
        last = number == len(shape.layers)
        direct = shape.inputs if number == 0 or last or shape.convex else 0
        W = slice(at, at + rows * before)
        D = slice(W.stop, W.stop + rows * direct)
        b = slice(D.stop, D.stop + rows)
        found.append(_Layer(rows, before, direct, W, D, b))
        at, before = b.stop, rows
    return tuple(found)
