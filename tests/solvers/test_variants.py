"""Variants of a program, and the check of their answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.variants import Variants, feasible, proven, reduced_costs


def program(quadratic: sp.csc_matrix | None = None) -> MatrixProgram:
    """min -3a - 2b (+ curvature)  s.t. a + b <= 4, a + 3b <= 6, 0 <= a <= 3, b >= 0."""
    return MatrixProgram(
        lower=np.zeros(2),
        upper=np.array([3.0, np.inf]),
        integer=np.zeros(2, dtype=bool),
        cost=np.array([-3.0, -2.0]),
        matrix=sp.csr_matrix([[1.0, 1.0], [1.0, 3.0]]),
        row_lower=np.full(2, -np.inf),
        row_upper=np.array([4.0, 6.0]),
        quadratic=quadratic,
    )


def variants() -> Variants:
    return Variants(
        2,
        rows=np.array([1]),
        row_lower=np.full((2, 1), -np.inf),
        row_upper=np.array([[6.0], [3.0]]),
        columns=np.array([0]),
        lower=np.zeros((2, 1)),
        upper=np.array([[3.0], [2.0]]),
        costly=np.array([1]),
        cost=np.array([[-2.0], [-4.0]]),
        entry_rows=np.array([0]),
        entry_columns=np.array([1]),
        coefficients=np.array([[1.0], [2.0]]),
    )


def test_one_variant_as_a_program_of_its_own() -> None:
    second = variants().program(program(), 1)
    assert second.matrix.toarray().tolist() == [[1, 2], [1, 3]]
    assert second.row_upper.tolist() == [4, 3] and second.upper[0] == 2 and second.cost.tolist() == [-3, -4]
    assert variants().subset(np.array([1, 0])).program(program(), 0).cost.tolist() == [-3, -4]


def solutions(base: MatrixProgram) -> tuple[np.ndarray, np.ndarray]:
    runs = [Highs().run_matrix(variants().program(base, i), SolverOptions()) for i in range(2)]
    assert all(run.termination is Termination.OPTIMAL for run in runs)
    return np.array([run.x for run in runs]), np.array([run.row_duals for run in runs])


def test_what_the_adapter_finds_is_feasible_and_proven() -> None:
    for base in (program(), program(sp.csc_matrix([[2.0, 0.5], [0.5, 1.0]]))):
        x, duals = solutions(base)
        assert feasible(base, variants(), x).all()
        assert proven(base, variants(), x, duals).all()


def test_worse_points_wrong_multipliers_and_violations_are_seen() -> None:
    base = program()
    x, duals = solutions(base)
    worse = x - np.array([1e-3, 0.0])
    assert feasible(base, variants(), worse).all() and not proven(base, variants(), worse, duals).any()
    assert not proven(base, variants(), x, -duals).any()
    assert not proven(base, variants(), x, duals + np.array([0.1, 0.0])).any()
    assert feasible(base, variants(), x + np.array([1e-3, 0.0])).tolist() == [False, False]


def test_reduced_costs_by_hand() -> None:
    x, duals = np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[1.0, 0.0], [-1.0, 2.0]])
    curved = replace(program(), quadratic=sp.csc_matrix([[2.0, 0.0], [0.0, 0.0]]))
    assert reduced_costs(curved, variants(), x, duals).tolist() == [[-3 - 1 + 2, -2 - 1], [-3 + 1 - 2 + 2, -4 + 2 - 6]]


def test_a_multiplier_of_a_side_that_is_not_there_proves_nothing() -> None:
    base = program()
    x, duals = solutions(base)
    assert not proven(replace(base, row_upper=np.full(2, np.inf)), Variants(2), x, duals).any()
