"""Best responses with known optima, one for each class, and every way to have none."""

from __future__ import annotations

import time

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang.oracle.response as response_module
from bilevel_lang.oracle.response import Response, best_response, local_response
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination
from tests.oracle.agents import follower

LIMIT = SolverOptions(time_limit=20.0)


def solve(
    objective: object, row: object = None, kind: str = "min", x: float = 1.0, options: SolverOptions = LIMIT, **var: object
) -> Response:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    var.setdefault("bounds", (-5, 5))
    m.y = pyo.Var([1, 2], **var)
    m.f = pyo.Expression(expr=objective(m))  # type: ignore[operator]
    m.c = pyo.Constraint(expr=row(m) if row else m.y[1] >= -100)  # type: ignore[operator]
    agent = follower(m, f"bilevel x\n{kind} f y c")
    return best_response(agent, ComponentMap([(m.x, x), (m.y[1], 0.0), (m.y[2], 0.0)]), options)


QUARTIC = min(float(r**4 - 2 * r**2 + 0.5 * r) for r in np.roots([4, 0, -4, 0.5]).real)

CLOSED_FORMS = [
    ("LP", lambda m: m.y[1] + m.x * m.y[2], lambda m: m.y[1] + m.y[2] >= 1, {}, 1.0, "HiGHS"),
    ("MILP", lambda m: m.y[1] + m.y[2], lambda m: 2 * m.y[1] + 2 * m.y[2] >= 3, {"domain": pyo.Integers}, 2.0, "HiGHS"),
    ("QP", lambda m: (m.y[1] - 1) ** 2 + m.x * m.y[2] ** 2 + m.x * m.y[2], None, {}, -0.25, ""),
    ("MIQP", lambda m: (m.y[1] - 0.4) ** 2 + (m.y[2] - 1.6) ** 2, None, {"domain": pyo.Integers}, 0.32, "SCIP"),
    ("nonconvex QP", lambda m: -(m.y[1] ** 2) + m.y[2] ** 2 - m.y[1], None, {}, -30.0, "SCIP"),
    ("convex NLP", lambda m: pyo.exp(m.y[1]) - m.y[1] + m.y[2] ** 2, lambda m: m.y[1] ** 2 + m.y[2] ** 2 <= 4, {}, 1.0, "Ipopt"),
    ("nonconvex NLP", lambda m: m.y[1] ** 4 - 2 * m.y[1] ** 2 + 0.5 * m.y[1] + m.y[2] ** 2, None, {}, QUARTIC, "SCIP"),
]


@pytest.mark.parametrize(
    ("name", "objective", "row", "var", "expected", "solver"), CLOSED_FORMS, ids=[c[0] for c in CLOSED_FORMS]
)
def test_closed_forms(name: str, objective: object, row: object, var: dict[str, object], expected: float, solver: str) -> None:
    found = solve(objective, row, **var)
    assert found.proven and found.feasible and found.bounded and not found.relaxed
    assert found.value == pytest.approx(expected, abs=2e-6)
    assert found.bound == pytest.approx(expected, abs=2e-6)
    assert found.how.startswith(solver)


@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_the_scale_of_the_objective_does_not_spoil_the_answer(factor: float) -> None:
    found = solve(lambda m: factor * ((m.y[1] - 3) ** 2 - m.y[2]))
    assert found.proven
    assert found.value == pytest.approx(-5 * factor, rel=1e-6)
    nonconvex = solve(lambda m: factor * (m.y[1] * m.y[2] - m.y[1]))
    assert nonconvex.proven
    assert nonconvex.bound == pytest.approx(-30 * factor, rel=1e-6)


def test_a_maximum_keeps_its_sense() -> None:
    found = solve(lambda m: m.y[1] - m.y[2] ** 2, kind="max")
    assert found.value == pytest.approx(5.0) and found.bound == pytest.approx(5.0)


def test_infeasible_and_nearly_feasible() -> None:
    assert not solve(lambda m: m.y[1], lambda m: m.y[1] >= 6).feasible
    near = solve(lambda m: m.y[1], lambda m: m.y[1] >= 5 + 1e-7)
    assert near.feasible and near.relaxed and "relaxed" in near.how


def test_unbounded_lp_and_nlp() -> None:
    lp = solve(lambda m: m.y[1], lambda m: m.y[1] <= 3, bounds=(None, 0))
    assert (lp.feasible, lp.bounded, lp.proven, lp.value) == (True, False, True, None)
    nlp = solve(
        lambda m: m.y[1] + pyo.exp(m.y[2]), lambda m: m.y[1] <= 3, bounds=(None, 0), options=SolverOptions(time_limit=4.0)
    )
    assert nlp.bound is None


def test_nothing_to_decide_and_a_row_of_others() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var(bounds=(0, 2))
    m.f = pyo.Expression(expr=m.y + m.x)
    agent = follower(m, "bilevel x\nmin f y")
    m.y.setlb(2)
    pinned = best_response(agent, ComponentMap([(m.x, 1.0), (m.y, 2.0)]), LIMIT)
    assert (pinned.value, pinned.bound, pinned.proven) == (3.0, 3.0, True)
    assert not solve(lambda m: m.y[1], lambda m: m.x >= 2).feasible


def test_undefined_at_the_point_is_no_answer() -> None:
    found = solve(lambda m: m.y[1] / m.x, x=0.0)
    assert not found.feasible and not found.proven and found.bound is None


def test_a_function_that_scip_lacks_is_searched_locally_and_proves_nothing() -> None:
    found = solve(lambda m: pyo.asin(m.y[1] / 10) * m.y[2], options=SolverOptions(time_limit=6.0))
    assert not found.proven and found.bound is None
    assert "not proven" in found.how or found.value is None


def test_a_convex_nlp_that_ipopt_gives_up_goes_to_scip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_module, "_local", lambda built, options: SolverRun(Termination.LOCALLY_INFEASIBLE, "Ipopt"))
    found = solve(lambda m: pyo.exp(m.y[1]) - m.y[1] + m.y[2] ** 2)
    assert found.how.startswith("SCIP")
    assert found.value == pytest.approx(1.0, abs=1e-6)


def test_as_many_equalities_as_variables_are_not_left_to_ipopt() -> None:
    found = solve(lambda m: pyo.exp(m.y[1]) + pyo.exp(m.y[2]), lambda m: m.y[1] + m.y[2] == m.x)
    assert found.value == pytest.approx(2 * 2.718281828459045**0.5, abs=1e-6)


def test_the_time_limit_covers_all_attempts() -> None:
    began = time.perf_counter()
    solve(lambda m: sum(pyo.sin(9 * m.y[i]) * pyo.cos(7 * m.y[3 - i] + i) for i in (1, 2)), options=SolverOptions(time_limit=1.0))
    assert time.perf_counter() - began < 10.0


def test_local_response_is_a_start_only() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var(bounds=(0, 2))
    m.f = pyo.Expression(expr=(m.y - m.x) ** 2)
    answer = local_response(follower(m, "bilevel x\nmin f y"), ComponentMap([(m.x, 1.5), (m.y, 0.0)]), LIMIT)
    assert answer is not None and answer.values[m.y] == pytest.approx(1.5, abs=1e-5)
