from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity import finish
from bilevel_lang.reformulation.complementarity.finish import Budget

pytest.importorskip("casadi")


def test_a_budget_without_a_limit_is_never_spent() -> None:
    assert (Budget(None).left(), Budget(None).spent) == (None, False)
    assert Budget(1e-12).spent
    assert Budget(1e-12).left(0.1) == 0.1


def trap(seed: int) -> tuple[Any, float]:
    """Three pairs with a convex quadratic objective; the least value over all eight pieces by brute force."""
    random = np.random.default_rng(seed)
    target = random.uniform(0.2, 2.0, 6)
    coupling = random.uniform(-0.4, 0.4, (6, 6))
    hessian = np.eye(6) * random.uniform(1, 3, 6) + coupling @ coupling.T
    m = pyo.ConcreteModel()
    m.z = pyo.Var(range(6), bounds=(0, 10))
    m.cost = pyo.Objective(
        expr=sum(hessian[i, j] * (m.z[i] - target[i]) * (m.z[j] - target[j]) for i in range(6) for j in range(6))
    )
    m.c = Complementarity(range(3), rule=lambda _, k: complements(m.z[2 * k] >= 0, m.z[2 * k + 1] >= 0))
    return m, min(_piece(hessian, target, zeros) for zeros in itertools.product((0, 1), repeat=3))


def _piece(hessian: Any, target: Any, zeros: tuple[int, ...]) -> float:
    """Projected gradient on the box with one side of each pair at 0."""
    upper = np.full(6, 10.0)
    for k, side in enumerate(zeros):
        upper[2 * k + side] = 0.0
    z, step = np.clip(target, 0, upper), 0.5 / np.linalg.eigvalsh(hessian)[-1]
    for _ in range(3000):
        z = np.clip(z - step * 2 * hessian @ (z - target), 0, upper)
    return float((z - target) @ hessian @ (z - target))


@pytest.mark.parametrize("seed", range(3))
def test_from_one_start_to_a_piece_without_better_neighbours(seed: int) -> None:
    m, best = trap(seed)
    solution = bl.solve(m, "", encoding="scholtes", starts=2)
    assert solution.objective is not None
    assert solution.objective >= best - 1e-6
    assert solution.objective == pytest.approx(best, rel=1e-5)


def test_neighbours_are_what_leads_out_of_a_bad_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    # The start is the minimum of the worse piece, and with a mu this small the descent stays there.
    def solved() -> float:
        m = pyo.ConcreteModel()
        m.x, m.y = pyo.Var(bounds=(0, 9), initialize=0.0), pyo.Var(bounds=(0, 9), initialize=1.0)
        m.cost = pyo.Objective(expr=(m.x - 2) ** 2 + (m.y - 1) ** 2)
        m.c = Complementarity(expr=complements(m.x >= 0, m.y >= 0))
        options = {"nlp": bl.NlpOptions(mu=(1e-8,)), "starts": 1}
        return float(bl.solve(m, "", encoding="scholtes", **options).objective or 0.0)

    assert solved() == pytest.approx(1.0, abs=1e-6)
    monkeypatch.setattr(finish, "FLIPS", 0)
    assert solved() == pytest.approx(4.0, abs=1e-6)
