"""The line of least squares is found at once, whatever the neurons make at random; a convex network stays one."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.training.linear_start import with_linear_part
from bilevel_lang.surrogate.training.parameters import Shape

SHAPES = [Shape(3, (5, 4), 1), Shape(3, (5, 4), 1, convex=True), Shape(3, (6,), 2)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_other_line_is_nearer(shape: Shape) -> None:
    generator = np.random.default_rng(0)
    x, weights = generator.uniform(-1, 1, size=(400, 3)), generator.uniform(0, 2, size=400)
    t = np.column_stack([x @ [1.0, -2.0, 0.5] + 0.3 + np.abs(x[:, 0]), x[:, 1]])[:, : shape.outputs]
    found = with_linear_part(shape, shape.start(seed=1), x, t, weights)
    rest = t - shape.network(found)(x)
    # What is left has no weighted mean and no slope, but for the ridge.
    assert np.abs(np.average(rest, axis=0, weights=weights)).max() < 0.01
    assert np.abs(x.T @ (weights[:, None] * rest)).max() / 400 < 0.01
    if shape.convex:
        assert shape.network(found).convex().all()


def test_fewer_samples_than_inputs_have_a_line_too() -> None:
    shape = Shape(10, (4,), 1)
    x = np.random.default_rng(1).uniform(-1, 1, size=(5, 10))
    found = with_linear_part(shape, shape.start(seed=1), x, x[:, :1], np.ones(5))
    assert np.abs(shape.network(found)(x) - x[:, :1]).max() < 0.05
