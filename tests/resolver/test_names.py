"""Names: case, blocks, References, what is nearest, and sets to run over."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.grammar.leaves import Reference
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.syntax import Optimise
from bilevel_lang.resolver.names import Names, spelled
from bilevel_lang.resolver.report import Report


def reference(text: str) -> Reference:
    (statement,) = parse(f"min {text}").statements
    assert isinstance(statement, Optimise)
    return statement.objective


def plant(b: Any, i: int) -> None:
    b.y = pyo.Var([1, 2])
    b.row = pyo.Constraint(expr=b.y[1] >= i)
    b.inner = pyo.Block()
    b.inner.z = pyo.Var()


@pytest.fixture
def model() -> Any:
    m = pyo.ConcreteModel()
    m.Price = pyo.Var()
    m.tax = pyo.Var()
    m.TAX = pyo.Var()
    m.b = pyo.Block([1, 2], rule=plant)
    m.first = pyo.Reference(m.b[:].y[1])
    m.same = pyo.Reference(m.Price)
    m.none = pyo.Var([])
    m.skip = pyo.Constraint(rule=lambda m: pyo.Constraint.Skip)
    m.c = pyo.ConstraintList()
    m.c.add(m.tax >= 0)
    m.plain = m.tax**2
    m.listed = [1, 2]
    m.S = pyo.Set(initialize=["a"])
    m.T = pyo.Set([1, 2], initialize={1: ["a"], 2: []})
    m.line = pyo.RangeSet(0, 1, 0)
    return m


def find(model: Any, text: str) -> tuple[str, list[str]] | str:
    """Kind and members, or the classes and texts of what was reported."""
    report = Report(parse("").source)
    found = Names(model, report).find(reference(text), {})
    if found is None:
        return " / ".join(f"{d.code} {d.message}; {d.help}" for d in report.diagnostics)
    return found.kind, [e.data.name for e in found.elements]


@pytest.mark.parametrize(
    ("text", "kind", "members"),
    [
        ("Price", "variable", ["Price"]),
        ("pRICE", "variable", ["Price"]),
        ("tax", "variable", ["tax"]),
        ("b[1].y", "variable", ["b[1].y[1]", "b[1].y[2]"]),
        ("b(2).y(1)", "variable", ["b[2].y[1]"]),
        ("B[2].INNER.Z", "variable", ["b[2].inner.z"]),
        ("b.row", "row", ["b[1].row", "b[2].row"]),
        ("b(*).y(2)", "variable", ["b[1].y[2]", "b[2].y[2]"]),
        ("first", "variable", ["b[1].y[1]", "b[2].y[1]"]),
        ("first(2)", "variable", ["b[2].y[1]"]),
        ("same", "variable", ["Price"]),
        ("c(1)", "row", ["c[1]"]),
        ("none", "variable", []),
        ("skip", "row", []),
        ("T(1)", "set", ["T[1]"]),
    ],
)
def test_found(model: Any, text: str, kind: str, members: list[str]) -> None:
    assert find(model, text) == (kind, members)


def test_the_key_of_a_member_runs_through_the_blocks(model: Any) -> None:
    found = Names(model, Report(parse("").source)).find(reference("b.y(*)"), {})
    assert found is not None
    assert [e.key for e in found.elements] == [(1, 1), (1, 2), (2, 1), (2, 2)]


@pytest.mark.parametrize(
    ("text", "bindings", "members"),
    [
        ("S", {}, [("a",)]),
        ("T(1)", {}, [("a",)]),
        ("T(i)", {"i": (2,)}, []),
        ("T", {}, None),
        ("tax", {}, None),
        ("line", {}, None),
    ],
)
def test_members_of_sets(model: Any, text: str, bindings: Any, members: Any) -> None:
    report = Report(parse("").source)
    assert Names(model, report).members(reference(text), bindings) == members
    assert [d.code for d in report.diagnostics] == ([] if members is not None else ["E2"])


def test_a_reference_is_spelled_without_its_sign() -> None:
    assert spelled(reference("-b[1].x('a b',*)")) == "b[1].x('a b',*)"
