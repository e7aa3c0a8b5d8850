"""Bounds of every neuron by linear programs, layer by layer: optimality-based bound tightening over the triangle relaxation.

Of a layer's value before the ReLU the largest and smallest value is computed over the inputs (their box and rows) and the relaxed
ReLUs of the layers before, z >= a, z >= 0, z <= u (a - l) / (u - l) (Ehlers 2017, "Formal verification of piece-wise linear
feed-forward neural networks", section 3). The tighter bounds shape the relaxation of the next layer. No solver is known here: the
caller brings one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.bounds.interval import NetworkBounds, reach
from bilevel_lang.surrogate.network import Affine, Floats, Network

Ints: TypeAlias = npt.NDArray[np.int64]

Largest: TypeAlias = Callable[[Ints, Floats], "float | None"]
"""(columns, coefficients) -> the largest value of that linear form over an LP, None where it is not known."""

OpenLp: TypeAlias = Callable[[Floats, Floats, sp.csr_matrix, Floats, Floats], Largest]
"""(lower, upper, matrix, row_lower, row_upper) -> how to ask for largest values over that LP."""

PADDING = 1e-6
"""What an LP's answer is moved outwards by, relative to max(1, |answer|): solvers are feasible to 1e-7."""


@dataclass
class _Relaxation:
    """Columns and rows so far: inputs, then the neurons of the layers that are done."""

    lower: Floats
    upper: Floats
    rows: list[sp.csr_matrix]
    row_lower: list[Floats]
    row_upper: list[Floats]

    def open(self, solver: OpenLp) -> Largest:
        """The LP as it is now."""
        n = len(self.lower)
        wide = [sp.csr_matrix((r.data, r.indices, r.indptr), shape=(r.shape[0], n)) for r in self.rows]
        matrix = sp.vstack(wide, format="csr") if wide else sp.csr_matrix((0, n))
        none = np.zeros(0)
        return solver(
            self.lower, self.upper, matrix, np.concatenate([none, *self.row_lower]), np.concatenate([none, *self.row_upper])
        )

    def add_layer(self, layer: Affine, low: Floats, up: Floats) -> None:
        """The relaxed ReLUs of one layer, ``low <= before <= up``."""
        start, width = len(self.lower), len(low)
        self.lower = np.concatenate([self.lower, np.maximum(low, 0.0)])
        self.upper = np.concatenate([self.upper, np.maximum(up, 0.0)])
        unit = sp.csr_matrix(
            (np.ones(width), np.arange(start, start + width), np.arange(width + 1)), shape=(width, start + width)
        )
        before = sp.csr_matrix((layer.weights.data, layer.weights.indices, layer.weights.indptr), shape=unit.shape)
        alive = up > 0
        # z >= a, and z = a where it is always active.
        self._add((unit - before)[alive], layer.bias[alive], np.where(low >= 0, layer.bias, np.inf)[alive])
        chord = alive & (low < 0)
        slope = up[chord] / (up[chord] - low[chord])
        self._add((unit[chord] - sp.diags(slope) @ before[chord]).tocsr(), None, slope * (layer.bias[chord] - low[chord]))

    def _add(self, rows: sp.csr_matrix, lower: Floats | None, upper: Floats) -> None:
        self.rows.append(rows)
        self.row_lower.append(np.full(rows.shape[0], -np.inf) if lower is None else lower)
        self.row_upper.append(upper)


def tighten_bounds(network: Network, inputs: InputSet, solver: OpenLp) -> NetworkBounds:
    """Bounds of all neurons and outputs over ``inputs``, never wider than those of interval arithmetic.

    Only neurons that may still change sign are asked about; those of the first layer only if ``inputs`` has rows, as interval
    arithmetic is exact on a box. Raises RefusedError naming an input without finite bounds; what ``solver`` raises.
    """
    inputs.require_bounded("tightening of bounds")
    start = [inputs.rows] if inputs.rows.shape[0] else []
    work = _Relaxation(
        inputs.lower.copy(), inputs.upper.copy(), start, [inputs.row_lower] if start else [], [inputs.row_upper] if start else []
    )
    lower, upper = [np.zeros(0)], [np.zeros(0)]
    for number, layer in enumerate(network.hidden):
        low, up = reach(layer, work.lower, work.upper)
        if number or start:
            low, up = _tightened(layer, low, up, (low < 0) & (up > 0), work.open(solver))
        work.add_layer(layer, low, up)
        lower.append(low)
        upper.append(up)
    low, up = reach(network.output, work.lower, work.upper)
    low, up = _tightened(network.output, low, up, np.isfinite(low), work.open(solver))
    return NetworkBounds(np.concatenate(lower), np.concatenate(upper), low, up)


def _tightened(layer: Affine, low: Floats, up: Floats, among: npt.NDArray[np.bool_], largest: Largest) -> tuple[Floats, Floats]:
    """New bounds of the rows of ``layer`` flagged in ``among``."""
    low, up = low.copy(), up.copy()
    for sign, bound in ((1.0, up), (-1.0, low)):
        for row in np.flatnonzero(among):
            here = slice(layer.weights.indptr[row], layer.weights.indptr[row + 1])
            found = largest(layer.weights.indices[here].astype(np.int64), sign * layer.weights.data[here])
            if found is None:
                continue
            value = found + sign * layer.bias[row]
            value = sign * (value + PADDING * max(1.0, abs(value)))
            # An answer past the other bound is one of rounding: the neuron is fixed, up to the padding.
            bound[row] = min(bound[row], max(value, low[row])) if sign > 0 else max(bound[row], min(value, up[row]))
            # The second question is only worth asking where the first has not decided.
            among = among if not (sign > 0 and bound[row] <= 0) else _without(among, row)
    return low, up


def _without(flags: npt.NDArray[np.bool_], row: np.int64) -> npt.NDArray[np.bool_]:
    flags = flags.copy()
    flags[row] = False
    return flags
