from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.solvers import features
from bilevel_lang.solvers.features import features_of
from bilevel_lang.solvers.solver import Feature
from tests.solvers.models import bard_sos1, knapsack, signed_lp


def quadratic(expression, sense=pyo.minimize):
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(), pyo.Var(), pyo.Var(domain=pyo.Integers)
    m.o = pyo.Objective(expr=expression(m), sense=sense)
    return m


def test_plain_kinds():
    assert features_of(signed_lp("min", "eq")) == frozenset()
    assert features_of(knapsack()) == {Feature.INTEGER}
    assert features_of(bard_sos1()) == {Feature.SOS1}


@pytest.mark.parametrize(
    ("expression", "sense", "expected"),
    [
        (lambda m: m.x**2 + m.y, pyo.minimize, Feature.QUADRATIC_OBJECTIVE),
        (lambda m: m.x**2 + m.y, pyo.maximize, Feature.NONCONVEX_OBJECTIVE),
        (lambda m: -(m.x**2) - (m.x - m.y) ** 2, pyo.maximize, Feature.QUADRATIC_OBJECTIVE),
        (lambda m: m.x * m.y, pyo.minimize, Feature.NONCONVEX_OBJECTIVE),
        (lambda m: (m.x - m.y) ** 2, pyo.minimize, Feature.QUADRATIC_OBJECTIVE),
        (lambda m: (m.x / 3 - m.y / 7) ** 2, pyo.minimize, Feature.QUADRATIC_OBJECTIVE),
        (lambda m: m.x**2 + 2.001 * m.x * m.y + m.y**2, pyo.minimize, Feature.NONCONVEX_OBJECTIVE),
        (lambda m: pyo.exp(m.x), pyo.minimize, Feature.NONLINEAR),
        (lambda m: m.x**3, pyo.minimize, Feature.NONLINEAR),
        (lambda m: m.x / m.y, pyo.minimize, Feature.NONLINEAR),
    ],
)
def test_objectives(expression, sense, expected):
    assert features_of(quadratic(expression, sense)) == {expected}


def test_fixed_variables_are_constants_and_inactive_parts_do_not_count():
    m = quadratic(lambda m: m.x * m.y + m.z)
    assert features_of(m) == {Feature.INTEGER, Feature.NONCONVEX_OBJECTIVE}
    m.y.fix(2)
    m.z.fix(1)
    assert features_of(m) == frozenset()
    m.q = pyo.Constraint(expr=m.x**2 <= 1)
    assert features_of(m) == {Feature.QUADRATIC_ROWS}
    m.q.deactivate()
    m.b = pyo.Block()
    m.b.c = pyo.Constraint(expr=pyo.exp(m.x) <= 1)
    m.b.deactivate()
    assert features_of(m) == frozenset()


@pytest.mark.parametrize("convex", [True, False])
def test_sparse_factorisation_agrees_with_eigenvalues(monkeypatch, convex):
    n = 40
    rng = np.random.default_rng(0)
    a = rng.normal(size=(n, 10))
    q = a @ a.T - (0 if convex else 1e-3) * np.eye(n)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(n))
    m.o = pyo.Objective(expr=sum(float(q[i, j]) * m.x[i] * m.x[j] for i in range(n) for j in range(n)))
    expected = {Feature.QUADRATIC_OBJECTIVE if convex else Feature.NONCONVEX_OBJECTIVE}
    assert features_of(m) == expected
    monkeypatch.setattr(features, "DENSE_LIMIT", 5)
    assert features_of(m) == expected
