"""One HiGHS instance for many variants, against the ordinary adapter for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.solvers import hot_variants
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.hot_variants import VariantSolver
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.variants import Answers, Variants
from tests.solvers.test_highs_instance import fractional


def random_program(seed: int, whole: int = 0, curved: bool = False) -> MatrixProgram:
    draw = np.random.default_rng(seed)
    matrix = draw.normal(size=(4, 6)) * (draw.random((4, 6)) < 0.7)
    root = draw.normal(size=(3, 6))
    return MatrixProgram(
        lower=np.zeros(6),
        upper=np.full(6, 5.0),
        integer=np.arange(6) < whole,
        cost=draw.normal(size=6),
        matrix=sp.csr_matrix(matrix),
        row_lower=np.array([-np.inf, -np.inf, -2.0, -np.inf]),
        row_upper=matrix @ np.ones(6) + 1,
        quadratic=sp.csc_matrix(root.T @ root) if curved else None,
    )


def random_variants(base: MatrixProgram, count: int, seed: int, entries: bool = False) -> Variants:
    draw = np.random.default_rng(seed)
    rows, costly = np.array([0, 3], dtype=np.int32), np.array([1, 2, 5], dtype=np.int32)
    upper = base.row_upper[rows] + draw.normal(size=(count, 2)) * np.array([10.0, 1.0])
    found = Variants(
        count,
        rows=rows,
        row_lower=np.where([True, False], upper - 0.5, -np.inf),
        row_upper=upper,
        columns=np.array([4], dtype=np.int32),
        lower=draw.uniform(0, 1, (count, 1)),
        upper=draw.uniform(2, 5, (count, 1)),
        costly=costly,
        cost=base.cost[costly] + draw.normal(size=(count, 3)),
    )
    if not entries:
        return found
    places = {"entry_rows": np.array([0, 2]), "entry_columns": np.array([0, 3]), "coefficients": draw.normal(size=(count, 2))}
    return replace(found, **places)  # type: ignore[arg-type]


def compare(base: MatrixProgram, variants: Variants, answers: Answers) -> int:
    """How many are optimal; every one agrees with the adapter."""
    for i, termination in enumerate(answers.terminations):
        run = Highs().run_matrix(variants.program(base, i), SolverOptions())
        assert termination is run.termination
        if run.objective is not None:
            found = variants.program(base, i).objective_at(answers.x[i])
            assert found == pytest.approx(run.objective, rel=1e-6, abs=1e-6)
        else:
            assert np.isnan(answers.x[i]).all()
    return sum(t is Termination.OPTIMAL for t in answers.terminations)


@pytest.mark.parametrize("kind", ["lp", "lp primal", "entries", "milp", "qp"])
def test_answers_are_those_of_the_adapter(kind: str) -> None:
    base = random_program(2, whole=4 * (kind == "milp"), curved=kind == "qp")
    variants = random_variants(base, 25, 1, entries=kind == "entries")
    answers = VariantSolver(base, SolverOptions(), primal=kind == "lp primal").solve(variants)
    assert 3 < compare(base, variants, answers) < 25
    assert answers.again == 0
    assert (answers.row_duals is None) == (kind == "milp")


def test_unbounded_and_infeasible_variants() -> None:
    base = replace(random_program(2), upper=np.full(6, np.inf), row_lower=np.full(4, -np.inf), row_upper=np.full(4, np.inf))
    base = replace(base, cost=np.ones(6))
    variants = Variants(3, costly=np.array([0], dtype=np.int32), cost=np.array([[1.0], [-1.0], [2.0]]))
    answers = VariantSolver(base, SolverOptions()).solve(variants)
    assert answers.terminations == [Termination.OPTIMAL, Termination.UNBOUNDED, Termination.OPTIMAL]
    crossing = Variants(1, columns=np.array([0], dtype=np.int32), lower=np.array([[2.0]]), upper=np.array([[1.0]]))
    assert VariantSolver(base, SolverOptions()).solve(crossing).terminations == [Termination.INFEASIBLE]


def test_an_answer_that_the_check_does_not_believe_is_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    base = random_program(2)
    variants = random_variants(base, 6, 1)
    honest = VariantSolver(base, SolverOptions()).solve(variants)
    calls = []

    def suspicious(*arguments: object) -> np.ndarray:
        calls.append(arguments)
        return real(*arguments) & (len(calls) > 1)  # type: ignore[arg-type]

    real = hot_variants.feasible
    monkeypatch.setattr(hot_variants, "feasible", suspicious)
    answers = VariantSolver(base, SolverOptions()).solve(variants)
    assert answers.again == sum(t is Termination.OPTIMAL for t in honest.terminations) > 0
    assert answers.terminations == honest.terminations
    assert np.allclose(answers.x, honest.x, equal_nan=True)
    monkeypatch.setattr(hot_variants, "feasible", lambda base, variants, x: np.zeros(len(x), dtype=bool))
    failed = VariantSolver(base, SolverOptions()).solve(variants)
    assert Termination.FAILED in failed.terminations and np.isnan(failed.x).all()


def test_each_variant_has_its_own_time_limit() -> None:
    draw = np.random.default_rng(0)
    weights = draw.integers(1000, 9999, size=(12, 150)).astype(float)
    base = MatrixProgram(
        lower=np.zeros(150),
        upper=np.ones(150),
        integer=np.ones(150, dtype=bool),
        cost=-draw.integers(1000, 9999, size=150).astype(float),
        matrix=sp.csr_matrix(weights),
        row_lower=np.full(12, -np.inf),
        row_upper=weights.sum(axis=1) / 2,
    )
    variants = Variants(2, costly=np.array([0], dtype=np.int32), cost=np.array([[-5000.0], [-5001.0]]))
    answers = VariantSolver(base, SolverOptions(time_limit=0.2)).solve(variants)
    assert answers.terminations == [Termination.LIMIT] * 2
    # The best point known, and whole.
    assert np.isfinite(answers.x).all() and set(np.unique(answers.x)) <= {0.0, 1.0}


def test_bounds_of_integers_may_be_fractional() -> None:
    # HiGHS 1.15.1 calls the first variant infeasible where 6.5 is handed to it.
    program = fractional(6.0)
    upper = np.array([[6.5], [0.7], [3.2]])
    variants = Variants(3, columns=np.array([2], dtype=np.int32), lower=np.zeros((3, 1)), upper=upper)
    answers = VariantSolver(program, SolverOptions()).solve(variants)
    assert compare(program, variants, answers) == 3
