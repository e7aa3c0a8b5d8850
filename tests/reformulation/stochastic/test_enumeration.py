from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.borders import Borders
from bilevel_lang.reformulation.stochastic.enumeration import EnumeratedMaster, allowed, binary_points, is_small
from bilevel_lang.solvers.matrix import MatrixProgram


def first(n: int = 3) -> MatrixProgram:
    """n binaries of which two at most may be 1."""
    return MatrixProgram(
        lower=np.zeros(n),
        upper=np.ones(n),
        integer=np.ones(n, dtype=bool),
        cost=np.zeros(n),
        matrix=sp.csr_matrix(np.ones((1, n))),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([2.0]),
    )


def test_decisions_estimates_and_exclusions() -> None:
    master = EnumeratedMaster(first(), np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.5]), np.array([0.0, -10.0]))
    assert len(master.points) == 7
    found = master.best()
    assert found is not None
    assert (found[0].tolist(), found[1].tolist(), found[2]) == ([0, 0, 0], [0, -10], -5)
    master.cut(0, np.array([-20.0, 0.0, 0.0]), 20.0)  # 20 unless the first one is built
    found = master.best()
    assert found is not None
    assert (found[0].tolist(), found[2]) == ([1, 0, 0], -4)
    master.exclude(np.array([1.0, 0.0, 0.0]))
    found = master.best()
    assert found is not None
    assert (found[0].tolist(), found[2]) == ([1, 1, 0], -2)


def test_decisions_beyond_a_border_are_out() -> None:
    master = EnumeratedMaster(first(), np.array([1.0, 2.0, 4.0]), np.ones(1), np.zeros(1))
    master.forbid(Borders(np.array([[-1.0, -1.0, 0.0]]), np.array([1.0])))  # one of the first two
    found = master.best()
    assert found is not None
    assert (found[0].tolist(), found[2]) == ([1, 0, 0], 1)
    master.forbid(Borders(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.zeros(2)))
    assert master.best() is None


def test_points_that_rows_and_bounds_allow() -> None:
    assert sorted(binary_points(first()).sum(axis=1).tolist()) == [0, 1, 1, 1, 2, 2, 2]
    points = np.array([[0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [2.0, 0.0, 0.0]])
    assert allowed(first(), points).tolist() == [[0, 1, 1]]


def test_the_end_of_the_decisions() -> None:
    master = EnumeratedMaster(first(1), np.zeros(1), np.ones(1), np.zeros(1))
    master.exclude(np.array([0.0]))
    master.exclude(np.array([1.0]))
    assert master.best() is None


def test_fixed_decisions_are_not_listed() -> None:
    from dataclasses import replace

    fixed = replace(first(), upper=np.array([0.0, 1.0, 1.0]))
    assert EnumeratedMaster(fixed, np.zeros(3), np.ones(1), np.zeros(1)).points[:, 0].max() == 0


def test_what_is_too_much_to_list() -> None:
    assert is_small(first(10), 1000)
    assert not is_small(first(17), 1)
    assert not is_small(first(16), 1000)
