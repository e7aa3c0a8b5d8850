from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.linear.piece import piece_of
from bilevel_lang.reformulation.linear.second_opinion import better_than, run_with_second_opinion
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.linear.models import mpec_of


def ray(upper: float | None):
    """At x = 3 the follower does not care about y, which may then grow as far as its bound."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(-2, upper))
    m.lead = pyo.Objective(expr=-4 * m.x - 4 * m.y)
    m.low = pyo.Expression(expr=3 * m.y - m.x * m.y)
    m.row = pyo.Constraint(expr=-4 * m.x - 2 * m.y <= -14)
    return m, "bilevel x\nmax low y row"


class Claims(Scip):
    """Calls its first answer optimal at ``value`` and leaves every other question to SCIP."""

    def __init__(self, value: float) -> None:
        self.value = value
        self.asked = 0

    def run_matrix(self, program, options):
        self.asked += 1
        if self.asked == 1:
            return MatrixRun(Termination.OPTIMAL, "Claims 1", np.zeros(program.columns), self.value, self.value)
        return super().run_matrix(program, options)


class Denies(Claims):
    """Calls everything infeasible at first."""

    def run_matrix(self, program, options):
        run = super().run_matrix(program, options)
        return MatrixRun(Termination.INFEASIBLE, "Denies 1") if self.asked == 1 else run


def sets_of(made):
    mpec = mpec_of(made)
    return replace(mpec.program, sos1=np.column_stack([mpec.left, mpec.right]))


def asked(made, claims):
    mpec = mpec_of(made)
    return run_with_second_opinion(sets_of(made), claims, Options(), None, lambda x: piece_of(mpec, x))


def test_an_unbounded_problem_is_never_called_optimal():
    model, text = ray(None)
    solution = bl.solve(model, text, encoding="sos1")
    assert solution.status.value == "unbounded" and solution.exit_code == 4
    claim = asked(ray(None), Claims(-30.0))
    assert claim.termination is Termination.UNBOUNDED and claim.x is None


def test_a_claim_is_withdrawn_where_nothing_proves_more():
    # The piece still holds sets, so that no LP can tell whether it is unbounded.
    program = sets_of(ray(None))
    claim = run_with_second_opinion(program, Claims(-30.0), Options(), None, lambda x: program)
    assert claim.termination is Termination.FAILED and "clearly better point" in claim.message


def test_infeasible_is_withdrawn_for_a_piece_that_is_unbounded():
    claim = asked(ray(None), Denies(0.0))
    assert claim.termination is Termination.UNBOUNDED and claim.x is None


def test_infeasible_is_withdrawn_for_a_point_alone():
    # The piece still holds sets, so that no LP can tell whether it is unbounded.
    program = sets_of(ray(None))
    claim = run_with_second_opinion(program, Denies(0.0), Options(), None, lambda x: program)
    assert claim.termination is Termination.FAILED and "a point exists" in claim.message


def test_infeasible_is_confirmed():
    model, text = ray(None)
    model.never = pyo.Constraint(expr=model.x + model.y <= -100)
    solver = Denies(0.0)
    assert asked((model, text), solver).termination is Termination.INFEASIBLE


def test_a_right_claim_survives():
    # Without a bound on y the claim is put to the test: nothing is better than -12 - 400 when y is cut off at 100 by a row.
    model, text = ray(None)
    model.cap = pyo.Constraint(expr=model.y + model.x <= 103)
    assert bl.solve(model, text).objective == pytest.approx(-412, abs=1e-3)


def test_a_bounded_objective_is_not_asked_about():
    solver = Claims(-412.0)
    assert asked(ray(100.0), solver).termination is Termination.OPTIMAL
    assert solver.asked == 1


@pytest.mark.parametrize("curved", [False, True])
def test_the_second_question_has_no_objective_and_one_more_row(curved):
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 4))
    m.lead = pyo.Objective(expr=m.x + (m.y**2 if curved else m.y) + 1)
    m.inner, m.row = pyo.Expression(expr=m.y), pyo.Constraint(expr=m.y >= 2 - m.x)
    program = sets_of((m, "bilevel x\nmin inner y row"))
    # y = 2 - x, so the least is 3 in the linear case, and 1.75 + 1 in the other.
    least = 2.75 if curved else 3.0
    for level, expected in ((least + 0.01, Termination.OPTIMAL), (least - 0.01, Termination.INFEASIBLE)):
        question = better_than(program, level)
        assert not question.cost.any() and question.quadratic is None
        assert Scip().run_matrix(question, Options().for_solver()).termination is expected


@pytest.mark.parametrize("encoding", ["sos1", "indicator"])
def test_no_optimum_is_claimed_over_multipliers_beyond_the_tolerance(encoding):
    """The follower takes y = x at any price, and the least x^2 - y is -1/4; SCIP called 0 optimal at a price of 1e8."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 3))
    m.lead, m.inner = pyo.Objective(expr=m.x**2 - m.y), pyo.Expression(expr=1e8 * m.y)
    m.row = pyo.Constraint(expr=m.y >= m.x)
    found = bl.solve(m, "bilevel x\nmin inner y row", encoding=encoding, time_limit=20)
    claimed = found.status.value == "optimal"
    assert not claimed or found.objective == pytest.approx(-0.25, abs=1e-5)
    assert claimed or "rescale" in " ".join(found.messages)
