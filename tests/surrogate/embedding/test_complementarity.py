"""Pairs instead of SOS1 sets; their optimum is in test_sos1."""

from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from tests.surrogate.embedding.solving import random_network


def test_the_pairs_are_those_of_the_sos1_form() -> None:
    inputs = box(-np.ones(3), np.ones(3))
    pairs, sets = (embed(random_network(1), inputs, form) for form in ("complementarity", "sos1"))
    assert pairs.complementary.tolist() == sets.sos1.tolist() and not len(pairs.sos1)
    assert (pairs.matrix != sets.matrix).nnz == 0
