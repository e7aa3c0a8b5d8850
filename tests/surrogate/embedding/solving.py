"""Solve embeddings with scipy's MILP solver, and random networks to embed."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from bilevel_lang.surrogate.bounds.input_set import InputSet, box
from bilevel_lang.surrogate.embedding.arrays import Embedding
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.network import Affine, Floats, Network

BOX = box(-np.ones(3), 2 * np.ones(3))


def random_network(
    seed: int, inputs: int = 3, widths: tuple[int, ...] = (6, 5), outputs: int = 1, density: float = 1.0
) -> Network:
    """Layers that use everything before them (with gaps where ``density`` < 1)."""
    generator = np.random.default_rng(seed)
    layers, columns = [], inputs
    for width in (*widths, outputs):
        weights = generator.normal(size=(width, columns)) / np.sqrt(columns) * (generator.random((width, columns)) < density)
        layers.append(Affine(sp.csr_matrix(weights), 0.5 * generator.normal(size=width)))
        columns += width
    return Network(inputs, tuple(layers[:-1]), layers[-1])


def convex_network(seed: int, inputs: int = 3, widths: tuple[int, ...] = (6, 5)) -> Network:
    """Input-convex: no negative weight on a neuron."""
    plain = random_network(seed, inputs, widths)

    def clipped(layer: Affine) -> Affine:
        weights = layer.weights.toarray()
        weights[:, inputs:] = abs(weights[:, inputs:])
        return Affine(sp.csr_matrix(weights), layer.bias)

    return Network(inputs, tuple(clipped(a) for a in plain.hidden), clipped(plain.output))


def optimum(embedding: Embedding, inputs: InputSet, weights: Floats, fixed: Floats | None = None) -> tuple[float, Floats]:
    """min weights (outputs,) times the outputs, as (value, all columns); ``fixed`` holds the inputs at a point."""
    assert not len(embedding.sos1) and not len(embedding.complementary)
    low, up = (inputs.lower, inputs.upper) if fixed is None else (fixed, fixed)
    cost = np.asarray(embedding.outputs.weights.T @ weights)
    rows = LinearConstraint(embedding.matrix, embedding.row_lower, embedding.row_upper)
    wide = sp.hstack([inputs.rows, sp.csr_matrix((inputs.rows.shape[0], embedding.columns))])
    constraints = [rows] if embedding.matrix.shape[0] else []
    if inputs.rows.shape[0]:
        constraints.append(LinearConstraint(wide, inputs.row_lower, inputs.row_upper))
    integrality = np.concatenate([inputs.integer, embedding.integer]).astype(int)
    bounds = Bounds(np.concatenate([low, embedding.lower]), np.concatenate([up, embedding.upper]))
    done = milp(cost, constraints=constraints, integrality=integrality, bounds=bounds, options={"mip_rel_gap": 1e-9})
    assert done.status == 0, done.message
    return float(done.fun + weights @ embedding.outputs.bias), np.asarray(done.x)


def violation(embedding: Embedding, columns: Floats) -> float:
    """The largest violation of a row or bound by ``columns`` (points, n + k)."""
    body = np.asarray((embedding.matrix @ columns.T).T)
    new = columns[:, embedding.inputs :]
    parts = [embedding.row_lower - body, body - embedding.row_upper, embedding.lower - new, new - embedding.upper]
    return max((float(p.max()) for p in parts if p.size), default=0.0)


def check_outputs_at_points(form: str, seed: int) -> None:
    """With the inputs fixed, the least and the largest output of the embedding are what the forward pass gives."""
    network = random_network(seed)
    embedding = embed(network, BOX, form)
    for point in np.random.default_rng(seed).uniform(-1, 2, size=(3, 3)):
        for sign in (1.0, -1.0):
            value, _ = optimum(embedding, BOX, np.array([sign]), fixed=point)
            expected = sign * float(network(point[None])[0, 0])
            assert value == pytest.approx(expected, abs=1e-6 * max(1, abs(expected)))


def check_against_split(form: str, seed: int) -> None:
    """The same switches and the same optima over the box as the split form has."""
    network = random_network(seed, widths=(6, 7))
    ours, split = embed(network, BOX, form), embed(network, BOX)
    assert ours.binaries == split.binaries
    for sign in (1.0, -1.0):
        expected = optimum(split, BOX, np.array([sign]))[0]
        assert optimum(ours, BOX, np.array([sign]))[0] == pytest.approx(expected, abs=1e-6)
