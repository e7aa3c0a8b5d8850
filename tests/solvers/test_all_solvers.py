"""What every adapter promises, checked on each of them."""

from __future__ import annotations

import sys

import pyomo.environ as pyo
import pytest
from pyomo.gdp import Disjunction
from pyomo.mpec import Complementarity, complements

from bilevel_lang.errors import ModelFileError, RefusedError, SolverMissingError, UsageError
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.ipopt import Ipopt
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions, Termination, load_values
from tests.solvers.models import KINDS, signed_lp, state

SOLVERS = {"highs": Highs(), "scip": Scip(), "cyipopt": Ipopt("cyipopt"), "casadi": Ipopt("casadi")}
EXACT = ("highs", "scip")
WITH_DUALS = ("highs", "cyipopt", "casadi")
PLAIN = SolverOptions()

if SOLVERS["cyipopt"].missing() is not None:
    SOLVERS.pop("cyipopt")
    WITH_DUALS = ("highs", "casadi")


def solved(run):
    return run.termination in (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("sense", ["min", "max"])
@pytest.mark.parametrize("kind", KINDS)
def test_optimum_of_both_senses_and_all_kinds_of_row(name, sense, kind):
    m = signed_lp(sense, kind)
    before = state(m)
    run = SOLVERS[name].run(m, PLAIN)
    assert solved(run)
    assert state(m) == before
    # ge: x = 0.5, y = 0.5, cost 2.5; le: x = 0.5, y = 0.5 as well, because y costs (earns) more and x + y = 1 binds.
    cost = 2.5 if kind in ("ge", "eq", "range_low") else -3.0
    assert run.objective == pytest.approx(7 + (cost if sense == "min" else -cost), abs=1e-7)
    load_values(run.values)
    assert pyo.value(m.o) == pytest.approx(run.objective, abs=1e-12)


@pytest.mark.parametrize("name", WITH_DUALS)
@pytest.mark.parametrize("sense", ["min", "max"])
@pytest.mark.parametrize("kind", KINDS)
def test_duals_are_the_derivative_of_the_optimal_value(name, sense, kind):
    m, step = signed_lp(sense, kind), 1e-3
    run = SOLVERS[name].run(m, PLAIN)
    moved = Highs().run(signed_lp(sense, kind, step), PLAIN)
    here = Highs().run(m, PLAIN)
    assert run.duals[m.c] == pytest.approx((moved.objective - here.objective) / step, abs=1e-5)
    # The reduced cost is the derivative for the bound; here it closes the stationarity equation d - y a - r = 0.
    sign = (1 if sense == "min" else -1) * (1 if kind in ("ge", "eq", "range_low") else -1)
    for variable, cost in ((m.x, 2 * sign), (m.y, 3 * sign)):
        assert run.reduced_costs[variable] == pytest.approx(cost - run.duals[m.c], abs=1e-6)


@pytest.mark.parametrize("name", SOLVERS)
def test_only_variables_that_appear_get_values(name):
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2, 3], bounds=(1, 2), initialize=1.5)
    m.o = pyo.Objective(expr=m.x[1])
    m.c = pyo.Constraint(expr=m.x[2] >= 1)
    m.off = pyo.Constraint(expr=m.x[3] >= 1.5)
    m.off.deactivate()
    run = SOLVERS[name].run(m, PLAIN)
    assert {v.name for v in run.values} == {"x[1]", "x[2]"}


@pytest.mark.parametrize("name", SOLVERS)
def test_fixed_variables_are_constants(name):
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(domain=pyo.Integers)
    m.y.fix(3)
    m.o = pyo.Objective(expr=m.x * m.y + m.y, sense=pyo.maximize)
    m.c = pyo.Constraint(expr=m.x + m.y <= 5)
    run = SOLVERS[name].run(m, PLAIN)
    assert run.objective == pytest.approx(9, abs=1e-6)
    assert m.y not in run.values
    assert m.y.fixed
    assert m.y.value == 3


@pytest.mark.parametrize("name", SOLVERS)
def test_violated_constant_row_is_infeasible_and_named(name):
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(initialize=3)
    m.y.fix()
    m.o = pyo.Objective(expr=m.x)
    m.impossible = pyo.Constraint(expr=m.y <= 2)
    run = SOLVERS[name].run(m, PLAIN)
    assert run.termination is Termination.INFEASIBLE
    assert not run.has_solution
    assert "impossible" in run.message
    # Off by another solver's rounding only: not a contradiction.
    m.y.fix(2 + 1e-9)
    assert solved(SOLVERS[name].run(m, PLAIN))


