"""The order that a straight line gives."""

from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.nn_embed.trend import trend


def test_a_linear_function_keeps_its_order() -> None:
    generator = np.random.default_rng(3)
    x, y = generator.uniform(-1, 1, (60, 3)), generator.uniform(-1, 1, (40, 3))
    slopes = np.array([3.0, -1.0, 0.2])
    found = trend(x, x @ slopes + 5, y)
    assert np.corrcoef(found, y @ slopes)[0, 1] > 0.999


def test_one_decision_and_inputs_that_never_moved_say_nothing() -> None:
    assert np.allclose(trend(np.array([[1.0, 2.0]]), np.array([7.0]), np.zeros((3, 2))), 7.0)
