"""Models and shorthands that the tests of the resolver share."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from bilevel_lang.errors import Diagnostic, ResolutionError
from bilevel_lang.grammar.parser import parse
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.resolver import resolve


def resolved(model: Any, text: str, strict: bool = False) -> BilevelProblem:
    return resolve(model, parse(text, "t.emp"), strict=strict)


def mistakes(model: Any, text: str, strict: bool = False) -> list[str]:
    """The classes of the mistakes in an annotation, in the order of the message."""
    return [d.code for d in findings(model, text, strict)]


def findings(model: Any, text: str, strict: bool = False) -> tuple[Diagnostic, ...]:
    try:
        resolved(model, text, strict)
    except ResolutionError as error:
        return error.diagnostics
    raise AssertionError(f"no mistake found in {text!r}")


def names(components: Any) -> list[str]:
    return [c.name for c in components]


def said(problem: BilevelProblem, severity: str, code: str) -> list[str]:
    """The messages of one class among the notices of a problem."""
    return [d.message for d in problem.notices if (d.severity, d.code) == (severity, code)]


def gams_style() -> Any:
    """min z s.t. z = y1 + 2 y2 + x, y1 + y2 >= 1, y1 <= 4; the leader minimises x."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 8))
    m.y = pyo.Var([1, 2], bounds=(0, 5))
    m.z = pyo.Var()
    m.p = pyo.Var(bounds=(0, None))
    m.w = pyo.Var()
    m.defz = pyo.Constraint(expr=m.z == m.y[1] + 2 * m.y[2] + m.x)
    m.low = pyo.Constraint(expr=m.y[1] + m.y[2] - m.x >= 1)
    m.high = pyo.Constraint(expr=m.y[1] <= 4)
    m.obj = pyo.Objective(expr=m.x + m.w)
    return m


def families() -> Any:
    """Followers over S, with labels of every kind."""
    m = pyo.ConcreteModel()
    m.S = pyo.Set(initialize=["a", "b"])
    m.N = pyo.RangeSet(3)
    m.T = pyo.Set(m.S, initialize={"a": [1], "b": [2, 3]})
    m.P = pyo.Set(initialize=[("a", 1), ("b", 2)])
    m.E = pyo.Set(initialize=[])
    m.x = pyo.Var(bounds=(0, 1))
    m.q = pyo.Var(m.S, m.N, bounds=(0, None))
    m.half = pyo.Var([0.5, 1.5])
    m.mixed = pyo.Var([1, "1", "2"])
    m.cased = pyo.Var(["Low", "High"])
    m.f = pyo.Expression(m.S, rule=lambda m, s: sum(m.q[s, i] ** 2 for i in m.N))
    m.g = pyo.Expression(m.P, rule=lambda m, s, i: m.q[s, i] ** 2)
    m.need = pyo.Constraint(m.S, rule=lambda m, s: sum(m.q[s, i] for i in m.N) >= 1)
    m.cap = pyo.Constraint(m.S, m.N, rule=lambda m, s, i: m.q[s, i] <= 4 if i > 1 else pyo.Constraint.Skip)
    m.obj = pyo.Objective(expr=m.x)
    return m
