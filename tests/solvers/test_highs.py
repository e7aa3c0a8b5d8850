from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program_reading import read_program
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.solvers.models import bard_sos1, knapsack, market_split

PLAIN = SolverOptions()


def test_milp():
    run = Highs().run(m := knapsack(), PLAIN)
    assert run.termination is Termination.OPTIMAL
    assert run.objective == pytest.approx(4)
    assert run.bound == pytest.approx(4)
    assert [round(run.values[m.x[k]]) for k in range(3)] == [0, 1, 1]
    assert run.duals is None


def test_optimum_of_a_milp_is_proven_to_the_last_digit():
    # Two points 5e-5 apart, relatively: HiGHS's default gap of 1e-4 would take either.
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2), domain=pyo.Binary)
    m.o = pyo.Objective(expr=20000 * m.x[0] + 20001 * m.x[1], sense=pyo.maximize)
    m.c = pyo.Constraint(expr=m.x[0] + m.x[1] <= 1)
    assert Highs().run(m, PLAIN).objective == pytest.approx(20001, abs=1e-6)


def lp(cost_x, cost_y, *rows, integer=False):
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, None), domain=pyo.Integers if integer else pyo.Reals)
    m.y = pyo.Var(bounds=(0, None))
    m.o = pyo.Objective(expr=cost_x * m.x + cost_y * m.y)
    m.c = pyo.ConstraintList()
    for row in rows:
        m.c.add(row(m))
    return m


@pytest.mark.parametrize("integer", [False, True])
def test_infeasible_and_unbounded_are_told_apart(integer):
    unbounded = lp(-1, -1, lambda m: m.x - m.y == 0, integer=integer)
    assert Highs().run(unbounded, PLAIN).termination is Termination.UNBOUNDED
    both = lp(-1, -1, lambda m: m.x - m.y == 0, lambda m: m.x + m.y <= -1, integer=integer)
    assert Highs().run(both, PLAIN).termination is Termination.INFEASIBLE


def test_unbounded_relaxation_without_integer_point_is_infeasible():
    m = lp(0, -1, lambda m: 2 * m.x == 1, integer=True)
    run = Highs().run(m, PLAIN)
    assert run.termination is Termination.INFEASIBLE
    assert run.bound is None


def test_small_coefficients_are_kept():
    m = lp(1, 0, lambda m: 1e-10 * m.x >= 1e-10)
    assert Highs().run(m, PLAIN).objective == pytest.approx(1)


@pytest.mark.parametrize("sense", [1, -1])
def test_convex_qp_with_duals(sense):
    # min (x-3)^2 + (y-2)^2 on x + y <= 3: x = 2, y = 1, value 2, d value / d side = -2.
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.o = pyo.Objective(expr=sense * ((m.x - 3) ** 2 + (m.y - 2) ** 2), sense=pyo.minimize if sense > 0 else pyo.maximize)
    m.c = pyo.Constraint(expr=m.x + m.y <= 3)
    run = Highs().run(m, PLAIN)
    assert run.objective == pytest.approx(2 * sense, abs=1e-9)
    assert run.values[m.x] == pytest.approx(2, abs=1e-9)
    assert run.duals[m.c] == pytest.approx(-2 * sense, abs=1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_singular_qp_satisfies_the_first_order_conditions(seed):
    """HiGHS's own regularisation leaves 5e-7 here, and without it HiGHS fails on most of these."""
    rng = np.random.default_rng(seed)
    n = 12
    a = rng.normal(size=(n, 3))
    q = a @ a.T
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(n), bounds=(-5, 5))
    linear = rng.normal(size=n)
    m.o = pyo.Objective(
        expr=sum(q[i, j] * m.x[i] * m.x[j] for i in range(n) for j in range(n)) + sum(float(linear[i]) * m.x[i] for i in range(n))
    )
    rows = rng.normal(size=(4, n))
    m.c = pyo.Constraint(range(4), rule=lambda m, k: sum(float(rows[k, i]) * m.x[i] for i in range(n)) <= 1)
    run = Highs().run(m, PLAIN)
    x = np.array([run.values[m.x[i]] for i in range(n)])
    gradient = 2 * q @ x + linear - rows.T @ np.array([run.duals[m.c[k]] for k in range(4)])
    gradient -= np.array([run.reduced_costs[m.x[i]] for i in range(n)])
    assert np.abs(gradient).max() < 1e-8


