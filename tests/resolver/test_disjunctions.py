"""``disjunction`` and ``default``: which rows and indicators stand in which branch."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from tests.resolver.models import mistakes, names, resolved


def model() -> Any:
    m = pyo.ConcreteModel()
    m.S = pyo.Set(initialize=["a", "b"])
    m.x = pyo.Var(m.S, bounds=(0, 10))
    m.y = pyo.Var(bounds=(0, 10))
    m.u = pyo.Var(m.S, domain=pyo.Binary)
    m.k = pyo.Var(bounds=(0, 1), domain=pyo.Integers)
    m.low = pyo.Constraint(m.S, rule=lambda m, s: m.x[s] <= 2)
    m.high = pyo.Constraint(m.S, rule=lambda m, s: m.x[s] >= 4)
    m.mid = pyo.Constraint(m.S, rule=lambda m, s: m.x[s] == 3)
    m.answer = pyo.Constraint(expr=m.y >= 1)
    m.cost = pyo.Expression(expr=m.y)
    m.obj = pyo.Objective(expr=m.x["a"] + m.x["b"])
    return m


def branches(problem: Any) -> list[list[tuple[str, list[str]]]]:
    return [[(d.name, [r.name for r in d.rows]) for d in found.disjuncts] for found in problem.disjunctions]


def test_an_indicator_over_a_set_is_a_disjunction_for_each_member() -> None:
    problem = resolved(model(), "disjunction u low elseif * mid else high")
    assert branches(problem) == [
        [("u[a]", ["low[a]"]), ("*", ["mid[a]"]), ("else", ["high[a]"])],
        [("u[b]", ["low[b]"]), ("*", ["mid[b]"]), ("else", ["high[b]"])],
    ]
    assert dict(problem.summary)["Disjunctions"] == 2


def test_a_single_indicator_switches_all_the_rows() -> None:
    problem = resolved(model(), "disjunction not k low else high mid(a)")
    assert branches(problem) == [[("not k", ["low[a]", "low[b]"]), ("else", ["high[a]", "high[b]", "mid[a]"])]]
    assert problem.disjunctions[0].disjuncts[0].negated


def test_a_lone_else_means_that_nothing_holds_otherwise() -> None:
    assert branches(resolved(model(), "disjunction k low(a) else"))[0][1] == ("else", [])


def test_rows_of_branches_are_nobodys() -> None:
    problem = resolved(model(), "bilevel x u k\nmin cost y answer\ndisjunction k low else high")
    assert names(problem.leader.rows) == ["mid[a]", "mid[b]"]
    assert not any("in no row" in d.message for d in problem.notices if "`k`" in d.message and d.severity != "notice")


@pytest.mark.parametrize(
    ("text", "reform", "value"),
    [
        ("disjunction k low else high", "chull", None),
        ("default bigM 100 disjunction k low else high", "bigm", 100),
        ("disjunction k low else high default indic", "indic", None),
        ("default indic disjunction chull 1e-3 k low else high", "chull", 1e-3),
    ],
)
def test_how_it_is_stated(text: str, reform: str, value: float | None) -> None:
    (found,) = resolved(model(), text).disjunctions
    assert (found.reform, found.value) == (reform, value)


def test_a_disjunction_needs_somebody_who_chooses() -> None:
    m = model()
    m.obj.deactivate()
    assert "E22" in mistakes(m, "equilibrium min cost y answer disjunction k low else high")


def test_a_deactivated_row_is_left_out() -> None:
    m = model()
    m.low["a"].deactivate()
    assert branches(resolved(m, "disjunction k low else high"))[0][0] == ("k", ["low[b]"])


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("disjunction x(a) low else high", ["E22"]),
        ("disjunction u low(a) else high", ["E6"]),
        ("disjunction k low else high disjunction * mid else low(a)", ["E3"]),
        ("disjunction nothing low else high", ["E1"]),
        ("disjunction k low * else high", ["E2"]),
        ("bilevel x min cost y answer disjunction k low else answer", ["E13"]),
    ],
)
def test_mistakes(text: str, codes: list[str]) -> None:
    assert mistakes(model(), text)[: len(codes)] == codes
