from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.solvers.nlp import read_nlp
from tests.solvers.models import bard_sos1, knapsack


def test_refusals():
    with pytest.raises(RefusedError, match="integer"):
        read_nlp(knapsack())
    with pytest.raises(RefusedError, match="SOS"):
        read_nlp(bard_sos1())
    for function, named in ((pyo.ceil, "ceil"), (pyo.asinh, "asinh"), (lambda x: pyo.Expr_if(x >= 1, x, 1), "if-then-else")):
        m = pyo.ConcreteModel()
        m.x = pyo.Var(bounds=(0, 2))
        m.o = pyo.Objective(expr=function(m.x))
        with pytest.raises(RefusedError, match=named):
            read_nlp(m)


def test_translation():
    m = pyo.ConcreteModel()
    m.x, m.y, m.t = pyo.Var(bounds=(0, 4)), pyo.Var(), pyo.Var(initialize=3)
    m.t.fix()
    m.o = pyo.Objective(expr=m.x * m.t, sense=pyo.maximize)
    m.c = pyo.Constraint(expr=pyo.inequality(1, m.x + pyo.exp(m.y), 2))
    m.only_t = pyo.Constraint(expr=2 * m.t <= 5)
    nlp = read_nlp(m, [m.t])
    assert nlp.sense == -1
    assert {v.name for v in nlp.variables} == {"x", "y"}
    assert [c.name for c in nlp.constraints] == ["c"]
    assert [c.name for c in nlp.pinned_constraints] == ["only_t"]
    assert float(nlp.pinned(np.array([2.0]))) == 4.0
    assert (nlp.row_lower[0], nlp.row_upper[0]) == (1, 2)
    assert nlp.contradiction is None


def test_rows_without_variables_and_models_without_parts():
    m = pyo.ConcreteModel()
    m.y = pyo.Var(initialize=3)
    m.y.fix()
    m.c = pyo.Constraint(expr=m.y <= 1)
    nlp = read_nlp(m)
    assert nlp.variables == ()
    assert [c.name for c in nlp.pinned_constraints] == ["c"]


def test_parameters_are_fixed_again_when_the_writer_fails():
    m = pyo.ConcreteModel()
    m.x, m.t, m.p = pyo.Var(), pyo.Var(initialize=3), pyo.Param(mutable=True)
    m.t.fix()
    m.o = pyo.Objective(expr=m.p * m.x * m.t)
    with pytest.raises(Exception, match="cannot be evaluated"):
        read_nlp(m, [m.t])
    assert m.t.fixed
