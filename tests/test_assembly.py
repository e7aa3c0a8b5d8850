"""One answer from a run and a certificate; tests/test_verdict.py has what is promised of it."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang
from bilevel_lang.assembly import assemble, better_of
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


@pytest.mark.parametrize(("sense", "bound"), [(pyo.minimize, 0.5), (pyo.maximize, 1.5)])
def test_gap_and_bound_in_the_leaders_sense(sense: Any, bound: float) -> None:
    found = put_together(T.LIMIT, bound=bound, m=model(sense))
    assert (found.bound, found.gap) == (bound, 0.5)


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
