from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.linear.branching.violated_pairs import search_pairs, takes
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.laws.test_brute_force import by_enumeration, random_linear, solve_linear
from tests.reformulation.linear.models import bard511, mpec_of, random_follower


def test_bard():
    run = search_pairs(mpec_of(bard511()), SolverOptions())
    assert run.termination is Termination.OPTIMAL
    assert run.objective == pytest.approx(-12) and run.bound == pytest.approx(-12)
    assert run.x[:2] == pytest.approx([4, 4])


@pytest.mark.parametrize("leader", ["linear", "quadratic"])
@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize("seed", range(40, 43))
def test_it_agrees_with_scip(seed, quadratic, leader):
    model, text = random_follower(seed, quadratic)
    if leader == "quadratic":
        model.lead.set_value(model.lead.expr + sum((v - 1) ** 2 for v in model.x.values()) + (model.y[0] + model.y[1]) ** 2)
    mpec = mpec_of((model, text))
    ours = search_pairs(mpec, SolverOptions())
    theirs = LinearSos1().encode(mpec, "scip", Options()).run(Options(), None)
    assert ours.termination is theirs.termination is Termination.OPTIMAL
    assert ours.objective == pytest.approx(theirs.objective, rel=1e-6, abs=1e-6)
    assert np.minimum(ours.x[mpec.left], ours.x[mpec.right]).max() <= 1e-6
    assert mpec.program.violation(ours.x) <= 1e-6


@pytest.mark.parametrize("seed", range(300, 306))
def test_integer_leaders_against_enumeration(seed, monkeypatch):
    p = random_linear(seed, integer=True)
    expected = by_enumeration(p)
    by_default = bl.solve
    monkeypatch.setattr(bl, "solve", lambda model, text, **options: by_default(model, text, encoding="branch", **options))
    found = solve_linear(p, True)
    if expected is None:
        assert found.status.value == "infeasible"
    else:
        assert found.status.value == "optimal" and found.objective == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_an_unbounded_problem_is_proven_unbounded():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.lead, m.inner = pyo.Objective(expr=-m.x), pyo.Expression(expr=m.y)
    m.row = pyo.Constraint(expr=m.y >= m.x - 3)
    run = search_pairs(mpec_of((m, "bilevel x\nmin inner y row")), SolverOptions())
    assert run.termination is Termination.UNBOUNDED and run.x is None and run.bound is None


def test_an_unbounded_relaxation_is_not_an_unbounded_problem():
    # Without the follower's optimality y runs away; with it y = 0.
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, None))
    m.lead, m.inner = pyo.Objective(expr=-m.y - m.x), pyo.Expression(expr=m.y)
    run = search_pairs(mpec_of((m, "bilevel x\nmin inner y")), SolverOptions())
    assert run.termination is Termination.OPTIMAL and run.objective == pytest.approx(-4)


def test_infeasible():
    model, text = bard511()
    model.never = pyo.Constraint(expr=model.x + model.y >= 100)
    assert search_pairs(mpec_of((model, text)), SolverOptions()).termination is Termination.INFEASIBLE


def test_a_time_limit_claims_nothing_that_is_not_proven():
    model, text = random_follower(41, True)
    run = search_pairs(mpec_of((model, text)), SolverOptions(time_limit=1e-6))
    assert run.termination is Termination.LIMIT
    assert (
        run.bound is None
        or run.bound <= LinearSos1().encode(mpec_of((model, text)), "scip", Options()).run(Options(), None).objective + 1e-6
    )


def test_what_highs_does_not_take_is_said():
    model, text = bard511()
    model.lead.set_value(model.x * model.y)
    assert "nonconvex" in (takes(mpec_of((model, text)).program) or "")
    mpec = mpec_of(bard511())
    assert takes(mpec.program) is None
    assert takes(replace(mpec.program, integer=np.ones(mpec.program.columns, dtype=bool))) is None


def test_a_large_multiplier_does_not_make_its_slack_small():
    """The follower takes y = x whatever a unit of y costs it: only the size of its multiplier depends on that."""
    m = pyo.ConcreteModel()
    m.x, m.w, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(domain=pyo.Binary), pyo.Var(bounds=(0, 3))
    m.lead, m.inner = pyo.Objective(expr=-m.y - m.w), pyo.Expression(expr=1e8 * m.y)
    m.row, m.mine = pyo.Constraint(expr=m.y >= m.x), pyo.Constraint(expr=m.w <= m.x)
    run = search_pairs(mpec_of((m, "bilevel x w\nmin inner y row")), SolverOptions())
    assert run.termination is Termination.OPTIMAL and run.objective == pytest.approx(-2)


@pytest.mark.parametrize("seed", [1, 3])
def test_a_gap_that_was_asked_for_does_not_make_the_bound_better(seed):
    rng, n = np.random.default_rng(seed), 5
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(range(n), bounds=(0, 10)), pyo.Var(range(n), bounds=(0, 10))
    m.x[0].domain = pyo.Integers
    a, b = rng.integers(-5, 6, (n, n)), rng.integers(1, 6, (n, n))
    cost, lead, gain = (rng.integers(low, 6, n) for low in (1, -5, -5))
    m.lead = pyo.Objective(expr=sum(float(lead[i]) * m.x[i] - float(gain[i]) * m.y[i] for i in range(n)))
    m.inner = pyo.Expression(expr=sum(float(cost[i]) * m.y[i] for i in range(n)))
    m.row = pyo.Constraint(
        range(n), rule=lambda m, k: sum(float(a[k, i]) * m.x[i] + float(b[k, i]) * m.y[i] for i in range(n)) >= 10
    )
    mpec = mpec_of((m, "bilevel x\nmin inner y row"))
    optimum = LinearSos1().encode(mpec, "scip", Options()).run(Options(), None).objective
    found = search_pairs(mpec, SolverOptions(gap=0.5))
    assert found.bound <= optimum + 1e-6 * abs(optimum) <= found.objective + 1e-5 * abs(optimum)
