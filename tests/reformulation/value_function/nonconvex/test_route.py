"""What the bounding scheme takes, what it refuses, and what the reformulation says."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo import gdp

import bilevel_lang as bl
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Refusal
from bilevel_lang.reformulation.value_function.nonconvex.route import accepts_nonconvex, is_small, nonconvex_reformulation
from bilevel_lang.solution import Exactness


def model() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-1, 1))
    m.p = pyo.Var()
    m.y = pyo.Var(bounds=(-1, 1))
    m.leader = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=m.y**3 - m.x * m.y)
    m.F = pyo.Expression(expr=m.y - m.x)
    m.row = pyo.Constraint(expr=m.y >= m.x)
    return m


@pytest.mark.parametrize("annotation", ["bilevel x p\nmin f y row\n", "equilibrium\nmin f y row\nmin leader x p\n"])
def test_optimisers_are_taken(annotation: str) -> None:
    verdict = accepts_nonconvex(bl.resolve(model(), annotation), Options())
    assert isinstance(verdict, Accepted)
    assert "bounds from both sides" in verdict.reason


@pytest.mark.parametrize(
    ("annotation", "options", "word"),
    [
        ("bilevel x p\nmin f y row\n", {"position": "pessimistic"}, "pessimistic"),
        ("bilevel x p\nmin f y row\n", {"solver": "highs"}, "highs"),
        ("bilevel x p\nvi F y row\n", {}, "variational inequality"),
        ("bilevel x\nmin f y row\ndualvar p row\n", {}, "dualvar"),
        ("", {}, "no agents"),
    ],
)
def test_the_rest_is_refused_with_the_reason(annotation: str, options: dict[str, Any], word: str) -> None:
    verdict = accepts_nonconvex(bl.resolve(model(), annotation), Options(**options))
    assert isinstance(verdict, Refusal)
    assert word in verdict.reason
    assert verdict.remedy.startswith("use `--")


def test_conditions_of_the_model_that_it_does_not_know_are_refused() -> None:
    m = model()
    m.sos = pyo.SOSConstraint([1], rule=lambda b, i: ([b.x, b.y], [1, 2]), sos=1)
    assert isinstance(accepts_nonconvex(bl.resolve(m, "bilevel x p\nmin f y row\n"), Options()), Accepted)
    m.choice = gdp.Disjunction(expr=[[m.x == 0], [m.p == 0]])
    verdict = accepts_nonconvex(bl.resolve(m, "bilevel x p\nmin f y row\n"), Options())
    assert isinstance(verdict, Refusal)
    assert "active components of type Disjunct" in verdict.reason
    assert "gdp.bigm" in verdict.remedy


def test_the_reformulation_is_a_relaxation_of_a_clone() -> None:
    m = model()
    problem = bl.resolve(m, "bilevel x p\nmin f y row\n")
    made = nonconvex_reformulation(problem, Options())
    assert (made.method, made.solver, made.exactness) == ("value-function", "scip", Exactness.RELAXATION)
    assert made.model is not m
    assert all(twin.model() is made.model for twin in made.variables.values())
    assert any("nonconvex" in line or "not proven convex" in line for line in made.why)


def test_small_is_counted_in_variables() -> None:
    m = model()
    assert is_small(bl.resolve(m, "bilevel x p\nmin f y row\n"))
    m.many = pyo.Var(range(30), bounds=(0, 1))
    m.leader.set_value(m.x + m.y + sum(m.many.values()))
    assert not is_small(bl.resolve(m, "bilevel x p many\nmin f y row\n"))


@pytest.mark.parametrize(("body", "is_told"), [("y**2 - x*y", True), ("-x*y", True), ("y**3 - x*y", False)])
def test_the_quicker_way_is_told_where_every_follower_is_convex(body: str, is_told: bool) -> None:
    m = model()
    m.f.set_value({"y**2 - x*y": m.y**2 - m.x * m.y, "-x*y": -m.x * m.y, "y**3 - x*y": m.y**3 - m.x * m.y}[body])
    found = nonconvex_reformulation(bl.resolve(m, "bilevel x p\nmin f y row\n"), Options())
    assert any("`--method kkt`" in said for said in found.warnings) is is_told
