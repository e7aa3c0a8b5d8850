from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang import UsageError
from bilevel_lang.interoperation.multiplier_lookup import lookup_of
from tests.interoperation.models import two_followers

TRANSFORMATION = pyo.TransformationFactory("bilevel.kkt")


def transformed(model: Any, annotation: str) -> Any:
    TRANSFORMATION.apply_to(model, annotation=annotation)
    return model


def test_a_one_sided_row_has_one_multiplier_and_a_range_two() -> None:
    model, annotation, _ = two_followers()
    transformed(model, annotation)
    least = TRANSFORMATION.get_multiplier_from_object(model, model.least)
    lower, upper = TRANSFORMATION.get_multiplier_from_object(model, model.between)
    assert (least.bounds, lower.bounds, upper.bounds) == ((0, None), (0, None), (None, 0))
    for multiplier, row in ((least, model.least), (lower, model.between), (upper, model.between)):
        assert TRANSFORMATION.get_object_from_multiplier(model, multiplier) is row


@pytest.mark.parametrize("sense", ["min", "max"])
def test_what_is_found_at_the_solution_is_what_solve_reports(sense: str) -> None:
    """The same factors as the report, from which signs.md is tested against finite differences."""

    def build() -> tuple[Any, str]:
        m = pyo.ConcreteModel()
        m.z, m.x, m.w = pyo.Var(bounds=(0, 1)), pyo.Var(), pyo.Var(bounds=(3, 5))
        sign = 1 if sense == "min" else -1
        m.f = pyo.Expression(expr=sign * (m.x**2 / 2 + m.w))
        m.c = pyo.Constraint(expr=(2, m.x, 7))
        m.upper = pyo.Objective(expr=m.z)
        m.rc = pyo.Suffix(direction=pyo.Suffix.IMPORT)
        return m, f"bilevel z\n{sense} f x w c"

    model, annotation = build()
    solution = bl.solve(model, annotation)
    mpec, _ = build()
    mpec.del_component("rc")  # Pyomo refuses to load reduced costs from SCIP
    TRANSFORMATION.apply_to(mpec, annotation=annotation, encoding="sos1")
    pyo.SolverFactory("scip_direct").solve(mpec)
    of_row = pyo.value(TRANSFORMATION.get_reported_multiplier(mpec, mpec.c))
    of_bound = pyo.value(TRANSFORMATION.get_reported_multiplier(mpec, mpec.w))
    expected = 2 if sense == "min" else -2
    assert (of_row, solution.duals["c"]) == (pytest.approx(expected, abs=1e-5), pytest.approx(expected, abs=1e-5))
    assert (of_bound, model.rc[model.w]) == (pytest.approx(expected / 2, abs=1e-5), pytest.approx(expected / 2, abs=1e-5))


def test_a_dualvar_variable_is_the_multiplier() -> None:
    model, annotation, _ = two_followers()
    model.price = pyo.Var(bounds=(0, None))
    transformed(model, f"{annotation}\ndualvar price least")
    assert TRANSFORMATION.get_multiplier_from_object(model, model.least) is model.price
    assert TRANSFORMATION.get_object_from_multiplier(model, model.price) is model.least


def test_the_bound_of_an_objective_variable_is_a_side_of_that_variable() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y, m.cost = pyo.Var(bounds=(0, 1)), pyo.Var(), pyo.Var(bounds=(-9, None))
    m.total = pyo.Constraint(expr=m.cost == (m.y - m.x) ** 2)
    m.upper = pyo.Objective(expr=m.x)
    transformed(m, "bilevel x\nmin cost y total")
    lower, upper = TRANSFORMATION.get_multiplier_from_object(m, m.cost)
    assert (lower.bounds, upper) == ((0, None), None)
    assert TRANSFORMATION.get_object_from_multiplier(m, lower) is m.cost


def test_each_agent_has_its_own_multiplier_of_a_state_row_and_of_its_bounds() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, None))
    m.H = pyo.Constraint(expr=m.z == m.x + m.y)
    m.f = pyo.Expression(expr=(m.x - 1) ** 2 + m.z)
    m.g = pyo.Expression(expr=(m.y - 1) ** 2 + m.z)
    transformed(m, "equilibrium\nmin f x z\nmin g y z\nimplicit z H")
    for component in (m.H, m.z):
        with pytest.raises(UsageError, match="each of several agents"):
            TRANSFORMATION.get_multiplier_from_object(m, component)
    assert TRANSFORMATION.get_multiplier_from_object(m, m.H, agent="min f") is m.kkt.multiplier["min f.H"]
    lower, upper = TRANSFORMATION.get_multiplier_from_object(m, m.z, agent="min g")
    assert (lower, upper) == (m.kkt.bound_multiplier["min g.z.lower"], None)
    assert TRANSFORMATION.get_object_from_multiplier(m, lower) is m.z


def test_an_mpec_without_agents_has_no_multipliers() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.upper = pyo.Objective(expr=m.x)
    transformed(m, "")
    with pytest.raises(UsageError, match="`x` has no multiplier"):
        TRANSFORMATION.get_multiplier_from_object(m, m.x)


def test_two_multipliers_of_one_row_are_told_apart_by_the_agent() -> None:
    model, annotation, _ = two_followers()
    transformed(model, annotation)
    lookup = lookup_of(model)
    lookup.found[model.least]["min f"] = ("another", "another")
    with pytest.raises(UsageError, match="each of several agents"):
        lookup.entry(model.least, None)
    assert lookup.entry(model.least, "min f") == ("another", "another")
    with pytest.raises(UsageError, match="no multiplier of `min h`"):
        lookup.entry(model.least, "min h")


def test_lookups_refuse_what_they_do_not_know() -> None:
    model, annotation, _ = two_followers()
    with pytest.raises(UsageError, match="has not been applied"):
        TRANSFORMATION.get_kkt_block(model)
    transformed(model, annotation)
    with pytest.raises(UsageError, match="`x` has no multiplier"):
        TRANSFORMATION.get_multiplier_from_object(model, model.x)
    with pytest.raises(UsageError, match="`x` is no multiplier"):
        TRANSFORMATION.get_object_from_multiplier(model, model.x)
    with pytest.raises(UsageError, match="`upper` has no source"):
        TRANSFORMATION.get_src_component(model, model.upper)
