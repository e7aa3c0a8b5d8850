from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import SolverFailedError, SolverMissingError, UsageError
from bilevel_lang.solvers.pyomo_factory import PyomoFactorySolver
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import Feature, SolverOptions, Termination
from tests.solvers.models import bard_sos1, knapsack, signed_lp, state


def test_local_solvers_take_no_integers():
    assert Feature.INTEGER not in PyomoFactorySolver("ipopt_v2").features
    assert Feature.SOS1 in PyomoFactorySolver("gurobi").features
    assert PyomoFactorySolver("appsi_gurobi").family == PyomoFactorySolver("gurobi_direct_minlp").family == "gurobi"


def test_pyomo_solver_not_installed():
    solver = by_name("baron")
    if solver.missing() is None:
        pytest.skip("baron is installed")
    with pytest.raises(SolverMissingError, match="baron") as caught:
        solver.run(knapsack(), SolverOptions())
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("name", ["appsi_highs", "scip_direct"])
def test_pyomo_solver(name):
    m = knapsack()
    before = state(m)
    run = by_name(name).run(m, SolverOptions(time_limit=20, gap=1e-6))
    assert run.termination is Termination.OPTIMAL
    assert run.objective == pytest.approx(4)
    assert run.bound == pytest.approx(4)
    assert run.duals is None
    assert state(m) == before
    m.c2 = pyo.Constraint(expr=m.x[0] + m.x[1] == 1.5)
    assert by_name(name).run(m, SolverOptions()).termination is Termination.INFEASIBLE


def test_pyomo_solver_with_sos1_and_breakdown():
    assert by_name("scip_direct").run(bard_sos1(), SolverOptions()).objective == pytest.approx(92 / 15)
    with pytest.raises(SolverFailedError, match="appsi_highs"):
        by_name("appsi_highs").run(bard_sos1(), SolverOptions())


def test_option_nobody_translated_is_not_ignored():
    solver = PyomoFactorySolver("scip_direct")
    solver.family = "unheard_of"
    with pytest.raises(UsageError, match="gap"):
        solver.run(signed_lp("min", "ge"), SolverOptions(gap=0.1))


def test_point_that_breaks_the_model_is_not_believed(monkeypatch):
    solver = PyomoFactorySolver("appsi_highs")
    m = knapsack()
    real = PyomoFactorySolver._solve

    def relaxed(self, model, settings, verbose):
        for v in model.x.values():
            v.domain = pyo.UnitInterval
        try:
            return real(self, model, settings, verbose)
        finally:
            for v in model.x.values():
                v.domain = pyo.Binary

    monkeypatch.setattr(PyomoFactorySolver, "_solve", relaxed)
    with pytest.raises(SolverFailedError, match="integrality"):
        solver.run(m, SolverOptions())
