from __future__ import annotations

import dataclasses

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.statements import STATEMENTS, unknown_statement

CARRIED = {
    "dualvar": ("row", "bilevel x\nmin f y row\ndualvar p row"),
    "vi": ("row", "bilevel x p\nvi F y row"),
    "visol": ("row", "visol row\nequilibrium\nmin f y row\nmin g x p row"),
    "sharedequ": ("row", "sharedequ row\nequilibrium\nmin f y row\nmin g x p row"),
    "qvi": ("row", "bilevel x\nqvi F y p row"),
    "implicit": ("state", "implicit p state\nequilibrium\nmin f y p state\nmin g x p state"),
    "disjunction": ("low high", "bilevel x p b\nmin f y\ndisjunction b low else high"),
    "stage": ("row", "randvar r discrete 0.5 1 0.5 2\nstage 2 y row"),
    "adjustequ": ("row low", "bilevel x p\nmin f y row\nadjustequ low abs 3"),
}


def model(rows: str) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x, m.p, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 4))
    m.b = pyo.Var(domain=pyo.Binary)
    m.r = pyo.Param(initialize=1, mutable=True)
    m.f, m.g, m.F = pyo.Expression(expr=m.y + m.p * m.y), pyo.Expression(expr=m.x), pyo.Expression(expr=m.y - m.x)
    m.row = pyo.Constraint(expr=m.y + m.x >= 2)
    m.state = pyo.Constraint(expr=m.p == m.y + m.x)
    m.low, m.high = pyo.Constraint(expr=m.x <= 1), pyo.Constraint(expr=m.x >= 3)
    for row in (m.row, m.state, m.low, m.high):
        if row.name not in rows.split():
            row.deactivate()
    return m


def problem(statement: str) -> BilevelProblem:
    rows, annotation = CARRIED[statement]
    m = model(rows)
    if "equilibrium" not in annotation:
        m.top = pyo.Objective(expr=m.x + m.y)
    return bl.resolve(m, annotation)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_statement_is_seen_and_may_be_known(statement: str) -> None:
    found = problem(statement)
    assert unknown_statement(found) == statement
    assert unknown_statement(found, statement) is None
    assert unknown_statement(found, *(set(STATEMENTS) - {statement})) == statement


def test_whatever_the_language_learns_is_in_the_table() -> None:
    """A field of the problem that is none of these carries a statement, and readers have to be able to say that they lack it."""
    ordinary = {"model", "structure", "leader", "agents", "definitions", "consumed", "notices", "summary", "source", "wildcards"}
    carried = {"dual_maps", "links", "shared_rows", "state_variables", "disjunctions", "softening", "stochastic"}
    assert {field.name for field in dataclasses.fields(BilevelProblem)} == ordinary | carried


def test_a_leader_and_a_follower_are_known_to_all() -> None:
    m = model("row")
    m.top = pyo.Objective(expr=m.x)
    assert unknown_statement(bl.resolve(m, "bilevel x p b\nmin f y row")) is None
