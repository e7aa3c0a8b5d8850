"""Status, exactness and bound for every combination that a run and a certificate can come in; what goes back into the model."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang
from bilevel_lang.assembly import Clock, assemble, better_of, write_back
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, Point, Status
from bilevel_lang.solvers.solver import SolverRun, Termination

T, E, S = Termination, Exactness, Status


def model(sense: Any = pyo.minimize, objective: Any = None) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(0, 4))
    m.o = pyo.Objective(expr=m.x, sense=sense)
    m.f = pyo.Expression(expr=(m.y - m.x) ** 2 if objective is None else objective(m))
    return m


def put_together(
    termination: Termination,
    promised: Exactness = E.EXACT,
    verified: bool | None = True,
    bound: float | None = 1.0,
    m: Any = None,
    text: str = "bilevel x\nmin f y",
    asked: float | None = None,
) -> BilevelSolution:
    """The answer x = y = 1 (objective 1) as a run with ``termination`` would give it; ``verified`` None: no point at all."""
    m = m or model()
    problem = bilevel_lang.resolve(m, text)
    point = None if verified is None else Point(ComponentMap([(m.x, 1.0), (m.y, 1.0)]))
    certificate = None if verified is None else Certificate(0.0, 0.0, 0.0, verified, 1e-5)
    variables = ComponentMap([(m.x, m.x), (m.y, m.y)])
    rewritten = Reformulation(problem, m, "kkt", "sos1", "scip", promised, variables, (), lambda options: run)
    run = SolverRun(termination, "a solver", values=point.values if point else None, objective=1.0, bound=bound)
    return assemble(problem, rewritten, run, point, certificate, (), {}, asked=asked)


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


@pytest.mark.parametrize(("sense", "bound"), [(pyo.minimize, 0.5), (pyo.maximize, 1.5)])
def test_gap_and_bound_in_the_leaders_sense(sense: Any, bound: float) -> None:
    found = put_together(T.LIMIT, bound=bound, m=model(sense))
    assert (found.bound, found.gap) == (bound, 0.5)


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


@pytest.mark.parametrize(("kind", "sign"), [("min", 1.0), ("max", -1.0)])
def test_values_multipliers_and_reduced_costs_go_back(kind: str, sign: float) -> None:
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(domain=pyo.Integers), pyo.Var(bounds=(2, None)), pyo.Var()
    m.o = pyo.Objective(expr=m.x)
    m.f = pyo.Expression(expr=sign * (m.y**2 / 2 + m.z**2))
    m.c = pyo.Constraint(expr=m.z >= 1)
    m.dual, m.rc = (pyo.Suffix(direction=pyo.Suffix.IMPORT) for _ in range(2))
    m.dual[m.o] = 9.0  # of an older solve
    point = Point(ComponentMap([(m.x, 0.9999999), (m.y, 2.0), (m.z, 1.0)]), (("c", sign * 2.0, m.c),))
    problem = bilevel_lang.resolve(m, f"bilevel x\n{kind} f y z c")
    rewritten = Reformulation(problem, m, "kkt", None, "scip", E.EXACT, ComponentMap(), (), lambda options: run)
    run = SolverRun(T.OPTIMAL, "a solver", values=point.values)
    write_back(problem, assemble(problem, rewritten, run, point, None, (), {}))
    assert (m.x.value, m.y.value) == (1.0, 2.0)
    assert {k.name: v for k, v in m.dual.items()} == {"c": sign * 2.0}
    assert {k.name: v for k, v in m.rc.items()} == {"y": sign * 2.0, "z": 0.0}


def test_the_clock_counts_stages_and_skips_what_is_not_ours() -> None:
    clock = Clock()
    clock.tick("parse")
    clock.skip()
    clock.tick("solve")
    seconds = clock.seconds
    assert seconds["reformulate"] == 0.0
    assert seconds["total"] == pytest.approx(sum(v for k, v in seconds.items() if k != "total"))


def test_of_two_methods_a_proof_counts_most_then_a_verified_point() -> None:
    refuted = put_together(T.OPTIMAL, E.RELAXATION, False)
    feasible = put_together(T.OPTIMAL, E.STATIONARY)
    optimal = put_together(T.OPTIMAL, E.RELAXATION)
    nothing = put_together(T.LIMIT, E.RELAXATION, None)
    infeasible = put_together(T.INFEASIBLE, E.RELAXATION, None)
    assert better_of(feasible, optimal) is optimal
    assert better_of(refuted, nothing) is nothing
    assert better_of(refuted, infeasible) is infeasible
    kept = better_of(feasible, infeasible)
    assert (kept.status, kept.objective) == (feasible.status, feasible.objective)
    assert "found nothing better" in kept.messages[-1]
    assert better_of(feasible, nothing).status is S.FEASIBLE
