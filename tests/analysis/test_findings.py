"""What the report of an answer says beyond its verification."""

from __future__ import annotations

from dataclasses import replace

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.analysis.findings import examine_answer
from bilevel_lang.solution import Point
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination
from bilevel_lang.verification import verify

EMP = "bilevel x\nmin f y c"
RUN = SolverRun(Termination.OPTIMAL, "by hand")


def model() -> pyo.ConcreteModel:
    """The follower does not mind how 1 + x is divided; the leader likes y2."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var([1, 2], bounds=(0, 2))
    m.F = pyo.Objective(expr=-m.x + 3 * m.y[1] - m.y[2])
    m.f = pyo.Expression(expr=m.y[1] + m.y[2])
    m.c = pyo.Constraint(expr=m.y[1] + m.y[2] >= 1 + m.x)
    return m


def found_at(y1: float, y2: float, position: str = "optimistic", m: pyo.ConcreteModel | None = None):  # type: ignore[no-untyped-def]
    m = m or model()
    problem = bl.resolve(m, EMP)
    point = Point(ComponentMap([(m.x, y1 + y2 - 1.0), (m.y[1], y1), (m.y[2], y2)]))
    return examine_answer(problem, RUN, point, verify(problem, point), position, SolverOptions())


def test_a_better_answer_of_the_follower_is_pointed_out() -> None:
    said = found_at(0.5, 0.5).messages(1.0)
    assert said == ["min f has another answer, as good to itself, that would give the leader -1"]
    assert found_at(0.0, 1.0).messages(-1.0) == []


def test_a_pessimistic_claim_is_put_to_the_test() -> None:
    held = found_at(1.0, 0.0, "pessimistic")
    assert held.certificate.verified
    assert held.position == "pessimistic"
    broken = found_at(0.0, 1.0, "pessimistic")
    assert not broken.certificate.verified
    assert any("3 for the worst optimal answer" in remark for remark in broken.certificate.remarks)


def test_the_leaders_rows_have_to_hold_for_the_worst_answer() -> None:
    m = model()
    m.row = pyo.Constraint(expr=m.y[2] <= 0.5)
    broken = found_at(1.0, 0.0, "pessimistic", m)
    assert not broken.certificate.verified
    assert any("violates `row` by 0.5" in remark for remark in broken.certificate.remarks)


def test_nothing_is_said_of_a_point_that_is_not_verified() -> None:
    m = model()
    problem = bl.resolve(m, EMP)
    point = Point(ComponentMap([(m.x, 0.0), (m.y[1], 2.0), (m.y[2], 0.0)]))
    certificate = verify(problem, point)
    assert not certificate.verified
    found = examine_answer(problem, RUN, point, certificate, "optimistic", SolverOptions())
    assert found.ties == ()
    interrupted = replace(RUN, termination=Termination.INTERRUPTED)
    good = Point(ComponentMap([(m.x, 0.0), (m.y[1], 1.0), (m.y[2], 0.0)]))
    found = examine_answer(problem, interrupted, good, verify(problem, good), "optimistic", SolverOptions())
    assert found.ties == ()


def test_the_answer_of_a_solve_carries_it() -> None:
    solution = bl.solve(model(), EMP)
    (tie,) = solution.ties
    assert (tie.name, tie.unique) == ("min f", False)
    assert (tie.best, tie.worst) == pytest.approx((-3, 5))
