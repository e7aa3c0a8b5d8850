from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.value_function.integer.intersection import Cone, FreeSet, intersection_cut
from bilevel_lang.solvers.tree_judge import Vertex


def corner(status: list[int] | None = None) -> Vertex:
    """The vertex (1, 1) of x <= 1, y <= 1 in the plane, with one row x + y <= 5 that is not tight."""
    return Vertex(
        columns=np.array([0, 1]),
        x=np.array([1.0, 1.0]),
        lower=np.zeros(2),
        upper=np.ones(2),
        status=np.array(status or [1, 1]),
        matrix=np.array([[1.0, 1.0]]),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([5.0]),
        row_status=np.array([0]),
    )


def test_a_half_space_is_its_own_complement() -> None:
    # Inside x >= 0.5 (in y direction without end): the edge along x leaves after 0.5, so the cut is x <= 0.5.
    cone = Cone(corner(), np.array([0, 1]))
    cut = intersection_cut(cone, FreeSet(np.array([0]), np.array([-1.0]), np.array([-0.5])))
    assert cut is not None
    assert cut.columns.tolist() == [0]
    assert cut.lower / cut.coefficients[0] == pytest.approx(0.5, abs=1e-6)


def test_two_edges() -> None:
    # Inside x >= 0.5, y >= 0.75: distances 0.5 and 0.25, so (1-x)/0.5 + (1-y)/0.25 >= 1.
    cone = Cone(corner(), np.array([0, 1]))
    cut = intersection_cut(cone, FreeSet(np.array([0, 1]), np.array([-1.0, -1.0]), np.array([-0.5, -0.75])))
    assert cut is not None
    for point, side in (((0.5, 1.0), 0), ((1.0, 0.75), 0), ((1.0, 1.0), 1), ((0.0, 0.0), -1)):
        slack = float(cut.coefficients @ np.array(point)[cut.columns]) - cut.lower
        assert np.sign(np.round(slack, 5)) == -side


def test_rows_as_edges() -> None:
    # max x + y over x + 2y <= 4, 2x + y <= 4: the vertex is (4/3, 4/3). Inside x <= 2 and y <= 2, which the edges reach at
    # (2, 0), 4 units of the first row away, and (0, 2): the cut is (4 - x - 2y)/2 + (4 - 2x - y)/2 >= 1, or x + y <= 2.
    vertex = Vertex(
        columns=np.array([0, 1]),
        x=np.full(2, 4 / 3),
        lower=np.zeros(2),
        upper=np.full(2, 9.0),
        status=np.zeros(2, dtype=np.int64),
        matrix=np.array([[1.0, 2.0], [2.0, 1.0]]),
        row_lower=np.full(2, -np.inf),
        row_upper=np.full(2, 4.0),
        row_status=np.ones(2, dtype=np.int64),
    )
    cut = intersection_cut(Cone(vertex, np.array([0, 1])), FreeSet(np.array([0, 1]), np.ones(2), np.full(2, 2.0)))
    assert cut is not None
    for point in ((2.0, 0.0), (0.0, 2.0)):
        assert float(cut.coefficients @ np.array(point)[cut.columns]) == pytest.approx(cut.lower, abs=1e-5)
    assert float(cut.coefficients @ vertex.x[cut.columns]) < cut.lower


def test_a_vertex_at_the_edge_of_the_set_has_no_cut() -> None:
    cone = Cone(corner(), np.array([0, 1]))
    assert intersection_cut(cone, FreeSet(np.array([0]), np.array([-1.0]), np.array([-1.0]))) is None


def test_a_column_that_may_go_both_ways_has_no_cut() -> None:
    cone = Cone(corner([2, 1]), np.array([0, 1]))
    assert intersection_cut(cone, FreeSet(np.array([0]), np.array([-1.0]), np.array([-0.5]))) is None
