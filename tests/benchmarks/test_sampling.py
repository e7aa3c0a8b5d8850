"""The benchmark of sampling at tiny sizes: its three ways solve the same problem."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sampling.instance import SIZES, numbers, points
from benchmarks.sampling.loops import bare, ours, pyomo, recipe
from bilevel_lang.oracle.parametric import ParametricAgent


@pytest.mark.parametrize(("n", "m"), SIZES[:2])
def test_three_ways_find_the_same_values(n: int, m: int) -> None:
    data, x = numbers(n, m), points(12)
    found = [way(data, x) for way in (bare, pyomo, ours)]
    assert all(seconds >= 0 for seconds, _ in found)
    assert all(np.allclose(values, found[0][1], rtol=1e-7) for _, values in found)
    assert len(np.unique(found[0][1].round(9))) == 12


def test_the_compiled_follower_is_the_one_that_the_readme_describes() -> None:
    agent = recipe(numbers(50, 40)).agent
    assert isinstance(agent, ParametricAgent)
    assert agent.matrix.shape == (40, 50) and 3 < agent.matrix.nnz / 40 < 12
    share = agent.row_slope.nnz / (40 * len(agent.inputs))
    assert len(agent.inputs) == 5 and 0.15 < share < 0.45
