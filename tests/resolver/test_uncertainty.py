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


def test_a_law_with_a_mistake_is_not_told_a_second_time_as_a_parameter_without_one() -> None:
    # `stage 2 d` after it would be a mistake only if `d` had no law at all.
    for law in ("discrete 0.5 1 0.4 2", "normal 1", "discrete 0.5"):
        (found,) = findings(newsvendor(), f"randvar d {law} stage 2 d s l i demand stock")
        assert found.code == "E26"
    (found,) = findings(newsvendor(), "scenarios 'nowhere.csv' stage 2 d s l i demand stock")
    assert (found.code, found.span is not None and found.span.column) == ("E26", 1)


def test_values_that_a_parameter_cannot_have_are_told_at_once() -> None:
    m = newsvendor()
    m.del_component(m.d)
    m.d = pyo.Param(initialize=60, mutable=True, within=pyo.NonNegativeReals)
    m.s.setub(m.d)
    text = "randvar d discrete 0.5 90 0.5 -30 stage 2 s l i demand stock"
    (found,) = [f for f in findings(m, text) if f.severity == "error"]
    assert (found.code, text[found.span.start : found.span.end] if found.span else "") == ("E26", "d")
    assert resolved(m, text.replace("-30", "30")).stochastic is not None
