from __future__ import annotations

import pyomo.environ as pyo

from tests.resolver.models import findings, mistakes, resolved
from tests.stochastic_models import LATE, THREE, newsvendor


def test_a_model_without_these_statements_is_no_stochastic_program() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.o = pyo.Objective(expr=m.x)
    assert resolved(m, "").stochastic is None


def test_the_parts_come_together() -> None:
    program = resolved(newsvendor(), THREE + LATE).stochastic
    assert program is not None
    assert [p.name for p in program.parameters] == ["d"]
    assert {v.name for v in program.second_variables} == {"s", "l", "i"}
    assert [r.name for r in program.second_rows] == ["demand", "stock"]


def test_stages_without_anything_random_are_a_mistake() -> None:
    (found,) = findings(newsvendor(), "stage 2 s l i demand stock")
    assert (found.code, found.message) == ("E26", "nothing is random")


def test_agents_and_uncertainty_exclude_each_other() -> None:
    m = newsvendor()
    m.low = pyo.Expression(expr=m.s)
    assert mistakes(m, THREE + "bilevel x min low s l i demand stock")[0] == "E8"
