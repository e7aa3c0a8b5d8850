from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.solvers.models import bard_sos1, knapsack, market_split, state

PLAIN = SolverOptions()


def test_sos1_kkt_system():
    m = bard_sos1()
    before = state(m)
    run = Scip().run(m, PLAIN)
    assert run.termination is Termination.OPTIMAL
    assert run.objective == pytest.approx(92 / 15)
    assert run.bound == pytest.approx(92 / 15)
    assert run.values[m.x] == pytest.approx(28 / 15)
    for k in range(5):
        assert min(run.values[m.l[k]], run.values[m.s[k]]) == 0
    assert state(m) == before


def test_milp_with_start():
    m = knapsack()
    start = ComponentMap([(m.x[1], 1), (m.x[2], 1), (m.x[0], None)])
    run = Scip().run(m, SolverOptions(extra={"start": start}))
    assert run.objective == pytest.approx(4)
    assert run.duals is None


def test_impossible_start_is_dropped():
    m = knapsack()
    start = ComponentMap((m.x[k], 1) for k in range(3))
    assert Scip().run(m, SolverOptions(extra={"start": start})).objective == pytest.approx(4)


def test_nonconvex_quadratic_rows_to_global_optimality():
    # max x + y on the unit circle's complement cut by a box: a local solver may stop at (1, 0).
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1.5)), pyo.Var(bounds=(0, 1))
    m.o = pyo.Objective(expr=m.x + 2 * m.y, sense=pyo.minimize)
    m.c = pyo.Constraint(expr=m.x**2 + m.y**2 >= 1)
    run = Scip().run(m, PLAIN)
    assert run.objective == pytest.approx(1, abs=1e-7)


def test_unbounded_and_infeasible():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.o = pyo.Objective(expr=-m.x)
    m.c = pyo.Constraint(expr=m.x - m.y == 0)
    run = Scip().run(m, PLAIN)
    assert run.termination in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED)
    assert run.bound is None
    assert not run.has_solution
    m.d = pyo.Constraint(expr=m.x + m.y <= -1)
    assert Scip().run(m, PLAIN).termination is Termination.INFEASIBLE


def test_sos1_with_fixed_members():
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2, 3], bounds=(0, 1))
    m.o = pyo.Objective(expr=m.x[1] + 2 * m.x[2] + 3 * m.x[3], sense=pyo.maximize)
    m.s = pyo.SOSConstraint(var=m.x, sos=1)
    assert Scip().run(m, PLAIN).objective == pytest.approx(3)
    m.x[3].fix(0)
    assert Scip().run(m, PLAIN).objective == pytest.approx(2)
    m.x[1].fix(1)
    assert Scip().run(m, PLAIN).objective == pytest.approx(1)
    m.x[2].fix(1)
    assert Scip().run(m, PLAIN).termination is Termination.INFEASIBLE


def test_sos2_is_refused():
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2, 3], bounds=(0, 1))
    m.o = pyo.Objective(expr=m.x[1])
    m.s = pyo.SOSConstraint(var=m.x, sos=2)
    with pytest.raises(RefusedError, match="SOS2"):
        Scip().run(m, PLAIN)


def test_limits_give_point_and_bound():
    run = Scip().run(market_split(), SolverOptions(time_limit=1.0, seed=2))
    assert run.termination is Termination.LIMIT
    assert run.bound <= run.objective
    assert run.nodes >= 0
    gap = Scip().run(knapsack(), SolverOptions(gap=0.5))
    assert gap.termination is Termination.OPTIMAL
