"""Descent on a function of which the minimum is known."""

from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.nn_embed.proposals import InputRows, moves, proposals
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import box
from tests.reformulation.nn_embed.followers import arrays, interdiction


def rows() -> InputRows:
    source, inputs, _ = arrays(interdiction())
    return InputRows(source, inputs)


def test_rows_of_inputs_alone_are_found() -> None:
    points = np.array([[1.0, 1, 0, 0], [1, 1, 1, 0]])
    assert rows().satisfied(points).tolist() == [True, False]


def test_swaps_lead_to_the_best_pair() -> None:
    worth = np.array([1.0, 3.0, 2.0, 5.0])

    def merit(points: Floats) -> Floats:
        return np.asarray(-points @ worth)

    domain = box(np.zeros(4), np.ones(4), np.ones(4, dtype=bool))
    found = proposals(merit, np.array([[1.0, 0, 1, 0]]), domain, rows(), 5)
    assert found.tolist() == [[0.0, 1.0, 0.0, 1.0]]


def test_the_best_end_comes_first() -> None:
    domain = box(np.full(1, -3.0), np.full(1, 3.0))

    class Nothing(InputRows):
        def __init__(self) -> None:
            self.lower = np.zeros(0)

    def merit(points: Floats) -> Floats:
        return np.asarray((points[:, 0] ** 2 - 4) ** 2 + points[:, 0])  # minima near -2 and 2, the first is lower

    found = proposals(merit, np.array([[2.9], [-2.9]]), domain, Nothing(), 5)
    assert len(found) == 2 and found[0, 0] < -1.8 and found[1, 0] > 1.8


def test_moves_are_one_step_each() -> None:
    domain = box(np.zeros(2), np.array([5.0, 1.0]), np.array([True, False]))
    around = moves(np.array([5.0, 0.5]), domain)
    assert ((around != [5.0, 0.5]).sum(axis=1) == 1).all()
    assert [4.0, 0.5] in around.tolist() and [6.0, 0.5] not in around.tolist()
