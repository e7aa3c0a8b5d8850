from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_recourse.box_search import OF_FEW, WORTH, BoxSearch
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.registry import choose
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.solution import Status
from tests.reformulation.stochastic.test_answer_parts import acquisition_model


@pytest.mark.parametrize("sense", [1, -1])
def test_the_answer_is_that_of_the_extensive_form(sense: int) -> None:
    m, text = acquisition_model(sense=sense)
    found = bl.solve(m, text, method="boxes", gap=1e-3)
    other = bl.solve(m, text, method="extensive-form", gap=0.0)
    assert found.status is Status.OPTIMAL and found.method == "boxes"
    assert found.objective == pytest.approx(other.objective, rel=1e-3)
    assert found.bound is not None and found.objective is not None and other.objective is not None
    assert sense * found.bound <= sense * other.objective + 1e-6 <= sense * found.objective + 2e-6
    assert found.certificate is not None and found.certificate.verified


def few(costs: float = 1.0, most: float | None = 10.0) -> tuple[Any, str]:
    """Room that is bought, and whole lots that are brought to it."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, most))
    m.d = pyo.Param(initialize=3.0, mutable=True)
    m.y = pyo.Var([1, 2], domain=pyo.NonNegativeIntegers, bounds=(0, 3))
    m.room = pyo.Constraint(expr=2.3 * m.y[1] + 1.7 * m.y[2] <= m.x)
    m.lots = pyo.Constraint(expr=m.y[1] + m.y[2] <= m.d)
    m.cost = pyo.Objective(expr=costs * m.x - 3 * m.y[1] - 2 * m.y[2])
    return m, "randvar d discrete 0.5 1 0.25 2 0.25 5\nstage 2 d y room lots\n"


def test_of_one_column_the_last_digit_is_found() -> None:
    m, text = few()
    found = bl.solve(m, text, method="boxes", gap=1e-9)
    # One lot is brought in every scenario: 2.3 - 3 = -0.7. A second one pays in half of them: 3 / 2 < 2.3.
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(-0.7, abs=1e-9)
    assert found.variables["x"] == pytest.approx(2.3, abs=1e-8)


def test_auto_takes_boxes_where_the_extensive_form_is_large() -> None:
    m, text = few()
    scenarios = math.ceil(OF_FEW / 2)
    law = "".join(f" {1 / scenarios!r} {k % 6}" for k in range(scenarios))
    large = bl.resolve(m, text.replace(" 0.5 1 0.25 2 0.25 5", law))
    assert choose(large, Options())[0].name == "boxes"
    rewrite, path = choose(bl.resolve(*few()), Options())
    assert rewrite.name == "extensive-form"
    assert any("refused   boxes: the extensive form, with 6 integers" in line and "ask for it" in line for line in path)
    assert WORTH > OF_FEW


def test_what_is_not_whole_and_what_cannot_be_listed_is_refused_by_name() -> None:
    m, text = few()
    m.z = pyo.Var(bounds=(0, 1))
    m.some = pyo.Constraint(expr=m.z <= m.y[1])
    verdict = BoxSearch().accepts(bl.resolve(m, text.replace("lots\n", "lots z some\n")), Options(method="boxes"))
    assert isinstance(verdict, Refusal) and "`z` of the second stage is not whole" in verdict.reason
    with pytest.raises(RefusedError, match="`x` has no upper bound"):
        bl.solve(*few(most=None), method="boxes")
    m, text = few()
    m.room.set_value(2.3 * m.y[1] + 1.7 * m.y[2] <= m.d * m.x)
    with pytest.raises(RefusedError, match="coefficients of decisions in its rows are random"):
        bl.solve(m, text, method="boxes")
    m, text = few()
    m.room.set_value(2.3 * m.y[1] + 1.7 * m.y[2] <= 4)
    with pytest.raises(RefusedError, match="sees no decision"):
        bl.solve(m, text, method="boxes")
    with pytest.raises(RefusedError, match="tie the scenarios together"):
        bl.solve(*(few()[0], few()[1] + "chance lots 0.9\n"), method="boxes")


def test_no_decision_at_all_is_proven() -> None:
    m, text = few()
    m.must = pyo.Constraint(expr=m.y[1] + m.y[2] >= 2)
    found = bl.solve(m, text.replace("lots\n", "lots must\n"), method="boxes")
    assert found.status is Status.INFEASIBLE


def test_a_time_limit_leaves_a_bound_and_a_decision(capfd: pytest.CaptureFixture[str]) -> None:
    m, text = acquisition_model(periods=3, scenarios=40)
    found = bl.solve(m, text, method="boxes", gap=1e-9, time_limit=1.0, verbose=True)
    assert found.status is Status.LIMIT
    assert found.bound is not None and found.objective is not None
    assert found.bound < found.objective
    assert "boxes" in capfd.readouterr().err