@pytest.mark.parametrize("name", SOLVERS)
def test_crossed_bounds_are_infeasible(name):
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(2, 1))
    m.o = pyo.Objective(expr=m.x)
    assert SOLVERS[name].run(m, PLAIN).termination is Termination.INFEASIBLE


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("constant", [None, 5.0])
def test_model_without_variables(name, constant):
    m = pyo.ConcreteModel()
    m.y = pyo.Var(initialize=2)
    m.y.fix()
    m.c = pyo.Constraint(expr=m.y <= 3)
    if constant is not None:
        m.o = pyo.Objective(expr=m.y + 3, sense=pyo.maximize)
    run = SOLVERS[name].run(m, PLAIN)
    assert solved(run)
    assert len(run.values) == 0
    assert run.objective == (constant or 0.0)


@pytest.mark.parametrize("name", SOLVERS)
def test_model_without_objective(name):
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.c = pyo.Constraint(expr=2 * m.x == 1)
    run = SOLVERS[name].run(m, PLAIN)
    assert solved(run)
    assert run.values[m.x] == pytest.approx(0.5, abs=1e-8)
    assert run.objective == 0


@pytest.mark.parametrize("name", SOLVERS)
def test_variable_with_coefficient_zero_still_gets_a_value(name):
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(1, 2)), pyo.Var(bounds=(0, 3))
    m.o = pyo.Objective(expr=m.x + m.y - m.y)
    run = SOLVERS[name].run(m, PLAIN)
    assert run.objective == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("name", SOLVERS)
def test_several_objectives_are_refused(name):
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.o, m.p = pyo.Objective(expr=m.x), pyo.Objective(expr=-m.x)
    with pytest.raises(RefusedError, match="2 active objectives"):
        SOLVERS[name].run(m, PLAIN)


def with_complementarity(m):
    m.cc = Complementarity(expr=complements(m.x >= 0, m.y >= 0))


def with_disjunction(m):
    m.dj = Disjunction(expr=[[m.x <= 1], [m.y <= 1]])


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("add", [with_complementarity, with_disjunction])
def test_leftover_components_are_refused_not_ignored(name, add):
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(0, 2))
    m.o = pyo.Objective(expr=m.x + m.y)
    add(m)
    with pytest.raises(RefusedError, match="active components"):
        SOLVERS[name].run(m, PLAIN)


@pytest.mark.parametrize("name", SOLVERS)
def test_parameter_without_value_is_the_models_fault(name):
    m = pyo.ConcreteModel()
    m.x, m.p = pyo.Var(bounds=(0, 2)), pyo.Param(mutable=True)
    m.o = pyo.Objective(expr=m.p * m.x)
    with pytest.raises(ModelFileError):
        SOLVERS[name].run(m, PLAIN)


@pytest.mark.parametrize("name", SOLVERS)
def test_unknown_option_is_a_usage_error(name):
    with pytest.raises(UsageError, match="no_such_option"):
        SOLVERS[name].run(signed_lp("min", "ge"), SolverOptions(extra={"no_such_option": 1}))


@pytest.mark.parametrize("name", SOLVERS)
def test_log_goes_to_stderr_only(name, capfd):
    SOLVERS[name].run(signed_lp("min", "ge"), SolverOptions(verbose=True))
    sys.stderr.flush()
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err) > 0


@pytest.mark.parametrize("name", SOLVERS)
def test_quiet_run_prints_nothing(name, capfd):
    SOLVERS[name].run(signed_lp("min", "ge"), PLAIN)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("solver", "module"),
    [(Highs(), "highspy"), (Scip(), "pyscipopt"), (Ipopt("casadi"), "casadi"), (Ipopt("cyipopt"), "cyipopt")],
)
def test_missing_library_is_said_with_a_remedy(monkeypatch, solver, module):
    monkeypatch.setitem(sys.modules, module, None)
    assert solver.missing() is not None
    for attempt in (solver.version, lambda: solver.run(signed_lp("min", "ge"), PLAIN)):
        with pytest.raises(SolverMissingError, match=r"(?s)not installed.*pip install") as caught:
            attempt()
        assert caught.value.exit_code == 6
