from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.continuous.master import Master
from bilevel_lang.reformulation.value_function.continuous.policies import EPSILON, Policies
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.value_function.continuous.programs import koeppe
from tests.reformulation.value_function.integer.programs import INF, program


def with_zero() -> Master:
    """Koeppe's example with the answer y = 0."""
    master = Master(koeppe())
    master.add(Policies(koeppe()).policy(np.zeros(2), sp.csr_matrix((2, 2))))
    return master


def test_the_closed_relaxation_touches_the_limit() -> None:
    run = Scip().run_matrix(with_zero().program(witness=False), SolverOptions())
    assert run.x is not None
    np.testing.assert_allclose(run.x[:2], [0.0, 1.0], atol=1e-8)


def test_a_witness_is_off_the_limit_and_in_the_same_leaf() -> None:
    master = with_zero()
    run = Scip().run_matrix(master.program(witness=True), SolverOptions())
    assert run.x is not None
    np.testing.assert_allclose(run.x[:2], [0.0, 1.0], atol=1e-8)
    assert master.witness_of(run.x)[0] >= EPSILON - 1e-8
    leaf = Scip().run_matrix(master.leaf(run.x), SolverOptions())
    assert leaf.x is not None
    np.testing.assert_allclose(master.witness_of(leaf.x), [EPSILON, 1.0], atol=1e-8)


def test_where_the_limit_cannot_be_passed_there_is_no_witness_and_no_alternative() -> None:
    held = koeppe()
    held = replace(held, relaxation=replace(held.relaxation, upper=np.array([0.0, 1.0])))
    master = Master(held)
    master.add(Policies(held).policy(np.zeros(2), sp.csr_matrix((2, 2))))
    run = Scip().run_matrix(master.program(witness=False), SolverOptions())
    assert run.x is not None
    assert run.x[:2].tolist() == [0.0, 0.0]


def test_the_widest_witness() -> None:
    narrow = koeppe()
    for upper, share in ((1e-6, 0.1), (1.0, 1.0)):
        held = replace(narrow, relaxation=replace(narrow.relaxation, upper=np.array([upper, 1.0])))
        master = Master(held)
        master.add(Policies(held).policy(np.zeros(2), sp.csr_matrix((2, 2))))
        run = Scip().run_matrix(master.widest(-0.5), SolverOptions())
        assert run.objective is not None
        np.testing.assert_allclose(-run.objective, share, atol=1e-3)
    # Nothing is as good as -2.
    assert Scip().run_matrix(master.widest(-2.0), SolverOptions()).termination is Termination.INFEASIBLE


def test_constants_without_a_bound_become_indicators() -> None:
    free = program([1, -1], [[-1, 1]], [(0, 5)], [1], [(-INF, INF), (-9, INF)], integer=[False, True])
    master = Master(free)
    master.add(Policies(free).policy(np.zeros(2), sp.csr_matrix((2, 2))))
    made = master.program(witness=False)
    assert made.indicators
    run = Scip().run_matrix(replace(made, lower=np.maximum(made.lower, -50), upper=np.minimum(made.upper, 50)), SolverOptions())
    # y <= x + 5 and y > 0 only for x > 0: -5 at every x, with y = x + 5 <= 0 or x >= 0.
    assert run.objective is not None
    np.testing.assert_allclose(run.objective, -5.0, atol=1e-7)
