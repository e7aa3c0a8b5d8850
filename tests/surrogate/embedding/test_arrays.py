"""The forward pass written in the columns of a form satisfies all its rows and gives the outputs."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.polarity import Push
from bilevel_lang.surrogate.embedding.registry import FORMS
from tests.surrogate.embedding.solving import convex_network, random_network, violation

BOX = box(-np.ones(3), 2 * np.ones(3))


@pytest.mark.parametrize("push", ["both", "down", "up"])
@pytest.mark.parametrize("form", [f.name for f in FORMS if f.name != "epigraph"])
def test_completed_points_are_feasible(form: str, push: Push) -> None:
    network = random_network(7, widths=(6, 5, 4), outputs=2)
    embedding = embed(network, BOX, form, push=(push, push))
    points = np.random.default_rng(0).uniform(-1, 2, size=(40, 3))
    columns = np.hstack([points, embedding.complete(points)])
    assert violation(embedding, columns) <= 1e-12
    assert np.allclose(embedding.output(columns), network(points), atol=1e-12)
    for pairs in (embedding.sos1, embedding.complementary):
        assert (columns[:, pairs[:, 0]] * columns[:, pairs[:, 1]] == 0).all()
    whole = columns[:, 3:][:, embedding.integer]
    assert ((whole == 0) | (whole == 1)).all()


def test_completed_points_of_an_epigraph_lie_on_it() -> None:
    network = convex_network(2)
    embedding = embed(network, BOX, "epigraph", push=("down",))
    points = np.random.default_rng(0).uniform(-1, 2, size=(40, 3))
    columns = np.hstack([points, embedding.complete(points)])
    assert violation(embedding, columns) <= 1e-12
    assert np.allclose(embedding.output(columns), network(points))


def test_names_tell_the_neuron() -> None:
    embedding = embed(random_network(7), BOX)
    assert len(embedding.names) == embedding.columns == len(set(embedding.names))
    assert embedding.names[0] == f"relu[{embedding.reduced.origin[0]}]"
    assert len(embedding.row_names) == embedding.matrix.shape[0] == len(set(embedding.row_names))
