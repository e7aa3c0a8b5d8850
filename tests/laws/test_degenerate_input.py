"""Degenerate followers: answers known by hand, by every encoding, or a clear refusal; never a wrong one that claims to be right.

The leaders pull towards what an encoding with too small a bound would cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import BilevelError
from bilevel_lang.solution import BilevelSolution, Status

LINEAR = ("branch", "indicator", "strong-duality")
"""They take problems whose rows and optimality conditions are linear."""

ENCODINGS = ("sos1", "big-m", "scholtes", *LINEAR)
GOOD = (Status.OPTIMAL, Status.FEASIBLE)


@dataclass(frozen=True)
class Case:
    """A model, its annotation and what is true of it: the leader's optimum and values, or None where there is no answer."""

    build: Callable[[Any], None]
    annotation: str
    optimum: float | None
    values: dict[str, float] = field(default_factory=dict)

    def model(self) -> Any:
        m = pyo.ConcreteModel()
        m.x = pyo.Var(bounds=(0, 4))
        m.y = pyo.Var(bounds=(0, 10))
        m.f = pyo.Objective(expr=m.y)
        m.f.deactivate()
        self.build(m)
        return m


def leader(m: Any, expression: Any) -> None:
    m.leader = pyo.Objective(expr=expression)


def no_rows(m: Any) -> None:  # y = 0, whatever x is
    leader(m, m.x - m.y)


def no_rows_quadratic(m: Any) -> None:  # y = x
    m.f.set_value((m.y - m.x) ** 2)
    leader(m, (m.x - 3) ** 2 + m.y)  # 2 (x - 3) + 1 = 0


def idle_variable(m: Any) -> None:  # z matters to nobody
    m.z = pyo.Var(bounds=(0, 1))
    m.c = pyo.Constraint(expr=m.y >= 4 - m.x)
    leader(m, m.x + 2 * m.y)


def infeasible_always(m: Any) -> None:
    m.c = pyo.Constraint(expr=m.y >= m.x + 11)
    leader(m, m.x)


def infeasible_sometimes(m: Any) -> None:  # y >= 11 - x needs x >= 1
    m.c = pyo.Constraint(expr=m.y >= 11 - m.x)
    leader(m, m.x)


def infeasible_by_leader_row(m: Any) -> None:  # x <= 1 binds the leader although the follower lists it
    m.c = pyo.Constraint(expr=m.y >= 4 - m.x)
    m.d = pyo.Constraint(expr=m.x <= 1)
    leader(m, -m.x + m.y)


def unbounded_always(m: Any) -> None:
    m.y.setub(None)
    m.f.set_value(-m.y)
    m.c = pyo.Constraint(expr=m.y >= m.x)
    leader(m, m.x)


def unbounded_sometimes(m: Any) -> None:  # min (x - 1) y over y >= 0: bounded for x >= 1 only
    m.y.setub(None)
    m.f.set_value((m.x - 1) * m.y)
    leader(m, m.x + 0 * m.y)


def redundant(m: Any) -> None:
    m.c = pyo.ConstraintList()
    for _ in range(3):
        m.c.add(m.y >= 4 - m.x)
    m.c.add(2 * m.y >= 8 - 2 * m.x)
    m.c.add(m.y >= -7)
    m.c.add(m.y + m.x >= 1)
    leader(m, m.x + 2 * m.y)


def twin_equalities(m: Any) -> None:
    m.c = pyo.ConstraintList()
    m.c.add(m.y == 4 - m.x)
    m.c.add(2 * m.y + 2 * m.x == 8)
    leader(m, m.x + 2 * m.y)


def dual_of_a_million(m: Any) -> None:  # w costs 1e6 and has to follow x: so does its row's multiplier
    m.w = pyo.Var(bounds=(0, 10))
    m.f.set_value(1e6 * m.w + m.y)
    m.c = pyo.Constraint(expr=m.w >= m.x - 1)
    m.d = pyo.Constraint(expr=m.y >= 2 - m.w)
    leader(m, -m.x + 2 * m.w)  # w = max(0, x - 1): x = 1


def steep(m: Any) -> None:  # y = max(0, 1e6 (x - 1)), and the leader wants y: x = 2, y = 1e6
    m.x.setub(2)
    m.y.setub(None)
    m.c = pyo.Constraint(expr=m.y >= 1e6 * (m.x - 1))
    leader(m, -m.x)


def multiplier_without_bound(m: Any) -> None:  # x y >= 1: y = 1/x, multiplier 1/x
    m.x.setub(1)
    m.y.setub(None)
    m.c = pyo.Constraint(expr=m.x * m.y >= 1)
    leader(m, m.x + 0.0001 * m.y)  # x = 0.01, 0.02


def huge_and_tiny(m: Any) -> None:
    m.c = pyo.Constraint(expr=1e6 * m.y >= 1e6 * (4 - m.x))
    m.d = pyo.Constraint(expr=1e-4 * m.y >= 1e-4 * (1 - m.x))
    leader(m, m.x + 2 * m.y)


