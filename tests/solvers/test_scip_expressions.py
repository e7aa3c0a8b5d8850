from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions, Termination

PLAIN = SolverOptions()

FUNCTIONS = [
    ("x**2 + y**2", 2, 17),
    ("x*y + 3*x + 7", 11, 23),
    ("exp(x)/y", math.e / 4, math.exp(4)),
    ("x**y", 1, 2.5714135814693586**2.4285864275295976),
    ("2**y", 2, 16),
    ("x**1.5/y", 0.25, 8),
    ("x**(-2) + y", None, 5),
    ("tanh(x)", math.tanh(1), math.tanh(4)),
    ("log10(x) + log(y)", 0, None),
    ("tan(x/8)", math.tan(1 / 8), math.tan(0.5)),
    ("sinh(x) - cosh(y)", math.sinh(1) - math.cosh(4), math.sinh(4) - math.cosh(1)),
    ("abs(x - 2) + sqrt(y)", None, 3),
    ("sin(x) + cos(x)", None, math.sin(1) + math.cos(1)),
    ("(x + y)**3/2", 4, 62.5),
]
"""Functions on the triangle x >= 1, y >= 1, x + y <= 5, with minimum and maximum where they have a closed form."""


@pytest.mark.parametrize(("text", "lowest", "highest"), FUNCTIONS)
@pytest.mark.parametrize("sense", [pyo.minimize, pyo.maximize])
def test_functions_are_taken_exactly(text, lowest, highest, sense):
    expected = lowest if sense == pyo.minimize else highest
    if expected is None:
        pytest.skip("no closed form")
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(1, 4)), pyo.Var(bounds=(1, 4))
    names = {f: getattr(pyo, f) for f in ("exp", "log", "log10", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh")}
    m.o = pyo.Objective(expr=eval(text, {**names, "abs": abs}, {"x": m.x, "y": m.y}) + 5, sense=sense)
    m.c = pyo.Constraint(expr=m.x + m.y <= 5)
    run = Scip().run(m, PLAIN)
    assert run.termination is Termination.OPTIMAL
    assert run.objective == pytest.approx(expected + 5, abs=1e-6)
    assert run.bound == pytest.approx(expected + 5, abs=1e-6)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda m: pyo.atan(m.x), "atan"),
        (lambda m: pyo.Expr_if(m.x >= 2, m.x, 1), "if-then-else"),
        (lambda m: m.y**m.x, "variable exponent"),
    ],
)
def test_unknown_functions_are_refused_by_name(build, named):
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(1, 4)), pyo.Var(bounds=(-1, 4))
    m.o = pyo.Objective(expr=m.x)
    m.curve = pyo.Constraint(expr=build(m) <= 3)
    with pytest.raises(RefusedError, match=rf"(?s)curve.*{named}.*help"):
        Scip().run(m, PLAIN)
