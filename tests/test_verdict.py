"""Status, exactness and bound for every combination that a run and a certificate can come in."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang
from bilevel_lang.assembly import assemble
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import Certificate, Exactness, Point, Status
from bilevel_lang.solvers.solver import SolverRun, Termination
from tests.test_assembly import E, S, T, model, put_together


@pytest.mark.parametrize(
    ("termination", "promised", "verified", "bound", "status", "exactness"),
    [
        (T.OPTIMAL, E.EXACT, True, 1.0, S.OPTIMAL, E.EXACT),
        (T.OPTIMAL, E.RELAXATION, True, 1.0, S.OPTIMAL, E.EXACT),
        (T.OPTIMAL, E.EXACT, True, 0.99995, S.OPTIMAL, E.EPSILON),  # to the solver's tolerances; the answer has the gap
        (T.OPTIMAL, E.EXACT, True, 0.9, S.FEASIBLE, E.STATIONARY),  # a gap that nobody asked for is no proof
        (T.OPTIMAL, E.EXACT, True, None, S.FEASIBLE, E.STATIONARY),  # nobody proved anything
        (T.OPTIMAL, E.EXACT, False, 1.0, S.VERIFICATION_FAILED, E.EXACT),
        (T.OPTIMAL, E.RELAXATION, False, 1.0, S.VERIFICATION_FAILED, E.RELAXATION),
        (T.OPTIMAL, E.STATIONARY, True, 1.0, S.FEASIBLE, E.STATIONARY),
        (T.OPTIMAL, E.APPROXIMATION, True, 1.0, S.FEASIBLE, E.APPROXIMATION),
        (T.LOCALLY_OPTIMAL, E.STATIONARY, True, None, S.FEASIBLE, E.STATIONARY),
        (T.LOCALLY_OPTIMAL, E.EXACT, True, 0.5, S.FEASIBLE, E.STATIONARY),
        (T.LOCALLY_OPTIMAL, E.EXACT, True, 1.0, S.OPTIMAL, E.EPSILON),  # it reaches what a global search has proven
        (T.LOCALLY_OPTIMAL, E.EXACT, False, None, S.VERIFICATION_FAILED, E.STATIONARY),
        (T.LIMIT, E.EXACT, True, 0.5, S.LIMIT, E.EXACT),
        (T.LIMIT, E.EXACT, True, 1.0, S.OPTIMAL, E.EPSILON),
        (T.LIMIT, E.EXACT, False, 0.5, S.VERIFICATION_FAILED, E.EXACT),
        (T.INTERRUPTED, E.EXACT, True, 0.5, S.INTERRUPTED, E.EXACT),
        (T.INTERRUPTED, E.EXACT, False, None, S.INTERRUPTED, E.EXACT),
        (T.FAILED, E.EXACT, True, None, S.ERROR, E.EXACT),
    ],
)
def test_answers_with_a_point(
    termination: Termination, promised: Exactness, verified: bool, bound: float | None, status: Status, exactness: Exactness
) -> None:
    found = put_together(termination, promised, verified, bound)
    assert (found.status, found.exactness) == (status, exactness)
    assert found.objective == 1.0 and found.variables == {"x": 1.0, "y": 1.0}


@pytest.mark.parametrize(
    ("termination", "promised", "status"),
    [
        (T.INFEASIBLE, E.EXACT, S.INFEASIBLE),
        (T.INFEASIBLE, E.RELAXATION, S.INFEASIBLE),
        (T.INFEASIBLE, E.STATIONARY, S.UNKNOWN),
        (T.INFEASIBLE, E.APPROXIMATION, S.UNKNOWN),
        (T.LOCALLY_INFEASIBLE, E.EXACT, S.UNKNOWN),
        (T.UNBOUNDED, E.EXACT, S.UNBOUNDED),
        (T.UNBOUNDED, E.RELAXATION, S.UNKNOWN),
        (T.INFEASIBLE_OR_UNBOUNDED, E.EXACT, S.UNKNOWN),
        (T.LIMIT, E.EXACT, S.LIMIT),
        (T.INTERRUPTED, E.EXACT, S.INTERRUPTED),
        (T.FAILED, E.EXACT, S.ERROR),
    ],
)
def test_answers_without_a_point(termination: Termination, promised: Exactness, status: Status) -> None:
    found = put_together(termination, promised, None, None)
    assert (found.status, found.exactness, found.objective, found.variables) == (status, None, None, {})


def test_optimal_is_said_within_the_gap_that_was_asked_for() -> None:
    found = put_together(T.OPTIMAL, bound=0.9, asked=0.2)
    assert (found.status, found.exactness) == (S.OPTIMAL, E.EPSILON) and found.gap == pytest.approx(0.1)
    assert put_together(T.OPTIMAL, bound=0.7, asked=0.2).status is S.FEASIBLE


def test_an_optimum_without_derivative_may_be_lost_and_nothing_is_proven() -> None:
    kinked = model(objective=lambda m: pyo.sqrt(m.y))
    promised = bilevel_lang.reformulate(kinked, "bilevel x\nmin f y").exactness
    assert promised is E.STATIONARY
    assert put_together(T.INFEASIBLE, promised, None, None, m=kinked).status is S.UNKNOWN
    found = put_together(T.OPTIMAL, promised, True, 1.0, m=kinked)
    assert (found.status, found.exactness, found.bound) == (S.FEASIBLE, E.STATIONARY, None)


@pytest.mark.parametrize(("sense", "bound"), [(pyo.minimize, 1.1), (pyo.maximize, 0.9)])
def test_a_bound_on_the_wrong_side_is_not_believed(sense: Any, bound: float) -> None:
    found = put_together(T.OPTIMAL, bound=bound, m=model(sense))
    assert found.status is S.FEASIBLE and found.bound is None
    assert any("better than the bound" in said for said in found.messages)


def test_tiny_leader_objectives_reach_no_bound_by_being_tiny() -> None:
    m = model()
    m.o.set_value(1e-9 * m.x)
    problem = bilevel_lang.resolve(m, "bilevel x\nmin f y")
    point = Point(ComponentMap([(m.x, 1.0), (m.y, 1.0)]))
    run = SolverRun(T.LIMIT, "a solver", values=point.values, objective=1e-9, bound=0.0)
    rewritten = Reformulation(problem, m, "kkt", "sos1", "scip", E.EXACT, ComponentMap(), (), lambda options: run)
    found = assemble(problem, rewritten, run, point, Certificate(0.0, 0.0, 0.0, True, 1e-5), (), {})
    assert (found.status, found.exactness) == (S.LIMIT, E.EXACT)


def test_without_a_leader_every_verified_point_is_a_full_answer() -> None:
    for termination in (T.LOCALLY_OPTIMAL, T.OPTIMAL, T.LIMIT):
        m = model()
        m.o.deactivate()
        found = put_together(termination, E.STATIONARY, True, None, m=m, text="equilibrium\nmin f y x")
        assert (found.status, found.exactness) == (S.OPTIMAL, E.EXACT)
