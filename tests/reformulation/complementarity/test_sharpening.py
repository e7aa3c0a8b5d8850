"""Followers that are flat at their optimum: what tolerances give away, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity.piece import polished
from bilevel_lang.reformulation.complementarity.sharpening import VIOLATED, may_be_flat, sharpened
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.ipopt import compile_nlp
from bilevel_lang.solvers.solver import SolverRun, Termination


def test_the_leader_gains_nothing_by_tolerances():
    """The follower takes y = x, the leader wants y at 2 and x at 0: 2 at x = y = 1, where d(objective)/dy is -2."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-1, 3)), pyo.Var(bounds=(-5, 5))
    m.outer = pyo.Objective(expr=m.x**2 + (m.y - 2) ** 2)
    m.inner = pyo.Objective(expr=(m.y - m.x) ** 4)
    m.inner.deactivate()
    found = bl.solve(m, "bilevel x\nmin inner y", encoding="scholtes", starts=2)
    assert found.verified
    assert found.objective == pytest.approx(2.0, abs=1e-3)
    assert abs(found.variables["y"] - found.variables["x"]) < 5e-4


def claimed(y):
    """``min (y - 2)**2`` over ``y**3 = 0``, and a run that calls ``y`` optimal."""
    m = cubic()
    m.del_component(m.goal)
    m.goal = pyo.Objective(expr=(m.y - 2) ** 2)
    return m, SolverRun(Termination.OPTIMAL, "S 1", ComponentMap([(m.y, y)]), (y - 2) ** 2, (y - 2) ** 2)


def test_what_a_search_owed_to_its_tolerances_is_taken_back():
    model, run = claimed(4e-3)
    found = polished(model, [], run, Options())
    assert found.objective == pytest.approx(4.0, abs=1e-3) and found.bound == run.bound
    assert any("flat" in doubt for doubt in found.doubts)


def test_the_point_of_a_search_that_was_cut_short_is_sharpened_too():
    model, run = claimed(4e-3)
    found = polished(model, [], replace(run, termination=Termination.LIMIT), Options())
    assert found.objective == pytest.approx(4.0, abs=1e-3)
    assert (found.termination, found.doubts) == (Termination.LIMIT, ())


def test_a_point_that_is_right_is_kept_without_a_doubt():
    model, run = claimed(0.0)
    assert polished(model, [], run, Options()).doubts == ()


def cubic():
    m = pyo.ConcreteModel()
    m.y = pyo.Var(initialize=0.3, bounds=(-5, 5))
    m.row = pyo.Constraint(expr=m.y**3 == 0)
    m.goal = pyo.Objective(expr=m.y)
    return m


def test_a_solution_is_solved_on_until_its_rows_hold_sharply():
    model = cubic()
    nlp = compile_nlp(model)
    first = nlp.solve()
    found = sharpened(nlp, first, Options())
    assert found.solved
    assert found.violation <= VIOLATED and abs(found.x[0]) < abs(first.x[0]) and abs(found.x[0]) < 5e-4


def test_what_was_not_solved_stays_as_it_is():
    model = cubic()
    nlp = compile_nlp(model)
    failed = replace(nlp.solve(), termination=Termination.FAILED)
    assert sharpened(nlp, failed, Options()) is failed


def test_quadratics_are_not_flat():
    model = cubic()
    assert may_be_flat(model)
    model.del_component(model.row)
    model.row = pyo.Constraint(expr=model.y**2 <= 4)
    assert not may_be_flat(model)