def test_unbounded_qp():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.o = pyo.Objective(expr=m.y**2 - m.x)
    m.c = pyo.Constraint(expr=m.y >= 1)
    assert Highs().run(m, PLAIN).termination is Termination.UNBOUNDED
    # Bounded only far out: HiGHS's own verdicts here are, in turn, a point long before the bound, and "unbounded".
    m.far = pyo.Constraint(expr=m.x <= 4e6)
    assert Highs().run(m, PLAIN).objective == pytest.approx(1 - 4e6, rel=1e-12)
    m.del_component(m.far)
    m.far = pyo.Constraint(expr=m.x <= 4e7)
    run = Highs().run(m, PLAIN)
    assert run.termination is Termination.FAILED or run.objective == pytest.approx(1 - 4e7, rel=1e-12)


def test_infeasible_qp():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.o = pyo.Objective(expr=m.y**2 - m.x)
    m.c, m.d = pyo.Constraint(expr=m.y + m.x >= 1), pyo.Constraint(expr=m.y + m.x <= 0)
    assert Highs().run(m, PLAIN).termination is Termination.INFEASIBLE


def test_refusals_name_what_is_lacking():
    with pytest.raises(RefusedError, match=r"(?s)SOS1.*scip"):
        Highs().run(bard_sos1(), PLAIN)
    m = knapsack()
    m.o.deactivate()
    m.q = pyo.Objective(expr=(m.x[0] - m.x[1]) ** 2)
    with pytest.raises(RefusedError, match="together"):
        Highs().run(m, PLAIN)


def test_time_limit_gives_point_and_bound():
    run = Highs().run(market_split(), SolverOptions(time_limit=1.0, threads=1, seed=1))
    assert run.termination is Termination.LIMIT
    assert run.bound <= run.objective
    assert run.seconds < 10


def test_dense_sums_cost_linear_time():
    """Reading 4,000 rows takes a fraction of a second; a quadratic algorithm would take minutes."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(4000), bounds=(0, 1))
    m.c = pyo.Constraint(range(3999), rule=lambda m, i: m.x[i] + m.x[i + 1] <= 1)
    m.o = pyo.Objective(expr=pyo.quicksum(m.x.values()), sense=pyo.maximize)
    program = read_program(m)
    assert len(program.rows) == 3999
    assert Highs().run(m, PLAIN).objective == pytest.approx(2000)


def test_a_qp_that_cycles_comes_to_an_end():
    """x in [0, 1], y in [0, 3]: min x^2 - y over the KKT system of ``min 1e4 y, y >= x``; HiGHS 1.15.1 alone never returns."""
    import bilevel_lang as bl

    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 3))
    m.lead, m.inner, m.row = pyo.Objective(expr=m.x**2 - m.y), pyo.Expression(expr=1e4 * m.y), pyo.Constraint(expr=m.y >= m.x)
    found = bl.solve(m, "bilevel x\nmin inner y row", encoding="branch")
    assert found.objective is None or found.objective == pytest.approx(-0.25, abs=1e-4)


@pytest.mark.parametrize("seed", [104, 121, 126])
def test_a_qp_on_which_the_usual_regularisation_fails_is_solved_with_another(seed, monkeypatch):
    """Degenerate QPs of the agreement benchmark; without further regularisations HiGHS 1.15.1 fails or cycles on them."""
    import bilevel_lang as bl
    from benchmarks.agreement.enumeration import enumerate_optimum
    from benchmarks.agreement.generator import instance
    from bilevel_lang.solvers import highs

    problem = instance("qp-qp", seed)
    found = bl.solve(*problem.model(), encoding="branch")
    assert found.status.value == "optimal"
    assert found.objective == pytest.approx(enumerate_optimum(problem).value, rel=1e-6, abs=1e-6)
    monkeypatch.setattr(highs, "OTHER_WEIGHTS", ())
    assert bl.solve(*problem.model(), encoding="branch").status.value != "optimal"
