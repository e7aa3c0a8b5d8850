"""Labels: shapes, a split that does not depend on chance, and a hash of the content."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.training.labels import Labels


def labels(count: int = 20, seed: int = 0) -> Labels:
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 3, size=(count, 2))
    return Labels(
        x, (x**2).sum(axis=1, keepdims=True), np.full(2, -1.0), np.full(2, 3.0), gradients=2 * x, weights=np.ones(count)
    )


def test_a_split_parts_the_samples_and_is_the_same_again() -> None:
    training, held = labels().split(0.25, seed=3)
    assert (len(training), len(held)) == (15, 5)
    together = np.vstack([training.inputs, held.inputs])
    assert len(np.unique(together, axis=0)) == 20
    again, _ = labels().split(0.25, seed=3)
    assert np.array_equal(training.inputs, again.inputs)
    other, _ = labels().split(0.25, seed=4)
    assert not np.array_equal(training.inputs, other.inputs)


def test_both_parts_have_a_sample() -> None:
    training, held = labels(2).split(0.99, seed=0)
    assert (len(training), len(held)) == (1, 1)


def test_the_hash_is_that_of_the_content() -> None:
    assert labels().content_hash() == labels().content_hash() != labels(seed=1).content_hash()
    without = Labels(labels().inputs, labels().targets, labels().lower, labels().upper)
    assert without.content_hash() != labels().content_hash()


@pytest.mark.parametrize("what", ["targets", "gradients", "weights", "lower"])
def test_what_does_not_fit_is_an_error(what: str) -> None:
    good = labels()
    parts = {name: getattr(good, name) for name in ("inputs", "targets", "lower", "upper", "gradients", "weights")}
    parts[what] = parts[what][:-1]
    with pytest.raises(ValueError, match=r"."):
        Labels(**parts)


def test_what_is_not_finite_is_an_error() -> None:
    good = labels()
    with pytest.raises(ValueError, match="finite"):
        Labels(good.inputs, good.targets * np.nan, good.lower, good.upper)
