from __future__ import annotations

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.solvers.registry import SOLVERS
from bilevel_lang.solvers.solver import Feature, SolverRun, Termination, load_values


def test_values_go_in_without_domain_checks():
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.NonNegativeIntegers)
    load_values(ComponentMap([(m.x, -1e-10)]))
    assert m.x.value == -1e-10


def test_run_knows_whether_it_has_a_point():
    assert not SolverRun(Termination.LIMIT, "s").has_solution
    assert SolverRun(Termination.LIMIT, "s", values=ComponentMap()).has_solution


def test_every_adapter_keeps_the_contract():
    for solver in SOLVERS:
        assert solver.features <= frozenset(Feature)
        assert all(group <= solver.features for group in solver.excludes)
        assert solver.name in str(solver.version()).lower()
