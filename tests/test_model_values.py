from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang
from bilevel_lang.assembly import assemble
from bilevel_lang.model_values import write_back
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import Exactness, Point
from bilevel_lang.solvers.solver import SolverRun, Termination


@pytest.mark.parametrize(("kind", "sign"), [("min", 1.0), ("max", -1.0)])
def test_values_multipliers_and_reduced_costs_go_back(kind: str, sign: float) -> None:
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(domain=pyo.Integers), pyo.Var(bounds=(2, None)), pyo.Var()
    m.o = pyo.Objective(expr=m.x)
    m.f = pyo.Expression(expr=sign * (m.y**2 / 2 + m.z**2))
    m.c = pyo.Constraint(expr=m.z >= 1)
    m.dual, m.rc = (pyo.Suffix(direction=pyo.Suffix.IMPORT) for _ in range(2))
    m.dual[m.o] = 9.0  # of an older solve
    point = Point(ComponentMap([(m.x, 0.9999999), (m.y, 2.0), (m.z, 1.0)]), (("c", sign * 2.0, m.c),))
    problem = bilevel_lang.resolve(m, f"bilevel x\n{kind} f y z c")
    rewritten = Reformulation(problem, m, "kkt", None, "scip", Exactness.EXACT, ComponentMap(), (), lambda options: run)
    run = SolverRun(Termination.OPTIMAL, "a solver", values=point.values)
    write_back(problem, assemble(problem, rewritten, run, point, None, (), {}))
    assert (m.x.value, m.y.value) == (1.0, 2.0)
    assert {k.name: v for k, v in m.dual.items()} == {"c": sign * 2.0}
    assert {k.name: v for k, v in m.rc.items()} == {"y": sign * 2.0, "z": 0.0}
