from __future__ import annotations

import pytest

from bilevel_lang.solvers.scip_tree import run_tree
from bilevel_lang.solvers.solver import SolverOptions
from tests.solvers.judges import PROGRAM, Even


def test_a_vertex_has_as_many_basic_things_as_rows() -> None:
    judge = Even()
    run_tree(PROGRAM, judge, SolverOptions())
    assert judge.vertices
    for vertex in judge.vertices:
        assert vertex.matrix.shape == (len(vertex.row_status), len(vertex.columns))
        assert int((vertex.status == 0).sum() + (vertex.row_status == 0).sum()) == len(vertex.row_status)
        # What is not basic lies at the bound that its status tells.
        assert (vertex.x[vertex.status < 0] == vertex.lower[vertex.status < 0]).all()
        assert (vertex.x[vertex.status > 0] == vertex.upper[vertex.status > 0]).all()
        body = vertex.matrix @ vertex.x
        assert body[vertex.row_status > 0] == pytest.approx(vertex.row_upper[vertex.row_status > 0])
