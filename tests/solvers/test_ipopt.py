from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.solvers.ipopt import Ipopt, compile_nlp
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.solvers.models import chain, state

PLAIN = SolverOptions()
ROUTES = ["casadi"] if Ipopt("cyipopt").missing() else ["cyipopt", "casadi"]
both = pytest.mark.parametrize("route", ROUTES)


def test_both_routes_agree():
    if len(ROUTES) < 2:
        pytest.skip("cyipopt is not installed")
    m = chain()
    one, other = (Ipopt(route).run(m, PLAIN) for route in ROUTES)
    assert one.termination is other.termination is Termination.LOCALLY_OPTIMAL
    assert one.solver.endswith("(cyipopt)")
    assert other.solver.endswith("(casadi)")
    for v in m.x.values():
        assert one.values[v] == pytest.approx(other.values[v], abs=1e-7)
        assert one.reduced_costs[v] == pytest.approx(other.reduced_costs[v], abs=1e-6)
    for c in m.c.values():
        assert one.duals[c] == pytest.approx(other.duals[c], abs=1e-5)


@both
def test_model_is_left_as_it_was(route):
    m = chain()
    m.t = pyo.Var(initialize=1.0)
    m.t.fix()
    m.c2 = pyo.Constraint(expr=m.x[0] <= m.t)
    before = state(m)
    compile_nlp(m, [m.t], route).solve()
    Ipopt(route).run(m, PLAIN)
    assert state(m) == before


@both
def test_circle(route):
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(initialize=1), pyo.Var(initialize=0.5)
    m.o = pyo.Objective(expr=m.x + m.y, sense=pyo.maximize)
    m.c = pyo.Constraint(expr=m.x**2 + m.y**2 <= 2)
    run = Ipopt(route).run(m, PLAIN)
    assert run.objective == pytest.approx(2, abs=1e-8)
    # d value / d side: the value is sqrt(2 side).
    assert run.duals[m.c] == pytest.approx(0.5, abs=1e-6)
    assert run.bound is None


@both
def test_infeasible_limit_and_undefined_start(route):
    m = pyo.ConcreteModel()
    m.x = pyo.Var(initialize=3)
    m.c = pyo.Constraint(expr=m.x**2 <= -1)
    run = Ipopt(route).run(m, PLAIN)
    assert run.termination is Termination.LOCALLY_INFEASIBLE
    assert not run.has_solution
    limited = Ipopt(route).run(chain(), SolverOptions(extra={"max_iter": 1}))
    assert limited.termination is Termination.LIMIT
    assert not limited.has_solution
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 5))
    m.o = pyo.Objective(expr=m.x - pyo.log(m.x - 1))
    undefined = Ipopt(route).run(m, PLAIN)
    assert undefined.termination is Termination.FAILED
    assert "start" in undefined.message
    m.x.value = 3
    assert Ipopt(route).run(m, PLAIN).values[m.x] == pytest.approx(2, abs=1e-7)


@both
def test_time_limit(route):
    slow = SolverOptions(time_limit=0.5, extra={"tol": 1e-300, "dual_inf_tol": 1e-300, "acceptable_iter": 0, "max_iter": 10**6})
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2000), initialize=-1.2)
    m.o = pyo.Objective(expr=sum(100 * (m.x[i] ** 2 - m.x[i + 1]) ** 2 + (m.x[i] - 1) ** 2 for i in range(1999)))
    run = Ipopt(route).run(m, slow)
    assert run.termination is Termination.LIMIT
    assert run.has_solution
    assert run.seconds < 20


@both
def test_compiled_nlp_with_a_parameter(route):
    # min (x - t)^2 + y on x + y >= t, x <= 1, y >= 0. For t >= 1: x = 1, y = t - 1.
    m = pyo.ConcreteModel()
    m.x, m.y, m.t = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, None)), pyo.Var(initialize=0.5)
    m.t.fix()
    m.o = pyo.Objective(expr=(m.x - m.t) ** 2 + m.y)
    m.c = pyo.Constraint(expr=m.x + m.y >= m.t)
    m.only_t = pyo.Constraint(expr=m.t <= 10)
    nlp = compile_nlp(m, [m.t], route)
    assert {v.name for v in nlp.variables} == {"x", "y"}
    assert [c.name for c in nlp.constraints] == ["c"]
    for t in (1.5, 2.0, 3.0):
        result = nlp.solve(np.zeros(2), np.array([t]))
        x = dict(zip((v.name for v in nlp.variables), result.x, strict=True))
        assert result.solved
        assert x["x"] == pytest.approx(1, abs=1e-6)
        assert x["y"] == pytest.approx(t - 1, abs=1e-6)
        assert result.objective == pytest.approx((1 - t) ** 2 + t - 1, abs=1e-6)
        # Pyomo stores the row as t - x - y <= 0, because t is a variable to it: its side is that 0.
        assert result.duals[0] == pytest.approx(-1, abs=1e-6)
        assert result.violation < 1e-8
    assert nlp.solve(parameters=np.array([11.0])).termination is Termination.INFEASIBLE
    assert m.t.value == 0.5
    assert m.t.fixed
    # Without values: the present ones.
    assert nlp.solve().objective == pytest.approx(0, abs=1e-7)
    with pytest.raises(UsageError, match="3 numbers for 1"):
        nlp.solve(parameters=np.zeros(3))
    with pytest.raises(UsageError, match="fixed"):
        compile_nlp(m, [m.x], route)


@both
def test_parameter_that_appears_nowhere(route):
    m = pyo.ConcreteModel()
    m.x, m.t = pyo.Var(bounds=(1, 2)), pyo.Var(initialize=0.5)
    m.t.fix()
    m.o = pyo.Objective(expr=m.x)
    assert compile_nlp(m, [m.t], route).solve().objective == pytest.approx(1, abs=1e-7)
