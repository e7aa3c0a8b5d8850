"""``stage`` and ``stagedefault``."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from tests.resolver.models import findings, names, resolved, said


def model() -> Any:
    m = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=2, mutable=True)
    m.c = pyo.Param(initialize=2, mutable=True)
    m.x, m.y = pyo.Var(bounds=(0, 9)), pyo.Var([1, 2], bounds=(0, 9))
    m.top = pyo.Constraint(expr=m.x <= 5)
    m.serve = pyo.Constraint([1, 2], rule=lambda m, k: m.x + m.y[k] >= k * m.d)
    m.cost = pyo.Objective(expr=m.x + 2 * m.y[1] + 3 * m.y[2])
    return m


RANDOM = "randvar d discrete 0.5 1 0.5 2\n"


def stages(m: Any, text: str) -> tuple[list[str], list[str]]:
    program = resolved(m, RANDOM + text).stochastic
    assert program is not None
    return names(program.second_variables), names(program.second_rows)


def test_what_is_listed_is_late_and_the_rest_early() -> None:
    assert stages(model(), "stage 2 y serve d") == (["y[1]", "y[2]"], ["serve[1]", "serve[2]"])


def test_the_default_may_be_the_second_stage() -> None:
    assert stages(model(), "stagedefault 2 stage 1 x top") == (["y[1]", "y[2]"], ["serve[1]", "serve[2]"])


def test_a_block_stands_for_what_is_in_it() -> None:
    m = model()
    m.b = pyo.Block()
    m.b.z = pyo.Var(bounds=(0, 1))
    m.b.row = pyo.Constraint(expr=m.b.z <= m.d)
    assert stages(m, "stage 2 y serve b") == (["y[1]", "y[2]", "b.z"], ["serve[1]", "serve[2]", "b.row"])


def test_an_objective_variable_goes_with_the_row_that_defines_it() -> None:
    m = model()
    m.z = pyo.Var()
    m.defz = pyo.Constraint(expr=m.z == m.x + 2 * m.y[1])
    m.cost.expr = m.z
    assert stages(m, "stage 2 y serve") == (["z", "y[1]", "y[2]"], ["serve[1]", "serve[2]", "defz"])
    assert "`z` and the row that defines it, `defz`, belong to stage 2" in said(
        resolved(m, RANDOM + "stage 2 y serve"), "notice", "E27"
    )


MISTAKES = {
    "stage 2 y": ("row `serve[1]` belongs to stage 1, and holds `y[1]` of stage 2", "stage 2 serve"),
    "stage 2 y stage 1 serve": ("row `serve[1]` belongs to stage 1", "stage 2 serve"),
    "stage 2 serve(1)": ("row `serve[2]` belongs to stage 1, and holds the random `d`", "stage 2 serve"),
    "stage 1.5 y": ("`1.5` is no stage", "1 and 2"),
    "stage 1e400 y": ("`1e400` is no stage", "1 and 2"),
    "stage 2 y serve stage 1 y": ("`y[1]` is listed in stage 2 already", "once"),
    "stage 2 y serve cost": ("`cost` is an objective", "take it out"),
    "stage 2 y serve *": ("by name", "stagedefault"),
    "stage 2 -serve y": ("`-serve`", "drop the `-`"),
    "stage 2 y serve c": ("`c` is not random", "randvar c"),
    "stagedefault 1 stage 2 y serve stagedefault 1": ("a second `stagedefault`", "keep one"),
    "stage 1 d stage 2 y serve": ("known in stage 2 only", "stage 2 d"),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items(), ids=list(MISTAKES))
def test_mistakes(text: str, expected: tuple[str, str]) -> None:
    found = findings(model(), RANDOM + text)[0]
    assert found.code == "E27"
    assert expected[0] in found.message
    assert expected[1] in found.help
    assert found.span is not None and found.span.line == 2


def test_without_any_stage_the_place_is_that_of_what_is_random() -> None:
    found = findings(model(), "\nrandvar d discrete 0.5 1 0.5 2")[0]
    assert "belongs to stage 1, and holds the random `d`" in found.message
    assert found.span is not None and (found.span.line, found.span.column) == (2, 9)


def test_more_than_two_stages_are_refused_by_name() -> None:
    (found,) = findings(model(), RANDOM + "stage 2 y serve stage 3 top")
    assert (found.code, found.message) == ("R1", "stage 3: problems of more than two stages are not carried out")


def test_a_bound_may_not_be_known_late_for_what_is_decided_early() -> None:
    m = model()
    m.x.setub(m.d)
    assert "a bound of `x`, of stage 1, holds the random `d`" in findings(m, RANDOM + "stage 2 y serve")[0].message


def test_a_random_parameter_that_nothing_depends_on_is_told() -> None:
    problem = resolved(model(), RANDOM + "randvar c discrete 0.5 1 0.5 2\nstage 2 y serve")
    assert said(problem, "warning", "E27") == ["`c` is random, and nothing in the model depends on it"]
