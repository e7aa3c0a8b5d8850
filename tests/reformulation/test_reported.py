"""Names, terms and places of reported multipliers, each name once."""

from __future__ import annotations

import pyomo.environ as pyo

import bilevel_lang as bl
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.reported import Reported
from tests.reformulation.problems import KNOWN


def problem_named(name: str) -> BilevelProblem:
    known = next(k for k in KNOWN if k.name == name)
    return bl.resolve(known.build(), known.annotation)


def test_what_is_read_is_what_was_added() -> None:
    problem = problem_named("linear")
    rows = problem.agents[0].rows
    reported = Reported(problem)
    reported.add("b", ((1.0, "v"),), 0, 1)
    reported.add("a", ((-1.0, "w"),), 0, 0)
    reported.add("c", ((1.0, "t"), (1.0, "u")), 0, 2)
    assert [m.name for m in reported] == ["b", "a", "c"] and len(reported) == 3
    assert [m.expression for m in reported] == [((1.0, "v"),), ((-1.0, "w"),), ((1.0, "t"), (1.0, "u"))]
    assert [m.component for m in reported] == [rows[k].component for k in (1, 0, 2)]
    assert [m.name for m in reported[1:]] == ["a", "c"] and reported[-1].name == "c"
    assert [(name, agent, row) for name, _, agent, row in reported.placed()] == [("b", 0, 1), ("a", 0, 0), ("c", 0, 2)]


def test_a_multiplier_that_several_agents_have_counts_once() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.f, m.g = pyo.Expression(expr=m.x**2), pyo.Expression(expr=m.y**2)
    m.e, m.d = pyo.Constraint(expr=m.x >= 1), pyo.Constraint(expr=m.y >= 1)
    reported = Reported(bl.resolve(m, "equilibrium\nmin f x e\nmin g y d"))
    for agent, name in ((0, "e"), (1, "e"), (1, "d")):
        reported.add(name, ((1.0, f"of {agent}"),), agent, 0)
    assert [(m.name, m.expression) for m in reported] == [("e", ((1.0, "of 0"),)), ("d", ((1.0, "of 1"),))]
