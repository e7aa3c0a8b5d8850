"""Chance constraints against enumeration of the scenarios that may be given up."""

from __future__ import annotations

import itertools
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError

DEMANDS, P = (10, 20, 30, 40, 50), (0.1, 0.2, 0.4, 0.2, 0.1)
LAW = "randvar d discrete 0.1 10 0.2 20 0.4 30 0.2 40 0.1 50\n"


def model() -> Any:
    m = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=1, mutable=True)
    m.x, m.z = pyo.Var(bounds=(0, 100)), pyo.Var(bounds=(0, 100))
    m.y = pyo.Var(bounds=(0, 5))
    m.serve = pyo.Constraint(expr=m.x + m.y >= m.d)
    m.store = pyo.Constraint(expr=m.x - m.d <= m.z)
    m.cost = pyo.Objective(expr=2 * m.x + 3 * m.y + m.z)
    return m


def by_hand(probability: float, joint: bool) -> float:
    """The cheapest of all choices of scenarios whose rows may be broken."""
    best = float("inf")
    for kept in itertools.product((True, False), repeat=5):
        if sum(p for p, k in zip(P, kept, strict=True) if k) < probability - 1e-9:
            continue
        for tenth in range(601):
            x = tenth / 10
            needs = [max(0, d - x) if k else 0 for d, k in zip(DEMANDS, kept, strict=True)]
            stored = [max(0, x - d) if k or not joint else 0 for d, k in zip(DEMANDS, kept, strict=True)]
            if max(needs) <= 5:
                best = min(best, 2 * x + sum(p * 3 * n for p, n in zip(P, needs, strict=True)) + max(stored))
    return best


@pytest.mark.parametrize("probability", [0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("joint", [False, True], ids=["one row", "two rows together"])
def test_against_enumeration(probability: float, joint: bool) -> None:
    rows = "serve store" if joint else "serve"
    answer = bl.solve(model(), f"{LAW}stage 2 y serve store chance {rows} {probability}")
    assert answer.status.value == "optimal"
    assert answer.objective == pytest.approx(by_hand(probability, joint))
    assert answer.stochastic is not None
    ((named, wanted, reached),) = answer.stochastic.chances
    assert named == rows
    assert wanted == probability
    assert reached >= probability - 1e-9


def test_two_chances_are_two_budgets() -> None:
    both = bl.solve(model(), f"{LAW}stage 2 y serve store chance serve 0.9 chance store 0.9")
    together = bl.solve(model(), f"{LAW}stage 2 y serve store chance serve store 0.9")
    assert both.objective is not None and together.objective is not None
    assert both.objective <= together.objective + 1e-9


def test_a_row_with_two_sides_or_without_bounds_is_refused() -> None:
    m = model()
    m.serve.set_value(pyo.inequality(0, m.x + m.y - m.d, 9))
    with pytest.raises(RefusedError, match="row `serve` has two sides"):
        bl.solve(m, f"{LAW}stage 2 y serve store chance serve 0.9")
    m = model()
    m.x.setlb(None)
    m.x.setub(None)
    m.store.deactivate()
    with pytest.raises(RefusedError, match=r"chance constraint on `serve` needs a big-M[\s\S]*bounds"):
        bl.solve(m, f"{LAW}stage 2 y serve chance serve 0.9")
