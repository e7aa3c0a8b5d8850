from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.stochastic.expectation import expected, mixed
from tests.reformulation.stochastic.test_decomposition import servers
from tests.stochastic_models import LATE, newsvendor


def test_an_infinite_cost_is_infinite_however_improbable() -> None:
    weights = np.array([0.0, 0.25, 0.75])
    values = np.array([[1.0, 2.0, 4.0], [np.inf, 2.0, 4.0], [-np.inf, 2.0, 4.0], [np.inf, -np.inf, 4.0]])
    assert expected(values, weights).tolist() == [3.5, np.inf, -np.inf, np.inf]
    assert [float(expected(row, weights)) for row in values] == [3.5, np.inf, -np.inf, np.inf]


def test_improbable_scenarios_come_last() -> None:
    order = mixed(np.array([0.0, 0.5, 0.0, 0.25, 0.25]), 3)
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert sorted(order[3:]) == [0, 2]


METHODS = ("extensive-form", "l-shaped", "nn-embed")


def parity() -> Any:
    """Where d is odd only x = 1 leaves an even number, where it is even only x = 0 does."""
    m = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=2, mutable=True)
    m.x, m.y = pyo.Var(domain=pyo.Binary), pyo.Var(domain=pyo.Integers, bounds=(0, 10))
    m.even = pyo.Constraint(expr=2 * m.y >= m.d + m.x)
    m.odd = pyo.Constraint(expr=2 * m.y <= m.d + m.x)
    m.cost = pyo.Objective(expr=m.y - 5 * m.x)
    return m


@pytest.mark.parametrize("method", METHODS)
def test_a_scenario_of_probability_zero_has_to_have_an_answer(method: str) -> None:
    assert bl.solve(parity(), "randvar d discrete 0 3 1 4 stage 2 y even odd", method=method).status.value == "infeasible"
    assert bl.solve(parity(), "randvar d discrete 0 6 1 4 stage 2 y even odd", method=method).objective == pytest.approx(2)


@pytest.mark.parametrize("method", ["extensive-form", "nn-embed"])
def test_it_rules_out_decisions_of_a_linear_program_and_costs_nothing(method: str) -> None:
    # At most 20 may be lost: a demand of 120, improbable as it is, takes 100 in stock, where 60 are best.
    m = newsvendor()
    m.l.setub(20)
    answer = bl.solve(m, "randvar d discrete 0 120 0.4 90 0.3 60 0.3 30\n" + LATE, method=method)
    assert answer.variables["x"] == pytest.approx(100)
    assert answer.objective == pytest.approx(0.4 * 2300 + 0.3 * 200 + 0.3 * -1900)
    assert answer.verified


@pytest.mark.parametrize("network", ["auto", "relu"])
def test_many_of_them_change_nothing(network: str) -> None:
    m, text = servers(2)
    expected_value = bl.solve(m, text, method="extensive-form").objective
    law, stages = text.split("\n")
    words = law.split()
    more = " ".join([*words[:6], *(["0", "1", "1", "1", "1", "1"] * 12), *words[6:]])
    for method in METHODS if network == "auto" else ("nn-embed",):
        nn = NnOptions() if network == "auto" else NnOptions(network=network, samples=12, layers=(4,))
        answer = (
            bl.solve(m, f"{more}\n{stages}", method=method, nn=nn)
            if method == "nn-embed"
            else bl.solve(m, f"{more}\n{stages}", method=method)
        )
        assert answer.objective is not None and expected_value is not None
        assert answer.verified
        if network == "auto":
            assert answer.objective == pytest.approx(expected_value)
        else:
            assert answer.objective >= expected_value - 1e-6
