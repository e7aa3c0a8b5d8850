from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity import feasible_start
from bilevel_lang.reformulation.complementarity.feasible_start import FeasibleStart
from bilevel_lang.reformulation.complementarity.finish import Budget
from bilevel_lang.reformulation.complementarity.homotopy import _Search
from bilevel_lang.solution import Status
from bilevel_lang.solvers.ipopt import CompiledNlp, compile_nlp
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.problems import pairs

pytest.importorskip("casadi")


def exchange() -> Any:
    """Two goods, one unit of each, with a tax t on the first one, handed back; incomes are spent by halves, so that
    p1 (1 + t) = p2.

    Only relative prices count and one market clears if the other does: the equations are singular everywhere.
    The leader wants the relative price p1 / (p1 + p2) near 0.4: t = 0.5.
    """
    m = pyo.ConcreteModel()
    m.t = pyo.Var(bounds=(0, 1))
    m.p = pyo.Var([1, 2], bounds=(0, None))
    m.income = pyo.Var(bounds=(0, None))
    demand = {1: 0.5 * m.income / ((1 + m.t) * m.p[1]), 2: 0.5 * m.income / m.p[2]}
    m.market = Complementarity([1, 2], rule=lambda m, g: complements(1 - demand[g] >= 0, m.p[g] >= 0))
    m.earned = Complementarity(expr=complements(m.income - m.p[1] * (1 + m.t) - m.p[2] >= 0, m.income >= 0))
    m.leader = pyo.Objective(expr=(m.p[1] / (m.p[1] + m.p[2]) - 0.4) ** 2)
    return m


def relaxed(m: Any, encoding: str = "scholtes") -> Any:
    return bl.reformulate(m, "", encoding=encoding).run.encoded_run.__self__.relaxed


def led(r: Any, start: float, budget: Budget | None = None) -> Any:
    nlp = compile_nlp(r.model, parameters=(r.mu,))
    point = FeasibleStart(r, nlp).lead(np.full(len(nlp.variables), start), budget or Budget(None))
    return None if point is None else {v.name: x for v, x in zip(nlp.variables, point, strict=True)}


@pytest.mark.parametrize("start", [0.0, 3.0])
@pytest.mark.parametrize("encoding", ["scholtes", "fischer-burmeister"])
def test_a_singular_equilibrium_is_reached_even_from_where_demand_is_not_defined(start: float, encoding: str) -> None:
    values = led(relaxed(exchange(), encoding), start)
    assert values["p[1]"] * (1 + values["t"]) == pytest.approx(values["p[2]"], rel=1e-5)
    assert values["p[2]"] > 0.01


def test_rows_and_bounds_hold_too() -> None:
    m = pairs()
    m.least = pyo.Constraint(expr=m.x + m.y >= 1.5)
    m.most = pyo.Constraint(expr=m.x + 2 * m.y <= 2.0)
    values = led(relaxed(m), 5.0)
    assert min(values["x"], values["y"]) == pytest.approx(0.0, abs=1e-5)
    # Only (x, 0) with 1.5 <= x <= 2 is left: (0, y) would need y >= 1.5 and y <= 1.
    assert 1.5 - 1e-5 <= values["x"] <= 2.0 + 1e-5


def test_no_point_where_there_is_none_too_little_time_or_too_large_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    m = pairs()
    m.both = pyo.Constraint(expr=m.x >= 1)
    m.too = pyo.Constraint(expr=m.y >= 1)
    assert led(relaxed(m), 1.0) is None
    assert led(relaxed(pairs()), 1.0, Budget(0.0)) is None
    monkeypatch.setattr(feasible_start, "LARGEST", 1)
    assert led(relaxed(pairs()), 1.0) is None


def test_where_the_first_descent_fails_the_others_begin_at_feasible_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every descent is made to fail: what is left are the feasible points and the exact pieces they lie on."""

    def failing(self: _Search, nlp: CompiledNlp, start: Floats, steps: tuple[float, ...]) -> Any:
        return None, replace(nlp.solve(start, np.array([1.0])), termination=Termination.LOCALLY_INFEASIBLE)

    monkeypatch.setattr(_Search, "_descend", failing)
    m = exchange()
    solution = bl.solve(m, "", encoding="scholtes", starts=2)
    assert solution.status is Status.FEASIBLE
    assert solution.objective == pytest.approx(0.0, abs=1e-8)
    assert solution.point is not None
    assert solution.point.values[m.t] == pytest.approx(0.5, abs=1e-3)
