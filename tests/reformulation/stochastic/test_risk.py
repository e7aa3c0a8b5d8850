"""Measures of risk against their definitions, and against enumeration of the newsvendor's orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.stochastic.risk import value_of_measure
from tests.stochastic_models import RISKY, newsvendor, newsvendor_with_profit, profits

P = np.array([0.4, 0.3, 0.3])


def best(measure: Any) -> float:
    """The largest value of a measure over a fine grid of orders; the optimum of a piecewise linear one is at a kink on it."""
    return max(measure(np.array(profits(x))) for x in np.arange(0, 200.5, 0.5))


def tail(kind: str, level: float) -> Any:
    return lambda outcomes: value_of_measure(kind, level, outcomes, P)


@pytest.mark.parametrize(
    ("kind", "level", "value"),
    [
        ("cvarup", 0.4, 90.0),
        ("cvarup", 0.5, (0.4 * 90 + 0.1 * 60) / 0.5),
        ("cvarlo", 0.3, 30.0),
        ("cvarlo", 0.4, (0.3 * 30 + 0.1 * 60) / 0.4),
        ("varup", 0.4, 60.0),
        ("varup", 0.39, 90.0),
        ("varlo", 0.3, 60.0),
        ("varlo", 0.29, 30.0),
        ("expectedvalue", 1.0, 63.0),
    ],
)
def test_definitions_by_hand(kind: str, level: float, value: float) -> None:
    assert value_of_measure(kind, level, np.array([90.0, 60.0, 30.0]), P) == pytest.approx(value)


def test_cvar_is_the_limit_of_the_mean_beyond_the_quantile() -> None:
    draws = np.random.default_rng(0).normal(size=200_000)
    found = value_of_measure("cvarup", 0.05, draws, np.full(draws.size, 1 / draws.size))
    # phi(1.645) / 0.05 for the standard normal law.
    assert found == pytest.approx(2.0627, abs=0.02)


@pytest.mark.parametrize("level", [0.1, 0.3, 0.35, 0.5])
def test_the_best_mean_of_the_worst_profits(level: float) -> None:
    answer = bl.solve(newsvendor_with_profit(), f"{RISKY}cvarlo p {level}")
    assert answer.status.value == "optimal"
    assert answer.objective == pytest.approx(best(tail("cvarlo", level)))
    assert answer.stochastic is not None
    (risk,) = answer.stochastic.risks
    assert risk.value == pytest.approx(answer.objective)
    assert answer.stochastic.evpi is None


def test_a_mixture_of_the_mean_and_the_tail() -> None:
    m = newsvendor_with_profit()
    m.best.expr = 0.75 * m.ev + 0.25 * m.c
    answer = bl.solve(m, RISKY + "expectedvalue p ev cvarlo p c 0.3")
    expected = best(lambda o: 0.75 * P @ o + 0.25 * tail("cvarlo", 0.3)(o))
    assert answer.objective == pytest.approx(expected)
    assert answer.variables["c"] == pytest.approx(tail("cvarlo", 0.3)(np.array(profits(answer.variables["x"]))))
    assert answer.verified


def test_a_tail_in_a_row() -> None:
    m = newsvendor_with_profit()
    m.best.expr = m.ev
    m.floor = pyo.Constraint(expr=m.c >= 300)
    answer = bl.solve(m, RISKY + "expectedvalue p ev cvarlo p c 0.3")
    outcomes = np.array(profits(answer.variables["x"]))
    assert tail("cvarlo", 0.3)(outcomes) == pytest.approx(300)
    assert answer.objective == pytest.approx(P @ outcomes)
    # A little more would be better in the mean, and breaks the row.
    more = np.array(profits(answer.variables["x"] + 1))
    assert P @ more > answer.objective
    assert tail("cvarlo", 0.3)(more) < 300


@pytest.mark.parametrize("level", [0.25, 0.3, 0.5])
def test_the_best_quantile(level: float) -> None:
    answer = bl.solve(newsvendor_with_profit(), f"{RISKY}varlo p {level}")
    assert answer.objective == pytest.approx(best(tail("varlo", level)))
    assert answer.verified


@pytest.mark.parametrize("kind", ["cvarup", "varup"])
def test_the_direction_that_is_not_convex_is_refused(kind: str) -> None:
    with pytest.raises(RefusedError, match=r"only where the model wants it small"):
        bl.solve(newsvendor_with_profit(), f"{RISKY}{kind} p 0.1")


def test_a_row_from_the_wrong_side_is_refused() -> None:
    m = newsvendor_with_profit()
    m.ceiling = pyo.Constraint(expr=m.c <= 300)
    with pytest.raises(RefusedError, match=r"only where the model wants it large"):
        bl.solve(m, RISKY + "cvarlo p c 0.1")
    m = newsvendor_with_profit()
    m.best.expr = m.c
    m.c.setub(300)
    with pytest.raises(RefusedError, match=r"only where the model wants it large"):
        bl.solve(m, RISKY + "cvarlo p c 0.1")


def test_a_variable_that_the_objective_does_not_have_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"`i` is not in the objective[\s\S]*cvarup i c 0.1"):
        bl.solve(newsvendor_with_profit(), RISKY + "cvarup i 0.1")


def test_a_quantile_without_any_bound_is_refused() -> None:
    m = newsvendor_with_profit()
    m.x.setub(None)
    with pytest.raises(RefusedError, match=r"VaR of `p` needs a bound"):
        bl.solve(m, RISKY + "varlo p 0.1")


PRICED, PAID = (lambda m: m.z + m.k * m.c), (lambda m: m.z + m.v)


def weighted(weights: tuple[float, float, float], body: Any) -> Any:
    """The newsvendor with a loss ``z``, and its CVaR ``c`` at a random price ``k`` (for the demands 90, 60, 30)."""
    m = newsvendor()
    m.del_component(m.profit)
    m.k = pyo.Param(initialize=1, mutable=True)
    m.z, m.c, m.v = pyo.Var(), pyo.Var(), pyo.Var(bounds=(0, None))
    m.loss = pyo.Constraint(expr=m.z == 30 * m.x - 60 * m.s + 10 * m.i + 5 * m.l)
    m.cost = pyo.Objective(expr=body(m))
    if body is PAID:
        m.pay = pyo.Constraint(expr=m.v >= m.k * m.c)
    rows = " ".join(f"{p} {d} {k}" for p, d, k in zip((0.4, 0.3, 0.3), (90, 60, 30), weights, strict=True))
    more = " pay v" if body is PAID else ""
    return bl.solve(m, f"jrandvar d k {rows}\nstage 2 s l i demand stock z loss{more}\ncvarup z c 0.3")


@pytest.mark.parametrize("weights", [(0, 1, 2), (2, 1, 0), (-1, 2, 2)])
def test_a_measure_may_have_a_random_price(weights: tuple[float, float, float]) -> None:
    mean = float(P @ np.array(weights))
    losses = [-np.array(profits(x)) for x in np.arange(0, 200.5, 0.5)]
    expected = min(float(P @ z) + mean * value_of_measure("cvarup", 0.3, z, P) for z in losses)
    assert weighted(weights, PRICED).objective == pytest.approx(expected)


@pytest.mark.parametrize("weights", [(0, 1, 2), (2, 1, 0)])
def test_a_measure_may_have_a_random_coefficient_in_a_row(weights: tuple[float, float, float]) -> None:
    losses = [-np.array(profits(x)) for x in np.arange(0, 200.5, 0.5)]
    paid = [float(P @ np.maximum(0.0, np.array(weights) * value_of_measure("cvarup", 0.3, z, P))) for z in losses]
    expected = min(float(P @ z) + v for z, v in zip(losses, paid, strict=True))
    assert weighted(weights, PAID).objective == pytest.approx(expected)


@pytest.mark.parametrize(("weights", "body"), [((0, -1, -2), PRICED), ((0, -1, -2), PAID), ((1, -1, 1), PAID)])
def test_the_direction_is_looked_at_in_every_scenario(weights: tuple[float, float, float], body: Any) -> None:
    with pytest.raises(RefusedError, match="wants it small"):
        weighted(weights, body)
