"""LP bounds: inside the interval bounds, around every sample, equal to the exact range where that is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.bounds.input_set import InputSet, box
from bilevel_lang.surrogate.bounds.interval import interval_bounds
from bilevel_lang.surrogate.bounds.tightening import tighten_bounds
from bilevel_lang.surrogate.network import Affine, Network
from tests.surrogate.bounds.solving import with_scipy
from tests.surrogate.bounds.test_interval import before_each_relu
from tests.surrogate.embedding.solving import convex_network, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))


def budget(inputs: InputSet, side: float) -> InputSet:
    return replace(inputs, rows=sp.csr_matrix(np.ones((1, 3))), row_lower=np.array([-np.inf]), row_upper=np.array([side]))


@pytest.mark.parametrize("inputs", [BOX, budget(BOX, 0.5)], ids=["box", "row"])
@pytest.mark.parametrize("seed", range(3))
def test_between_samples_and_intervals(seed: int, inputs: InputSet) -> None:
    network = random_network(seed, widths=(6, 6, 5), outputs=2)
    wide, tight = interval_bounds(network, BOX.lower, BOX.upper), tighten_bounds(network, inputs, with_scipy)
    assert (tight.lower >= wide.lower).all() and (tight.upper <= wide.upper).all()
    assert (tight.output_upper - tight.output_lower).sum() < (wide.output_upper - wide.output_lower).sum()
    points = np.random.default_rng(seed).uniform(-1, 2, size=(4000, 3))
    points = points[np.asarray(inputs.rows @ points.T <= inputs.row_upper[:, None]).all(axis=0)]
    values, outputs = before_each_relu(network, points), network(points)
    assert (values >= tight.lower).all() and (values <= tight.upper).all()
    assert (outputs >= tight.output_lower).all() and (outputs <= tight.output_upper).all()


def test_rows_reach_the_first_layer() -> None:
    # x1 + x2 + x3 <= 0.5: the sum's upper bound is 0.5, not 6.
    network = Network(
        3, (Affine(sp.csr_matrix(np.ones((1, 3))), np.zeros(1)),), Affine(sp.csr_matrix([[0.0, 0, 0, 1]]), np.zeros(1))
    )
    assert tighten_bounds(network, budget(BOX, 0.5), with_scipy).upper[0] == pytest.approx(0.5, abs=2e-6)
    assert tighten_bounds(network, budget(BOX, -0.5), with_scipy).upper[0] <= 0.0


def test_minimum_of_a_convex_network_is_exact() -> None:
    # Its relaxation pushed down is the epigraph; on a line of points the minimum is seen.
    network = convex_network(1, inputs=1)
    found = tighten_bounds(network, box(-np.ones(1), np.ones(1)), with_scipy)
    seen = network(np.linspace(-1, 1, 20001)[:, None]).min()
    assert seen - 1e-3 <= found.output_lower[0] <= seen


def test_a_solver_without_answers_leaves_the_intervals() -> None:
    network = random_network(2)
    found = tighten_bounds(network, BOX, lambda *_: lambda *_: None)
    wide = interval_bounds(network, BOX.lower, BOX.upper)
    assert (found.lower == wide.lower).all() and (found.upper == wide.upper).all()


def test_an_unbounded_input_is_named() -> None:
    with pytest.raises(RefusedError, match=r"tightening of bounds needs bounds of all inputs, and x\[1\]"):
        tighten_bounds(random_network(0), box(np.array([0.0, 0, 0]), np.array([1.0, np.inf, 1])), with_scipy)
