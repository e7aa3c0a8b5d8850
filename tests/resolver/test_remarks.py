"""What is worth saying although it is no mistake, and what --strict makes of it."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from tests.resolver.models import gams_style, mistakes, names, resolved, said


def test_unlisted_variables_are_the_leaders() -> None:
    problem = resolved(gams_style(), "bilevel x min z y defz low")
    assert said(problem, "warning", "E4") == ["listed nowhere and taken as the leader's: `w`"]
    assert "w" in names(problem.leader.variables)
    assert mistakes(gams_style(), "bilevel x min z y defz low", strict=True) == ["E4"]


def test_unlisted_rows_are_the_leaders() -> None:
    problem = resolved(gams_style(), "bilevel x w min z y defz low")
    assert names(problem.leader.rows) == ["high"]
    assert said(problem, "notice", "E4") == ["rows of the leader (they do not bind followers): `high`"]


def test_variables_in_nothing_are_named() -> None:
    assert said(resolved(gams_style(), "bilevel x w min z y defz low"), "notice", "E20") == ["in no row and no objective: `p`"]


def test_a_variable_of_an_agents_expression_is_in_use() -> None:
    model = gams_style()
    model.v = pyo.Var()
    model.F = pyo.Expression(expr=model.y[1] - model.v)
    problem = resolved(model, "bilevel x w vi F y(1)")
    assert "`v`" in said(problem, "warning", "E4")[0]


@pytest.mark.parametrize("strict", [False, True])
def test_an_agent_that_owns_what_it_does_not_use(strict: bool) -> None:
    text = "bilevel x min z y w defz low"
    if strict:
        assert mistakes(gams_style(), text, strict=True) == ["E20"]
    else:
        assert "`w`" in said(resolved(gams_style(), text), "warning", "E20")[0]


def test_variables_with_equal_bounds_are_data() -> None:
    model = gams_style()
    model.y[2].setlb(5)
    problem = resolved(model, "bilevel x w min z y defz low")
    assert names(problem.agents[0].variables) == ["y[1]"]
    assert "`y[2]`" in said(problem, "notice", "E20")[-1] or "`y[2]`" in said(problem, "notice", "E20")[0]
