"""A claim of optimality is tested where nothing bounds the relaxation."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang import Status, solve
from bilevel_lang.reformulation.complementarity.second_opinion import run_with_second_opinion
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination


def ray(upper: float | None) -> pyo.ConcreteModel:
    """At x = 3 the follower does not care about y, which may then grow as far as its bound."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 5))
    m.y = pyo.Var(bounds=(-2, upper))
    m.lead = pyo.Objective(expr=-4 * m.x - 4 * m.y)
    m.low = pyo.Expression(expr=3 * m.y - m.x * m.y)
    m.row = pyo.Constraint(expr=-4 * m.x - 2 * m.y <= -14)
    return m


def test_an_unbounded_problem_is_never_called_optimal() -> None:
    solution = solve(ray(None), "bilevel x\nmax low y row\n", encoding="sos1")
    assert solution.status not in (Status.OPTIMAL, Status.FEASIBLE)
    assert solution.exit_code != 0


def test_with_a_bound_the_same_problem_is_solved() -> None:
    # x <= 3 lets y rise to 100 (at x = 3 the follower is indifferent), so the best is -4 * 3 - 4 * 100.
    solution = solve(ray(100.0), "bilevel x\nmax low y row\n")
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(-412, abs=1e-3)


class Claims:
    """A solver that calls its first answer optimal and leaves the second question to SCIP."""

    name = "claims"
    proves = True

    def __init__(self, value: float, honest: bool = True) -> None:
        self.value = value
        self.honest = honest
        self.asked = 0

    def run(self, model: Any, options: SolverOptions) -> SolverRun:
        self.asked += 1
        if self.asked == 1:
            return SolverRun(Termination.OPTIMAL, "Claims 1", ComponentMap([(model.x, self.value)]), self.value, self.value)
        return by_name("scip").run(model, options) if self.honest else SolverRun(Termination.LIMIT, "Claims 1")


def line(lower: float | None) -> pyo.ConcreteModel:
    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(lower, None))
    model.row = pyo.Constraint(expr=pyo.exp(-model.x) <= math.exp(2))  # x >= -2, which no LP sees
    model.cost = pyo.Objective(expr=model.x)
    model.block = pyo.Block()
    return model


def ask(model: pyo.ConcreteModel, solver: Claims) -> SolverRun:
    return run_with_second_opinion(model, model.block, solver, Options())  # type: ignore[arg-type]


def test_a_claim_within_the_bounds_of_the_variables_stands_unasked() -> None:
    solver = Claims(-2.0)
    assert ask(line(-5.0), solver).termination is Termination.OPTIMAL
    assert solver.asked == 1


def test_a_true_claim_is_confirmed() -> None:
    solver = Claims(-2.0)
    run = ask(line(None), solver)
    assert (run.termination, run.objective, solver.asked) == (Termination.OPTIMAL, -2.0, 2)


def test_a_false_claim_is_withdrawn_with_its_point() -> None:
    run = ask(line(None), Claims(0.0))
    assert (run.termination, run.values, run.bound) == (Termination.FAILED, None, None)
    assert "clearly better" in run.message


def test_a_claim_that_cannot_be_tested_is_no_proof() -> None:
    run = ask(line(None), Claims(-2.0, honest=False))
    assert (run.termination, run.objective, run.bound) == (Termination.LOCALLY_OPTIMAL, -2.0, None)


class Denies(Claims):
    """Calls everything infeasible at first."""

    def run(self, model: Any, options: SolverOptions) -> SolverRun:
        first = self.asked == 0
        run = super().run(model, options)
        return SolverRun(Termination.INFEASIBLE, "Denies 1") if first else run


def test_infeasible_is_withdrawn_where_there_is_a_point() -> None:
    model = line(None)
    run = ask(model, Denies(0.0))
    assert (run.termination, run.values) == (Termination.FAILED, None)
    assert "a point exists" in run.message
    assert model.cost.active


def test_infeasible_is_confirmed_or_left_open() -> None:
    model = line(None)
    model.never = pyo.Constraint(expr=model.x <= -3)
    assert ask(model, Denies(0.0)).termination is Termination.INFEASIBLE
    assert ask(model, Denies(0.0, honest=False)).termination is Termination.LIMIT


def test_infeasible_stands_where_the_objective_is_bounded() -> None:
    solver = Denies(0.0)
    assert ask(line(-5.0), solver).termination is Termination.INFEASIBLE
    assert solver.asked == 1


def test_an_astronomic_objective_is_no_answer() -> None:
    run = ask(line(None), Claims(-1e30))
    assert (run.termination, run.values) == (Termination.FAILED, None)
    assert "unbounded" in run.message


def test_the_model_is_as_it_was() -> None:
    model = line(None)
    ask(model, Claims(-2.0))
    assert model.cost.active
    assert model.block.component("better") is None


def test_infeasible_or_unbounded_is_told_apart() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(None, 10))
    m.y = pyo.Var(bounds=(None, 10))
    m.lead = pyo.Objective(expr=m.x)
    m.low = pyo.Expression(expr=m.y)
    m.row = pyo.Constraint(expr=m.y - m.x >= 0)
    assert solve(m, "bilevel x\nmin low y row\n").status is Status.UNBOUNDED
    m.high = pyo.Constraint(expr=m.x - m.y >= 1)
    assert solve(m, "bilevel x\nmin low y row\n").status is Status.INFEASIBLE


@pytest.mark.parametrize(("size", "claimed"), [(1e8, False), (1e3, True)])
def test_sides_beyond_the_tolerance_leave_no_claim(size: float, claimed: bool) -> None:
    m = pyo.ConcreteModel()
    m.x, m.z = pyo.Var(bounds=(0, 1)), pyo.Var([0, 1], bounds=(0, None))
    m.o = pyo.Objective(expr=(m.x - 0.5) ** 2 - m.x)
    m.row = pyo.Constraint(expr=m.z[1] == size)
    m.link = pyo.Constraint(expr=m.z[0] + m.x <= 2)
    m.set = pyo.SOSConstraint(var=m.z, sos=1)
    m.block = pyo.Block()
    run = run_with_second_opinion(m, m.block, by_name("scip"), Options())
    assert (run.termination is Termination.OPTIMAL) is claimed
    assert bool(run.doubts) is not claimed
