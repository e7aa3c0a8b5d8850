"""``vi``: where pairs begin and end, zero functions, and the function that a row states."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from tests.resolver.models import mistakes, names, resolved, said


@pytest.fixture
def model() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2], bounds=(0, None))
    m.z = pyo.Var(bounds=(0, 1))
    m.F = pyo.Expression([1, 2], rule=lambda m, i: 2 * m.x[i] - 3)
    m.E = pyo.Constraint([1, 2], rule=lambda m, i: 2 * m.x[i] - m.z == 3)
    m.g = pyo.Constraint(expr=m.x[1] + m.x[2] >= 1)
    return m


def functions(model: Any, text: str) -> dict[str, str]:
    """Variable -> function of the only agent."""
    (agent,) = resolved(model, text).agents
    return {f.variable.name: "0" if f.expression is None else str(pyo.value(f.expression)) for f in agent.functions}


@pytest.mark.parametrize(
    "text",
    [
        "vi F x g",
        "vi F(1) x(1) F(2) x(2) g",
        "vi F(1) x(1)\n   F(2) x(2)\n   g",
        "equilibrium vi F x g",
        "vi F(2) x(2) F(1) x(1) g",
        "vi F(*) x(*) g",
    ],
)
def test_forms_that_mean_the_same(model: Any, text: str) -> None:
    model.E.deactivate()
    model.x[:].value = 5
    assert functions(model, text) == {"x[1]": "7", "x[2]": "7"}
    assert names(resolved(model, text).agents[0].rows) == ["g"]


def test_the_zero_function(model: Any) -> None:
    model.x[:].value = 1
    for text in ("vi z F x g E", "vi 0 z F x g E", "vi F x 0 z g E"):
        assert functions(model, text) == {"x[1]": "-1", "x[2]": "-1", "z": "0"}


def test_a_minus_negates_the_function(model: Any) -> None:
    model.x[:].value = 5
    assert functions(model, "vi z -F x g E") == {"z": "0", "x[1]": "-7", "x[2]": "-7"}


@pytest.mark.parametrize(
    ("row", "value", "warned"),
    [
        # F = stored body minus bound: z - 2 for == and >=, and for <= with a warning.
        (lambda z: z == 2, "3", False),
        (lambda z: z >= 2, "3", False),
        (lambda z: z - 2 >= 0, "3", False),
        (lambda z: z <= 2, "3", True),
        (lambda z: (-float("inf"), z - 2, 0), "3", True),
    ],
)
def test_a_row_as_a_function(row: Any, value: str, warned: bool) -> None:
    m = pyo.ConcreteModel()
    m.z = pyo.Var(initialize=5)
    m.F = pyo.Constraint(expr=row(m.z))
    assert float(functions(m, "vi F z")["z"]) == float(value)
    assert bool(said(resolved(m, "vi F z"), "warning", "E2")) == warned
    assert float(functions(m, "vi -F z")["z"]) == -float(value)


def test_a_range_is_no_function() -> None:
    m = pyo.ConcreteModel()
    m.z = pyo.Var()
    m.F = pyo.Constraint(expr=(0, m.z, 1))
    assert mistakes(m, "vi F z") == ["E2"]


def test_variables_on_both_sides_of_a_function_get_a_notice() -> None:
    # GAMS's bpvi: Pyomo keeps `-3 - z == w` as `-3 - z - w == 0`.
    m = pyo.ConcreteModel()
    m.z = pyo.Var(initialize=1)
    m.w = pyo.Var(initialize=1)
    m.F = pyo.Constraint(expr=-3 - m.z == m.w)
    assert functions(m, "vi z F w")["w"] == "-5"
    assert len(said(resolved(m, "vi z F w"), "notice", "E2")) == 1


def test_the_row_of_a_function_is_no_constraint(model: Any) -> None:
    problem = resolved(model, "vi z E x g")
    assert names(problem.consumed) == ["E[1]", "E[2]"]
    assert names(problem.agents[0].rows) == ["g"]


def test_a_deactivated_row_serves_as_a_function(model: Any) -> None:
    model.E.deactivate()
    assert names(resolved(model, "vi z E x g").agents[0].variables) == ["z", "x[1]", "x[2]"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("vi", "E18"),
        ("vi g", "E18"),
        ("vi F", "E7"),
        ("vi F x z g", "E7"),
        ("vi 1 z F x", "E7"),
        ("vi 0", "E7"),
        ("vi F z", "E6"),
        ("vi F -x", "E2"),
        ("vi -z F x", "E2"),
        ("vi F x *", "E5"),
        ("vi FF x g", "E1"),
        ("vi F xx g", "E1"),
        ("vi F x F x", "E3"),
    ],
)
def test_what_is_no_vi(model: Any, text: str, code: str) -> None:
    assert mistakes(model, text) == [code]


def test_a_fixed_variable_takes_its_function_with_it(model: Any) -> None:
    model.x[1].value = model.z.value = 0
    model.x[2].fix(1)
    assert list(functions(model, "vi z F x g E")) == ["z", "x[1]"]
