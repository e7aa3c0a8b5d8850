"""Classes of stationary points known from the literature (Scheel and Scholtes 2000; Flegel and Kanzow 2005) or by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

from bilevel_lang.analysis import stationarity
from bilevel_lang.analysis.linearised import linearise
from bilevel_lang.analysis.stationarity import classify
from bilevel_lang.reformulation.complementarity.pairs import take_pairs
from bilevel_lang.solution import Stationarity

Rows = Callable[[Any], list[Any]]


def at_origin(
    objective: Callable[[Any], Any], rows: Rows | None = None, pairs: int = 1, sense: Any = pyo.minimize
) -> Stationarity:
    """``0 <= x1 _|_ x2 >= 0`` (and so on for more pairs), one more free variable, at the origin."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(1, 2 * pairs + 2), initialize=0.0)
    m.f = pyo.Objective(expr=objective(m.x), sense=sense)
    m.pair = Complementarity(range(pairs), rule=lambda m, k: complements(m.x[2 * k + 1] >= 0, m.x[2 * k + 2] >= 0))
    m.row = pyo.ConstraintList()
    for row in rows(m.x) if rows else []:
        m.row.add(row)
    _, found = take_pairs(m)
    return classify(linearise(m, found))


@pytest.mark.parametrize(
    ("objective", "multipliers", "descent"),
    [
        (lambda x: x[1] + x[2], "S", False),
        (lambda x: x[1], "S", False),
        (lambda x: (x[1] - 1) ** 2 + (x[2] - 1) ** 2, "C", True),  # both multipliers -2
        (lambda x: x[1] - x[2], "W", True),  # 1 and -1
        (lambda x: -x[2], "M", True),  # 0 and -1
        (lambda x: x[3], None, True),  # the free variable is in nothing else
    ],
)
def test_one_pair_by_the_signs_of_the_gradient(objective: Any, multipliers: str | None, descent: bool) -> None:
    """Without rows the multipliers of the pair are the partial derivatives: unique (MPEC-LICQ), so that B = S."""
    found = at_origin(objective)
    assert found.multipliers == multipliers
    assert found.descent is descent
    assert found.kind == multipliers
    assert (found.pairs, found.biactive) == (1, 1)
    assert (found.descent is False) == (found.multipliers == "S")


def test_maximisation_turns_the_signs() -> None:
    assert at_origin(lambda x: -x[1] - x[2], sense=pyo.maximize).kind == "S"
    assert at_origin(lambda x: x[1] + x[2], sense=pyo.maximize).kind == "C"


def test_a_minimiser_that_is_not_strongly_stationary() -> None:
    """Scheel and Scholtes (2000), example 3: min x1 + x2 - x3, -4 x1 + x3 <= 0, -4 x2 + x3 <= 0. The origin is the solution."""
    found = at_origin(lambda x: x[1] + x[2] - x[3], lambda x: [-4 * x[1] + x[3] <= 0, -4 * x[2] + x[3] <= 0])
    assert found.kind == "B"
    assert found.multipliers == "M"
    assert found.descent is False


def test_where_multipliers_are_not_unique_the_strongest_counts() -> None:
    """x1 + x2 with the row x1 >= 0 once more: its multiplier may take what makes the pair's negative, and need not."""
    assert at_origin(lambda x: x[1] + x[2], lambda x: [x[1] >= 0]).kind == "S"
    # Here -1 on x1 can only come from the pair: the row pushes the other way.
    assert at_origin(lambda x: -x[1] + 0 * x[2], lambda x: [x[1] >= 0]).multipliers == "M"
    # x1 <= 0 pins x1: then the pair's own multiplier may be 0, and x2 is free to be bounded below by 0.
    assert at_origin(lambda x: -x[1] + x[2], lambda x: [x[1] <= 0]).kind == "S"


def test_several_pairs_take_the_weakest() -> None:
    assert at_origin(lambda x: x[1] + x[2] - x[4], pairs=2).kind == "M"
    assert at_origin(lambda x: -x[1] - x[2] - x[4], pairs=2).kind == "C"
    assert at_origin(lambda x: x[1] - x[2] - x[3] - x[4], pairs=2).kind == "W"


def test_a_pair_with_one_side_away_from_zero_is_a_row() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(initialize=0.0), pyo.Var(initialize=1.0)
    m.f = pyo.Objective(expr=-m.x + (m.y - 1) ** 2)
    m.pair = Complementarity(expr=complements(m.x >= 0, m.y >= 0))
    found = classify(linearise(m, take_pairs(m)[1]))
    assert (found.kind, found.biactive) == ("S", 0)


def test_the_bottom_of_a_square_is_stationary_up_to_rounding() -> None:
    """The gradient 2e-8 * (10, 1) points somewhere, but only as rounding does."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(initialize=1.0 + 1e-7), pyo.Var(initialize=1e-8)
    m.f = pyo.Objective(expr=(m.x - 1) ** 2 + m.y**2)
    m.pair = Complementarity(expr=complements(m.x >= 0, m.y >= 0))
    found = classify(linearise(m, take_pairs(m)[1]))
    assert (found.kind, found.descent) == ("S", False)


def test_too_many_biactive_pairs_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stationarity, "LPEC_PAIRS", 0)
    found = at_origin(lambda x: -x[2])
    assert (found.kind, found.descent) == ("M", None)
    assert "not computed" in found.how


def test_too_large_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stationarity, "LARGEST", 0)
    found = at_origin(lambda x: x[1])
    assert found.kind is None
    assert found.how.startswith("not computed")
