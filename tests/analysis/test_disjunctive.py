"""Linear programs with alternatives, against enumeration of the alternatives."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog

from bilevel_lang.analysis import disjunctive
from bilevel_lang.analysis.disjunctive import GivenUpError, LinearProgram, first_below


def program(seed: int, pairs: int = 4) -> LinearProgram:
    """Columns in [0, 1], two equations."""
    random = np.random.default_rng(seed)
    n = 2 * pairs
    matrix = random.integers(-2, 4, (2, n)).astype(float)
    return LinearProgram(random.normal(size=n), matrix, matrix @ random.uniform(0, 0.4, n), [0.0] * n, [1.0] * n)


def best(lp: LinearProgram, pairs: int = 4) -> float:
    """The least cost where of each pair of columns one is 0."""
    costs = []
    for zeros in itertools.product((0, 1), repeat=pairs):
        upper = np.ones(2 * pairs)
        upper[[2 * k + zero for k, zero in enumerate(zeros)]] = 0.0
        found = linprog(lp.cost, A_eq=lp.equal, b_eq=lp.equal_to, bounds=np.column_stack([lp.lower, upper]), method="highs")
        costs.append(found.fun if found.status == 0 else math.inf)
    return min(costs)


ONE_IS_ZERO = [(((2 * k, 0.0, 0.0),), ((2 * k + 1, 0.0, 0.0),)) for k in range(4)]


@pytest.mark.parametrize("seed", range(25))
def test_finds_a_point_exactly_if_there_is_one(seed: int) -> None:
    lp = program(seed)
    least = best(lp)
    if math.isfinite(least):
        point = first_below(lp, ONE_IS_ZERO, least + 1e-6)
        assert point is not None
        assert lp.cost @ point <= least + 1e-6
        assert all(min(point[2 * k], point[2 * k + 1]) <= 1e-7 for k in range(4))
        assert first_below(lp, ONE_IS_ZERO, least - 1e-4) is None
    else:
        assert first_below(lp, ONE_IS_ZERO, 1e9) is None


def test_without_alternatives_it_is_a_linear_program() -> None:
    lp = LinearProgram(np.array([1.0]), np.zeros((0, 1)), np.zeros(0), [2.0], [3.0])
    assert first_below(lp, (), 2.0) == pytest.approx([2.0])
    assert first_below(lp, (), 1.9) is None


def test_gives_up_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disjunctive, "NODES", 0)
    with pytest.raises(GivenUpError, match="more than 0"):
        first_below(program(0), ONE_IS_ZERO, 1e9)
