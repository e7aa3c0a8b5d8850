"""``dualvar``: owners, and the table of signs S1-S5 of the language reference."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from tests.resolver.models import findings, gams_style, mistakes, resolved, said


def one_row(row: Any, lower: float | None = None, upper: float | None = None) -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.p = pyo.Var(bounds=(lower, upper))
    m.f = pyo.Expression(expr=m.x**2 / 2)
    m.g = pyo.Expression(expr=-(m.x**2) / 2)
    m.c = pyo.Constraint(expr=row(m.x))
    m.obj = pyo.Objective(expr=m.p)
    return m


def at_least(x: Any) -> Any:
    return x >= 2


def at_most(x: Any) -> Any:
    return -x <= -2


@pytest.mark.parametrize(
    ("agent", "row", "pair", "factor"),
    [
        # The reported multiplier is +2, -2, -2 and +2; p >= 0.1 has to come out as +2.
        ("min f", at_least, "p c", 1),  # S1
        ("min f", at_most, "p -c", -1),  # S2
        ("max g", at_least, "p c", -1),  # S3: negated with a notice, the bounds of p admit nothing else
        ("max g", at_most, "p c", 1),  # S4
        ("max g", at_least, "p -c", -1),
    ],
)
def test_the_table_of_signs(agent: str, row: Any, pair: str, factor: int) -> None:
    problem = resolved(one_row(row, 0.1), f"bilevel {agent} x c dualvar {pair}")
    assert [d.factor for d in problem.dual_maps] == [factor]
    automatic = agent == "max g" and row is at_least and pair == "p c"
    assert bool(said(problem, "notice", "E12")) == automatic


@pytest.mark.parametrize(("row", "pair", "mend"), [(at_most, "p c", "`dualvar p -c`"), (at_least, "p -c", "`dualvar p c`")])
def test_a_min_agent_with_the_wrong_sign(row: Any, pair: str, mend: str) -> None:
    (found,) = findings(one_row(row, 0.1), f"bilevel min f x c dualvar {pair}")
    assert found.code == "E12"
    assert mend in found.help


@pytest.mark.parametrize("bounds", [(None, None), (-1, 3), (None, 3), (-1, None)])
def test_a_multiplier_that_may_have_either_sign(bounds: Any) -> None:
    model = one_row(at_most, *bounds)
    problem = resolved(model, "bilevel min f x c dualvar p c")
    assert problem.dual_maps[0].factor == 1
    assert "it will be <= 0" in said(problem, "warning", "E12")[0]
    assert mistakes(model, "bilevel min f x c dualvar p c", strict=True) == ["E12"]


@pytest.mark.parametrize("row", [lambda x: x == 2, lambda x: (2, x, 5)])
@pytest.mark.parametrize("bounds", [(None, None), (0, None), (None, 0)])
def test_equalities_and_ranges_have_multipliers_of_either_sign(row: Any, bounds: Any) -> None:
    problem = resolved(one_row(row, *bounds), "bilevel min f x c dualvar p c")
    assert problem.dual_maps[0].factor == 1
    assert not said(problem, "warning", "E12")


def test_a_row_with_variables_on_both_sides_gets_a_notice() -> None:
    # Pyomo keeps `y1 + y2 >= x` as `x - (y1 + y2) <= 0`.
    model = gams_style()
    model.both = pyo.Constraint(expr=model.y[1] + model.y[2] >= model.x)
    assert mistakes(model, "bilevel x min z y defz both dualvar p both") == ["E12"]
    problem = resolved(model, "bilevel x min z y defz both dualvar p -both")
    assert "x - (y[1] + y[2]) <= 0`, so its multiplier is <= 0" in said(problem, "notice", "E12")[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("min z y defz dualvar p low", "E11"),
        ("min z y low dualvar z low", "E11"),
        ("min z y defz low dualvar p low w low", "E3"),
        ("min z y defz low high dualvar p low p high", "E3"),
        ("min z y p defz low dualvar p low", "E3"),
    ],
)
def test_pairs_that_do_not_fit(text: str, code: str) -> None:
    assert mistakes(gams_style(), f"bilevel x {text}") == [code]


def test_a_deactivated_row_and_a_function() -> None:
    model = gams_style()
    model.low.deactivate()
    assert mistakes(model, "bilevel x min z y defz dualvar p low") == ["E11"]
    assert mistakes(model, "bilevel x vi high y(1) dualvar p high") == ["E11"]


def test_an_integer_is_no_multiplier() -> None:
    model = gams_style()
    model.p.domain = pyo.NonNegativeIntegers
    assert mistakes(model, "bilevel x min z y defz low dualvar p low") == ["E2"]


def test_the_leader_may_list_a_multiplier() -> None:
    problem = resolved(gams_style(), "bilevel x p min z y defz low dualvar p low")
    assert len(said(problem, "notice", "E3")) == 1
    assert all(v.name != "p" for v in problem.leader.variables)


def test_the_statement_may_come_before_the_agents() -> None:
    problem = resolved(gams_style(), "bilevel x dualvar p low min z y defz low")
    assert problem.dual_maps[0].agent is problem.agents[0]


def test_a_constraint_of_a_vi_has_a_multiplier() -> None:
    model = gams_style()
    model.F = pyo.Expression(expr=model.y[1])
    problem = resolved(model, "bilevel x vi F y(1) low dualvar p low")
    assert problem.dual_maps[0].row.name == "low"


def test_a_mistake_in_the_agent_is_told_once() -> None:
    assert mistakes(gams_style(), "bilevel x min zzz y low dualvar p low") == ["E1"]
