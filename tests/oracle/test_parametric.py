"""The arrays of one agent: features, goals and the fingerprint."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.oracle.parametric import Features, Goal, MatrixEntries, ParametricAgent
from bilevel_lang.surrogate.sampling.space import box


def two_by_one() -> ParametricAgent:
    """min (1 + x1 x2) y1 + y2  s.t. y1 + (2 + x1) y2 >= x2, y >= 0."""
    return ParametricAgent(
        name="min f",
        inputs=box(["x1", "x2"]),
        features=Features(2, np.array([[0, 1]])),
        goal=Goal(1, 0.0, np.zeros(3), np.ones(2), sp.csr_matrix([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])),
        response_names=("y1", "y2"),
        lower=np.zeros(2),
        upper=np.full(2, np.inf),
        integer=np.zeros(2, dtype=bool),
        matrix=sp.csr_matrix([[1.0, 2.0]]),
        row_names=("demand",),
        row_lower=np.zeros(1),
        row_upper=np.full(1, np.inf),
        row_slope=sp.csr_matrix([[0.0, -1.0, 0.0]]),
        entries=MatrixEntries(np.array([0]), np.array([1]), np.array([0]), np.array([1.0])),
    )


def test_features_and_goal_by_hand() -> None:
    agent = two_by_one()
    phi = agent.features.at(np.array([[2.0, 3.0], [0.5, 4.0]]))
    assert phi.tolist() == [[2, 3, 6], [0.5, 4, 2]]
    assert agent.goal.costs(phi).tolist() == [[7, 1], [3, 1]]
    assert agent.goal.values(phi, np.array([[1.0, 1.0], [2.0, 0.0]])).tolist() == [8, 6]


def test_a_square_counts_twice_in_the_gradient() -> None:
    features = Features(1, np.array([[0, 0]]))
    gradient = features.gradient(np.array([[3.0]]), np.array([[1.0, 2.0]]))
    assert gradient.tolist() == [[1 + 2 * 2 * 3]]


def test_a_quadratic_goal() -> None:
    goal = Goal(1, 1.0, np.zeros(1), np.zeros(2), sp.csr_matrix((2, 1)), sp.csc_matrix([[2.0, 1.0], [1.0, 4.0]]))
    assert goal.values(np.zeros((1, 1)), np.array([[1.0, 2.0]])).tolist() == [1 + 1 + 2 + 8]


def test_the_fingerprint_does_not_see_how_a_matrix_is_stored() -> None:
    agent = two_by_one()
    scattered = sp.csr_matrix((np.array([2.0, 0.5, 0.5]), np.array([1, 0, 0]), np.array([0, 3])), shape=(1, 2))
    assert replace(agent, matrix=scattered).fingerprint() == agent.fingerprint()
    assert replace(agent, matrix=2 * agent.matrix).fingerprint() != agent.fingerprint()
    assert replace(agent, row_names=("supply",)).fingerprint() != agent.fingerprint()
    assert replace(agent, entries=MatrixEntries()).fingerprint() != agent.fingerprint()


def test_shapes_have_to_fit() -> None:
    with pytest.raises(AssertionError):
        replace(two_by_one(), lower=np.zeros(3))
