from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.linear.bounds import lps
from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.lps import ITERATIONS, bound_by_lps
from tests.reformulation.linear.random_followers import mpec_of


def covering() -> pyo.ConcreteModel:
    """min 3 y1 + 2 y2, y1 + y2 >= x + 1, y in [0, 10]: a point with room in every row is there for every x in [0, 3]."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 3)), pyo.Var([1, 2], bounds=(0, 10))
    m.e = pyo.Constraint(expr=m.y[1] + m.y[2] >= m.x + 1)
    m.f = pyo.Expression(expr=3 * m.y[1] + 2 * m.y[2])
    m.leader = pyo.Objective(expr=m.x)
    return m


def test_with_room_in_every_row_all_multipliers_are_bounded() -> None:
    mpec = mpec_of(covering(), "bilevel x\nmin f y e")
    box = Box(mpec.program.lower, mpec.program.upper)
    outcome = bound_by_lps(mpec, box, mpec.right.tolist(), {}, ITERATIONS)
    assert outcome.moved and outcome.left == 0
    found = box.upper[mpec.right]
    # At x in (-1, 3] the price of a unit is 2, y1 is at its lower bound with 1.
    assert np.isfinite(found).all()
    assert found[0] >= 2
    assert "LP" in box.origin[int(mpec.right[0])]


def test_opposite_sides_grow_together_in_the_relaxation_only() -> None:
    m = covering()
    m.y[1].setub(1)
    m.e.set_value(m.y[1] >= m.x / 3)  # y1 is squeezed onto 1 at x = 3: no room there
    mpec = mpec_of(m, "bilevel x\nmin f y e")
    names = list(mpec.names())
    low, up = (int(mpec.right[names.index(f"y[2].{word}")]) for word in ("lower", "upper"))
    alone, together = (Box(mpec.program.lower, mpec.program.upper) for _ in range(2))
    alone.upper[mpec.left] = np.inf
    bound_by_lps(mpec, together, [low, up], {low: up, up: low}, ITERATIONS)
    assert together.upper[low] == pytest.approx(2, abs=1e-4)
    assert together.upper[up] == pytest.approx(0, abs=1e-4)


def test_a_budget_is_kept_and_what_is_left_is_counted() -> None:
    mpec = mpec_of(covering(), "bilevel x\nmin f y e")
    box = Box(mpec.program.lower, mpec.program.upper)
    outcome = bound_by_lps(mpec, box, mpec.right.tolist(), {}, 1)
    assert outcome.left >= len(mpec.right) - 1


def test_large_problems_get_fewer_lps(monkeypatch: pytest.MonkeyPatch) -> None:
    mpec = mpec_of(covering(), "bilevel x\nmin f y e")
    box = Box(mpec.program.lower, mpec.program.upper)
    monkeypatch.setattr(lps, "WORK", 2 * (mpec.program.rows + mpec.program.columns + 1))
    assert bound_by_lps(mpec, box, mpec.right.tolist(), {}, ITERATIONS).left == len(mpec.right) - 2


def test_an_infeasible_relaxation_is_found() -> None:
    m = covering()
    m.never = pyo.Constraint(expr=m.y[1] + m.y[2] >= 30)
    mpec = mpec_of(m, "bilevel x\nmin f y e")
    box = Box(mpec.program.lower, mpec.program.upper)
    bound_by_lps(mpec, box, mpec.right.tolist(), {}, ITERATIONS)
    assert box.empty
