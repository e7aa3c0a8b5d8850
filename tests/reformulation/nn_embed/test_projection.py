"""The nearest decision that the rows allow."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_embed.projection import Projection
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.bounds.input_set import box
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction


def test_outside_goes_to_the_edge_and_inside_stays() -> None:
    source, inputs, _ = arrays(continuous())
    onto = Projection(source.relaxation, inputs, box(np.zeros(1), np.full(1, 10.0)), SolverOptions(), None)
    for x, nearest in ((9.0, 4.5), (3.25, 3.25), (0.0, 0.0)):
        found = onto(np.array([x]))
        assert found is not None and found[0] == pytest.approx(nearest, abs=1e-7)


def test_as_few_items_are_given_back_as_the_budget_asks() -> None:
    source, inputs, domain = arrays(interdiction())
    found = Projection(source.relaxation, inputs, domain, SolverOptions(), None)(np.ones(4))
    assert found is not None and found.sum() == pytest.approx(2.0)
