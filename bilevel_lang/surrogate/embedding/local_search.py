"""A good input by the forward pass alone, to begin a MILP with: steps along gradients and single inputs, from many points."""

from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.network import Bools, Floats, Network

FEASIBILITY = 1e-9


def search(
    network: Network, inputs: InputSet, weights: Floats, starts: int = 64, steps: int = 100, seed: int = 0
) -> Floats | None:
    """An input (n,) of ``inputs`` (integers whole, rows satisfied) with a small ``weights`` (outputs,) times the outputs.

    Local: the best of ``starts`` random points after at most ``steps`` improving moves each. None where no point satisfies the
    rows. Raises RefusedError for unbounded inputs.
    """
    inputs.require_bounded("a local search")
    generator = np.random.default_rng(seed)
    points = _rounded(generator.uniform(inputs.lower, inputs.upper, size=(starts, inputs.inputs)), inputs)
    points = np.vstack([points, _rounded(0.5 * (inputs.lower + inputs.upper)[None], inputs)])
    points = _repaired(points, inputs)
    if not len(points):
        return None
    values = network(points) @ weights
    reach = np.full(len(points), 0.25)
    for _ in range(steps):
        better, found = _improved(network, inputs, weights, points, values, reach)
        points = np.where((found < values)[:, None], better, points)
        reach = np.where(found < values, np.minimum(0.5, 1.5 * reach), 0.5 * reach)
        values = np.minimum(found, values)
        if (reach < 1e-4).all():
            break
    best: Floats = points[int(np.argmin(values))]
    return best


def _improved(
    network: Network, inputs: InputSet, weights: Floats, points: Floats, values: Floats, reach: Floats
) -> tuple[Floats, Floats]:
    """For each point the best feasible neighbour and its value (inf where there is none)."""
    best, found = points.copy(), np.full(len(points), np.inf)
    width = inputs.upper - inputs.lower
    slope = gradient(network, weights, points)
    step = np.where(inputs.integer, 0.0, -np.sign(slope) * reach[:, None] * width)
    moves = [points + step, points - slope * _length(slope, width, reach)]
    for j in range(inputs.inputs):
        size = 1.0 if inputs.integer[j] else reach * width[j]
        for sign in (1.0, -1.0):
            moved = points.copy()
            moved[:, j] += sign * size
            moves.append(moved)
    for moved in moves:
        candidates = _rounded(moved, inputs)
        level = np.where(satisfied(inputs, candidates), network(candidates) @ weights, np.inf)
        best = np.where((level < found)[:, None], candidates, best)
        found = np.minimum(level, found)
    return best, found


def _length(slope: Floats, width: Floats, reach: Floats) -> Floats:
    """How far to go along the gradient so that the largest move is ``reach`` of a width."""
    relative = abs(slope) / np.where(width > 0, width, 1.0)
    return np.asarray((reach / np.maximum(relative.max(axis=1), 1e-300))[:, None])


def gradient(network: Network, weights: Floats, points: Floats) -> Floats:
    """d(weights'N)/dx (points, n): one of the generalised gradients where a ReLU is at its kink."""
    columns = network.columns(points)
    back = np.repeat(np.asarray(network.output.weights.T @ weights)[None], len(points), axis=0)
    end = columns.shape[1]
    for layer in reversed(network.hidden):
        start = end - len(layer.bias)
        active = back[:, start:end] * (columns[:, start:end] > 0)
        back[:, :start] += np.asarray((layer.weights.T @ active.T).T)
        end = start
    return np.asarray(back[:, : network.inputs])


def satisfied(inputs: InputSet, points: Floats) -> Bools:
    """Which points (k,) satisfy the rows."""
    body = np.asarray((inputs.rows @ points.T).T)
    slack = FEASIBILITY * np.maximum(1.0, abs(body))
    return np.asarray(((body >= inputs.row_lower - slack) & (body <= inputs.row_upper + slack)).all(axis=1))


def _rounded(points: Floats, inputs: InputSet) -> Floats:
    clipped = np.clip(points, inputs.lower, inputs.upper)
    return np.where(inputs.integer, np.round(clipped), clipped)


def _repaired(points: Floats, inputs: InputSet) -> Floats:
    """Those of ``points`` that satisfy the rows, after a few sweeps of projection onto the violated ones."""
    dense = inputs.rows.toarray()
    for _ in range(20):
        if satisfied(inputs, points).all():
            break
        for row, low, up in zip(dense, inputs.row_lower, inputs.row_upper, strict=True):
            body = points @ row
            miss = np.maximum(low - body, 0.0) - np.maximum(body - up, 0.0)
            # A little more than is missing, and away from the violated side where inputs are whole.
            step = row * np.where(inputs.integer, 1.5, 1.0 + 1e-9)
            points = np.clip(points + np.outer(miss / max(row @ row, 1e-300), step), inputs.lower, inputs.upper)
        points = _rounded(points, inputs)
    return points[satisfied(inputs, points)]
