"""Scaling there and back, and folded into a network."""

from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.network import dense
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.scaling import scaling_of
from tests.surrogate.training.test_labels import labels


def test_the_box_becomes_the_unit_box_and_targets_have_size_one() -> None:
    scaling = scaling_of(labels(200))
    ends = np.array([[-1.0, -1.0], [3.0, 3.0]])
    assert np.allclose(scaling.inputs(ends), [[-1, -1], [1, 1]])
    scaled = scaling.targets(labels(200).targets)
    assert np.allclose([scaled.mean(), scaled.std()], [0.0, 1.0])


def test_a_folded_network_speaks_of_the_original_numbers() -> None:
    generator = np.random.default_rng(0)
    inner = dense([generator.normal(size=(6, 2)), generator.normal(size=(1, 6))], [generator.normal(size=6), np.array([0.3])])
    scaling = scaling_of(labels(50))
    points = generator.uniform(-1, 3, size=(30, 2))
    wanted = inner(scaling.inputs(points)) * scaling.size + scaling.mean
    assert np.allclose(scaling.folded(inner)(points), wanted, atol=1e-12)


def test_gradients_scale_as_a_difference_quotient_does() -> None:
    scaling = scaling_of(labels(50))
    x, step = np.array([[0.5, 1.5]]), 1e-6
    value = lambda p: (p**2).sum(axis=1, keepdims=True)  # noqa: E731
    quotient = [
        (scaling.targets(value(x + step * e * scaling.half)) - scaling.targets(value(x - step * e * scaling.half)))[0, 0]
        / (2 * step)
        for e in np.eye(2)
    ]
    assert np.allclose(scaling.gradients(2 * x)[0], quotient, rtol=1e-6)


def test_what_does_not_vary_is_left_alone() -> None:
    still = Labels(np.ones((6, 1)), np.full((6, 1), 7.0), np.ones(1), np.ones(1))
    scaling = scaling_of(still)
    assert (scaling.half[0], scaling.size[0], scaling.mean[0]) == (1.0, 1.0, 7.0)
