"""SOS1 sets against the enumeration of which part is 0."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.arrays import Embedding
from bilevel_lang.surrogate.embedding.construction import embed
from tests.surrogate.embedding.solving import optimum, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))


def by_enumeration(embedding: Embedding, weights: np.ndarray) -> float:
    """The least value over all choices of the part that is 0 in each pair."""
    pairs = embedding.sos1 if len(embedding.sos1) else embedding.complementary
    none = np.zeros((0, 2), dtype=np.int64)
    found = []
    for choice in itertools.product((0, 1), repeat=len(pairs)):
        upper = embedding.upper.copy()
        upper[pairs[np.arange(len(pairs)), list(choice)] - embedding.inputs] = 0.0
        try:
            found.append(optimum(replace(embedding, upper=upper, sos1=none, complementary=none), BOX, weights)[0])
        except AssertionError as error:
            assert "infeasible" in str(error)
    return min(found)


@pytest.mark.parametrize("form", ["sos1", "complementarity"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_least_value_is_that_of_the_split_form(form: str, sign: float) -> None:
    network = random_network(3, widths=(3, 3))
    embedding = embed(network, BOX, form)
    assert embedding.binaries == (0 if form == "complementarity" else len(embedding.sos1))
    assert not embedding.integer.any()
    expected = optimum(embed(network, BOX), BOX, np.array([sign]))[0]
    assert by_enumeration(embedding, np.array([sign])) == pytest.approx(expected, abs=1e-6)


def test_no_bounds_are_needed() -> None:
    free = box(np.full(3, -np.inf), np.full(3, np.inf))
    embedding = embed(random_network(0), free, "sos1")
    assert len(embedding.sos1) == 11 and np.isinf(embedding.upper).any()
