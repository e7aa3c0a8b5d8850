from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.linear.piece import piece_of, pinned, polished, smaller_sides, with_integers_fixed
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.linear.models import bard511, mpec_of


def solved(mpec):
    return LinearSos1().encode(mpec, "scip", Options()).run(Options(), None)


def test_the_piece_of_an_optimum_has_the_same_optimum():
    mpec = mpec_of(bard511())
    run = solved(mpec)
    piece = piece_of(mpec, run.x)
    assert Highs().run_matrix(piece, SolverOptions()).objective == pytest.approx(-12)
    assert (piece.upper[smaller_sides(mpec, run.x)] == 0).all()
    assert mpec.program.upper.max() > 0 and not (mpec.program.upper[mpec.right] == 0).any()


def test_a_piece_that_holds_no_point_stays_without_one():
    mpec = mpec_of(bard511())
    nothing = pinned(mpec.program, mpec.right)
    # All multipliers at 0: stationarity 1 - 0 = 0 cannot hold.
    assert Highs().run_matrix(nothing, SolverOptions()).termination is Termination.INFEASIBLE


def curved():
    """min (x - 1)^2 + (y - 1)^2 with y = x from the follower: x = y = 1, a flat optimum."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 4))
    m.lead = pyo.Objective(expr=(m.x - 1) ** 2 + (m.y - 1) ** 2)
    m.inner = pyo.Expression(expr=m.y)
    m.row = pyo.Constraint(expr=m.y >= m.x)
    return m, "bilevel x\nmin inner y row"


def test_polishing_gives_a_flat_optimum_its_digits_back():
    mpec = mpec_of(curved())
    run = solved(mpec)
    rough = replace(run, x=run.x + 1e-4 * (np.arange(len(run.x)) < 2), objective=2e-8)
    found = polished(mpec, rough, SolverOptions())
    assert found.x[:2] == pytest.approx([1.0, 1.0], abs=1e-9)
    assert found.bound == run.bound


def test_polishing_never_makes_an_answer_worse():
    mpec = mpec_of(curved())
    run = solved(mpec)
    better_than_possible = replace(run, objective=-1.0)
    assert polished(mpec, better_than_possible, SolverOptions()) is better_than_possible
    unproven = replace(run, termination=Termination.LIMIT)
    assert polished(mpec, unproven, SolverOptions()) is unproven


def test_integers_are_fixed_where_they_are():
    m, text = bard511()
    m.k = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
    m.row = pyo.Constraint(expr=m.k <= m.x)
    mpec = mpec_of((m, text))
    k = int(np.flatnonzero(mpec.program.integer)[0])
    x = np.zeros(mpec.program.columns)
    x[k] = 1.9999999
    fixed = with_integers_fixed(mpec.program, x)
    assert fixed.lower[k] == fixed.upper[k] == 2 and not fixed.integer.any()
