"""Names: case, blocks, References, what is nearest, and sets to run over."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.syntax import Optimise, Reference
from bilevel_lang.resolver.elements import Element
from bilevel_lang.resolver.names import Names, a_kind, active_members, bounds_known, is_active, spelled
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


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Tax", ["E1", "`tax` or `TAX`"]),
        ("prise", ["E1", "did you mean `Price`?"]),
        ("z", ["E1", "did you mean `b[1].inner.z`?"]),
        ("b[1].rwo", ["E1", "block `b[1]`", "did you mean `row`?"]),
        ("m.tax", ["E1", "write `tax` without `m.`"]),
        ("plain", ["E1", "Expression(expr=...)"]),
        ("listed", ["E1", "Set(initialize=...)"]),
        ("b[3].y", ["E19", "`b[1]`, `b[2]`"]),
        ("tax.y", ["E2", "not a block"]),
        ("b[1].y[1].lb", ["E2", "`y[1]` is a variable, not a block"]),
        ("Price(1)", ["E19", "write `Price` alone"]),
    ],
)
def test_not_found(model: Any, text: str, wanted: list[str]) -> None:
    said = find(model, text)
    assert isinstance(said, str)
    for part in wanted:
        assert part in said


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


def test_bounds_that_are_not_known() -> None:
    m = pyo.ConcreteModel()
    m.p = pyo.Param(mutable=True)
    m.known = pyo.Param(initialize=1, mutable=True)
    m.x = pyo.Var(bounds=(m.p, None))
    m.y = pyo.Var(bounds=(m.known, 3))
    m.c = pyo.Constraint(expr=m.y >= m.p)
    assert [bounds_known(data) for data in (m.x, m.y, m.c)] == [False, True, False]


def test_words() -> None:
    assert [a_kind("row"), a_kind("objective")] == ["a row", "an objective"]
    assert spelled(reference("-b[1].x('a b',*)")) == "b[1].x('a b',*)"


def test_active_members_are_those_that_are_active_one_by_one() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.b = pyo.Block([1, 2], rule=lambda b, i: b.add_component("c", pyo.Constraint([1, 2, 3], rule=lambda b, k: m.x >= k)))
    m.lone = pyo.Constraint(expr=m.x <= 9)
    m.off = pyo.Constraint(expr=m.x <= 9)
    m.b[1].deactivate()
    m.b[2].c[2].deactivate()
    m.off.deactivate()
    elements = [Element((), row) for row in (*m.b[1].c.values(), *m.b[2].c.values(), m.lone, m.off)]
    kept = active_members(elements)
    assert [e.data.name for e in kept] == ["b[2].c[1]", "b[2].c[3]", "lone"]
    assert kept == [e for e in elements if is_active(e.data)]