CASES = {
    "no rows": Case(no_rows, "bilevel x\nmin f y", 0.0, {"x": 0, "y": 0}),
    "no rows, quadratic": Case(no_rows_quadratic, "bilevel x\nmin f y", 2.75, {"x": 2.5, "y": 2.5}),
    "a variable that does not matter": Case(idle_variable, "bilevel x\nmin f y z c", 4.0, {"x": 4, "y": 0}),
    "infeasible for every x": Case(infeasible_always, "bilevel x\nmin f y c", None),
    "infeasible for some x": Case(infeasible_sometimes, "bilevel x\nmin f y c", 1.0, {"x": 1, "y": 10}),
    "a row of the leader's variables alone": Case(infeasible_by_leader_row, "bilevel x\nmin f y c d", 2.0, {"x": 1, "y": 3}),
    "unbounded for every x": Case(unbounded_always, "bilevel x\nmin f y c", None),
    "unbounded for some x": Case(unbounded_sometimes, "bilevel x\nmin f y", 1.0, {"x": 1}),
    "redundant and duplicate rows": Case(redundant, "bilevel x\nmin f y c", 4.0, {"x": 4, "y": 0}),
    "equalities twice": Case(twin_equalities, "bilevel x\nmin f y c", 4.0, {"x": 4, "y": 0}),
    "a multiplier of 1e6": Case(dual_of_a_million, "bilevel x\nmin f y w c d", -1.0, {"x": 1, "w": 0}),
    "a slope of 1e6": Case(steep, "bilevel x\nmin f y c", -2.0, {"x": 2, "y": 1e6}),
    "a multiplier without bound": Case(multiplier_without_bound, "bilevel x\nmin f y c", 0.02, {"x": 0.01, "y": 100}),
    "huge and tiny coefficients": Case(huge_and_tiny, "bilevel x\nmin f y c d", 4.0, {"x": 4, "y": 0}),
}


def mirrored(case: Case) -> tuple[Any, str]:
    """The same problem with a leader and a follower that maximise; its optimum has the other sign."""
    m = case.model()
    for objective in (m.leader, m.f):
        objective.set_value(-objective.expr)
    m.leader.sense = pyo.maximize
    return m, case.annotation.replace("min f", "max f")


@pytest.mark.parametrize("name", CASES)
def test_maximising_is_the_same(name: str) -> None:
    case = CASES[name]
    found = bl.solve(*mirrored(case), time_limit=20)
    if case.optimum is None:
        assert found.status not in GOOD and found.status is not Status.LIMIT
        return
    assert found.status in GOOD and found.verified, (found.status, found.messages)
    assert found.objective == pytest.approx(-case.optimum, rel=1e-4, abs=1e-4)


WHOLE = [n for n, c in CASES.items() if c.build not in (no_rows_quadratic, unbounded_sometimes, multiplier_without_bound)]


@pytest.mark.parametrize("solver", ["scip", "highs"])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_by_the_value_function(name: str, solver: str) -> None:
    """The linear cases have whole answers, and are followers of the integer kind with whole variables."""
    case = CASES[name]
    m = case.model()
    for variable in m.component_data_objects(pyo.Var):
        variable.domain = pyo.Integers
    found = bl.solve(m, case.annotation, method="value-function", solver=solver, time_limit=20)
    if case.optimum is None:
        assert found.status not in GOOD and found.status is not Status.LIMIT, (found.status, found.messages)
        return
    assert found.status is Status.OPTIMAL and found.verified, (found.status, found.messages)
    assert found.objective == pytest.approx(case.optimum, abs=1e-6)
    for variable, value in case.values.items():
        assert found.variables[variable] == pytest.approx(value, abs=1e-6)


def answer(case: Case, encoding: str | None) -> BilevelSolution | BilevelError:
    options: dict[str, Any] = {} if encoding is None else {"encoding": encoding}
    if encoding == "scholtes":
        options["starts"] = 1
    try:
        return bl.solve(case.model(), case.annotation, time_limit=20, **options)
    except BilevelError as refusal:
        return refusal


@pytest.mark.parametrize("encoding", [None, *ENCODINGS], ids=lambda e: e or "engine's choice")
@pytest.mark.parametrize("name", CASES)
def test_right_or_refused(name: str, encoding: str | None) -> None:
    if encoding == "scholtes":
        pytest.importorskip("casadi")
    case, found = CASES[name], answer(CASES[name], encoding)
    if isinstance(found, BilevelError):
        assert encoding == "big-m" or (encoding in LINEAR and "linear" in str(found)), f"no reason to refuse: {found}"
        assert found.diagnostics[0].help if hasattr(found, "diagnostics") else str(found)
        return
    if case.optimum is None:
        assert found.status not in GOOD, found
        return
    if encoding is None:
        assert found.status in GOOD, (found.status, found.messages)
    if found.status in GOOD:
        assert found.verified
        assert found.objective is not None and found.objective >= case.optimum - 1e-4 * max(1, abs(case.optimum))
    if found.status is Status.OPTIMAL:
        assert found.objective == pytest.approx(case.optimum, rel=1e-4, abs=1e-4)
        for variable, value in case.values.items():
            assert found.variables[variable] == pytest.approx(value, rel=1e-3, abs=1e-3)
    assert found.status is not Status.INFEASIBLE, "there is an answer"


@pytest.mark.parametrize("big_m", [2.0, 20.0, 50.0])
def test_a_given_big_m_that_is_too_small_is_never_called_optimal(big_m: float) -> None:
    # The multiplier 1/x at the optimum x = 0.01 is 100. With M it stays below that, and x above 1/M.
    case = CASES["a multiplier without bound"]
    found = bl.solve(case.model(), case.annotation, encoding="big-m", big_m=big_m, time_limit=20)
    assert found.objective is None or found.objective > 1.1 * 0.02, "the bound does not bite: the case is of no use"
    assert found.status is not Status.OPTIMAL, (found.objective, found.messages)
