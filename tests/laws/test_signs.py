"""The sign rule: a reported multiplier is d(the agent's optimal value)/d(right-hand side), whatever the agent looks like.

The derivative comes from differences of optimal values that scipy's ``linprog`` finds for the agent alone; nothing of this
package takes part in it. All agents here are linear and have one multiplier, so that the differences are exact.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
import pytest
from scipy.optimize import linprog

import bilevel_lang as bl
from bilevel_lang.errors import ResolutionError
from bilevel_lang.solution import BilevelSolution, Status

SENSES = ("min", "max")
KINDS = ("le", "ge", "eq", "range_low", "range_high")
OWN = ("free", "bounded", "at_bound", "fixed", "pinned")
INFINITY = float("inf")

Y_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "free": (None, None),
    "bounded": (-4, 9),
    "at_bound": (-4, 0.2),
    "fixed": (0.2, 0.2),
    "pinned": (0.2, 0.2),
}
X = 1.5
"""Where the leader of these problems puts its variable, which the agent's row contains."""


@dataclass(frozen=True)
class Case:
    """One linear agent over y and z with one row that its objective pushes against."""

    sense: str
    kind: str
    own: str = "bounded"
    side: float = 1.0

    @property
    def factor(self) -> int:
        """The factor of 2 y + 3 z + 0.5 x in the objective."""
        pushes_up = self.kind in ("ge", "eq", "range_low")
        return (1 if self.sense == "min" else -1) * (1 if pushes_up else -1)

    @property
    def sides(self) -> tuple[float | None, float | None]:
        """Lower and upper side of y + z - x; the far side of a range stays where it is when ``side`` moves."""
        low, high = {
            "le": (None, self.side),
            "ge": (self.side, None),
            "eq": (self.side, self.side),
            "range_low": (self.side, 5),
            "range_high": (-5, self.side),
        }[self.kind]
        return low, high

    def value(self) -> float:
        """The agent's optimal value at x = X, from linprog."""
        low, high = self.sides
        above = [] if high is None else [([1.0, 1.0], high + X)]
        below = [] if low is None else [([-1.0, -1.0], -low - X)]
        matrix, side = zip(*above, *below, strict=True)
        minimise = 1 if self.sense == "min" else -1
        cost = [minimise * self.factor * c for c in (2.0, 3.0)]
        found = linprog(cost, A_ub=list(matrix), b_ub=list(side), bounds=[Y_BOUNDS[self.own], (-6, 10)], method="highs")
        assert found.status == 0, found.message
        return minimise * float(found.fun) + 0.5 * self.factor * X

    def marginal(self) -> float:
        """d(optimal value)/d(right-hand side)."""
        h = 1e-3
        up, down = (Case(self.sense, self.kind, self.own, self.side + d).value() for d in (h, -h))
        return (up - down) / (2 * h)

    def row(self, m: Any) -> Any:
        """The row as a modeller writes it."""
        body, (low, high) = m.y + m.z - m.x, self.sides
        if self.kind == "eq":
            return body == low
        if low is None:
            return body <= high
        return body >= low if high is None else pyo.inequality(low, body, high)

    def model(self) -> Any:
        """A leader that wants x = X, and this agent."""
        m = pyo.ConcreteModel()
        m.x = pyo.Var(bounds=(X, 10))
        m.y = pyo.Var(bounds=Y_BOUNDS[self.own] if self.own != "fixed" else (None, None))
        if self.own == "fixed":
            m.y.fix(0.2)
        m.z = pyo.Var(bounds=(-6, 10))
        m.leader = pyo.Objective(expr=m.x)
        m.agent = pyo.Objective(expr=self.factor * (2 * m.y + 3 * m.z + 0.5 * m.x), sense=pyo.minimize)
        m.agent.deactivate()
        m.c = pyo.Constraint(expr=self.row(m))
        return m


def check(solution: BilevelSolution, status: Status = Status.OPTIMAL) -> BilevelSolution:
    assert solution.status is status, (solution.status, solution.messages)
    assert solution.verified
    return solution


ALL = [Case(*k) for k in itertools.product(SENSES, KINDS, OWN)]


@pytest.mark.parametrize("case", ALL, ids=lambda c: f"{c.sense}-{c.kind}-{c.own}")
def test_reported_multiplier_is_the_derivative_of_the_optimal_value(case: Case) -> None:
    expected = case.marginal()
    assert abs(expected) in (pytest.approx(2), pytest.approx(3))
    m = case.model()
    m.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    solution = check(bl.solve(m, f"bilevel x\n{case.sense} agent y z c"))
    assert solution.duals["c"] == pytest.approx(expected, abs=1e-6)
    assert m.dual[m.c] == pytest.approx(expected, abs=1e-6)
    assert solution.followers[0].optimal_value == pytest.approx(case.value(), abs=1e-6)


@pytest.mark.parametrize("leaders", ["free", "bounded", "fixed"])
@pytest.mark.parametrize("case", [c for c in ALL if c.own == "free"], ids=lambda c: f"{c.sense}-{c.kind}")
def test_it_does_not_matter_what_the_leader_s_variable_in_the_row_is_like(case: Case, leaders: str) -> None:
    m = case.model()
    m.x.setlb(-20 if leaders == "bounded" else None)
    m.x.setub(20 if leaders == "bounded" else None)
    m.own = pyo.Constraint(expr=m.x >= X)
    if leaders == "fixed":
        m.x.fix(X)
    m.u = pyo.Var(bounds=(0, 1))
    m.leader.set_value(m.x + m.u)
    solution = check(bl.solve(m, f"bilevel {'' if leaders == 'fixed' else 'x'} u\n{case.sense} agent y z c"))
    assert solution.duals["c"] == pytest.approx(case.marginal(), abs=1e-6)
    assert solution.variables["x"] == pytest.approx(X, abs=1e-6)


@pytest.mark.parametrize("case", [c for c in ALL if c.own == "bounded" and c.kind != "eq"], ids=lambda c: f"{c.sense}-{c.kind}")
def test_a_flipped_row_changes_nothing_in_the_answer(case: Case) -> None:
    solution = check(bl.solve(case.model(), f"bilevel x\n{case.sense} agent y z -c"))
    assert solution.duals["c"] == pytest.approx(case.marginal(), abs=1e-6)
    assert solution.summary["Flipped Constraints"] == 1


@pytest.mark.parametrize("encoding", ["big-m", "scholtes"])
@pytest.mark.parametrize("case", [c for c in ALL if c.own == "bounded"], ids=lambda c: f"{c.sense}-{c.kind}")
def test_the_sign_does_not_depend_on_the_encoding(case: Case, encoding: str) -> None:
    if encoding == "scholtes":
        pytest.importorskip("casadi")
    # The multipliers here are 2 and 3: 50 is proven to be large enough by hand.
    options = {"big_m": 50.0} if encoding == "big-m" else {"starts": 1}
    solution = bl.solve(case.model(), f"bilevel x\n{case.sense} agent y z c", encoding=encoding, **options)
    assert solution.verified, solution.messages
    assert solution.duals["c"] == pytest.approx(case.marginal(), abs=1e-5)


@pytest.mark.parametrize("case", [c for c in ALL if c.own == "bounded"], ids=lambda c: f"{c.sense}-{c.kind}")
def test_without_a_leader_the_sign_is_the_same(case: Case) -> None:
    m = case.model()
    m.leader.deactivate()
    m.x.fix(X)
    solution = check(bl.solve(m, f"equilibrium\n{case.sense} agent y z c"))
    assert solution.duals["c"] == pytest.approx(case.marginal(), abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("own", ["free", "at_bound", "pinned"])
def test_rows_of_a_vi_have_the_signs_of_a_min_agent(kind: str, own: str) -> None:
    # F = gradient of the objective: the VI is the optimality condition of the min agent.
    case = Case("min", kind, own)
    m = case.model()
    m.F = pyo.Expression(expr=2.0 * case.factor)
    m.G = pyo.Expression(expr=3.0 * case.factor)
    m.p = pyo.Var()
    m.q = pyo.Var()
    m.link = pyo.Constraint(expr=m.q == 2 * m.p)
    solution = check(bl.solve(m, "bilevel x q\nvi F y G z c\ndualvar p c"))
    assert solution.duals["c"] == pytest.approx(case.marginal(), abs=1e-6)
    assert solution.variables["q"] == pytest.approx(2 * case.marginal(), abs=1e-6)


# --- dualvar


@pytest.mark.parametrize("flip", ["", "-"])
@pytest.mark.parametrize("case", [c for c in ALL if c.own in ("bounded", "fixed")], ids=lambda c: f"{c.sense}-{c.kind}-{c.own}")
def test_dualvar_is_the_reported_multiplier_and_minus_negates_it(case: Case, flip: str) -> None:
    m = case.model()
    m.p = pyo.Var()
    m.q = pyo.Var(doc="a leader's variable that sees p through a row")
    m.link = pyo.Constraint(expr=m.q == 2 * m.p + 1)
    solution = check(bl.solve(m, f"bilevel x q\n{case.sense} agent y z c\ndualvar p {flip}c"))
    expected = case.marginal()
    p = -expected if flip else expected
    assert solution.variables["p"] == pytest.approx(p, abs=1e-6)
    assert solution.variables["q"] == pytest.approx(2 * p + 1, abs=1e-6)
    assert solution.duals["c"] == pytest.approx(expected, abs=1e-6)


@dataclass(frozen=True)
class Small:
    """An agent over x alone, optimum x = 2, with the row written in one of two ways: cases S1 to S6 of docs/signs.md."""

    sense: str
    row: str

    def model(self, lower: float | None, upper: float | None) -> Any:
        m = pyo.ConcreteModel()
        m.x = pyo.Var(bounds=(2, None) if self.row == "bound" else (None, None))
        m.p = pyo.Var(bounds=(lower, upper))
        m.q = pyo.Var()
        m.o = pyo.Objective(expr=(0.5 if self.sense == "min" else -0.5) * m.x**2)
        m.o.deactivate()
        if self.row != "bound":
            m.c = pyo.Constraint(expr={"ge": m.x >= 2, "le": -m.x <= -2, "eq": m.x == 2}[self.row])
            m.seen = pyo.Constraint(expr=m.q == m.p)
        m.leader = pyo.Objective(expr=m.q**2 if self.row == "bound" else 0 * m.q)
        return m

    def solve(self, dualvar: str, lower: float | None = None, upper: float | None = None) -> BilevelSolution:
        tail = f"\ndualvar p {dualvar}" if dualvar else ""
        row = "" if self.row == "bound" else "c"
        return bl.solve(self.model(lower, upper), f"bilevel q\n{self.sense} o x {row}{tail}")


@pytest.mark.parametrize(
    ("sense", "row", "marginal", "dualvar"),
    [
        ("min", "ge", 2.0, "c"),  # S1
        ("min", "le", -2.0, "-c"),  # S2
        ("max", "ge", -2.0, "c"),  # S3: negated because p's bounds admit only the other sign
        ("max", "le", 2.0, "c"),  # S4
    ],
)
def test_the_four_ways_to_a_positive_price(sense: str, row: str, marginal: float, dualvar: str) -> None:
    solution = check(Small(sense, row).solve(dualvar, 0.1, None))
    assert solution.duals["c"] == pytest.approx(marginal, abs=1e-6)
    assert solution.variables["p"] == pytest.approx(2.0, abs=1e-6)


@pytest.mark.parametrize(("sense", "marginal"), [("min", 2.0), ("max", -2.0)])
def test_an_equality_has_a_free_multiplier_of_either_sign(sense: str, marginal: float) -> None:  # S5
    assert check(Small(sense, "eq").solve("c")).variables["p"] == pytest.approx(marginal, abs=1e-6)
    assert check(Small(sense, "eq").solve("-c")).variables["p"] == pytest.approx(-marginal, abs=1e-6)


@pytest.mark.parametrize("sense", SENSES)
def test_a_bound_holds_as_the_row_would(sense: str) -> None:  # S6
    assert check(Small(sense, "bound").solve("")).variables["x"] == pytest.approx(2.0, abs=1e-6)


def test_a_min_agent_with_the_wrong_sign_is_an_error_with_the_mend() -> None:
    with pytest.raises(ResolutionError) as caught:
        Small("min", "le").solve("c", 0.1, None)
    assert "dualvar p -c" in str(caught.value)


@pytest.mark.parametrize("row", ["ge", "le"])
def test_a_free_price_of_a_max_agent_is_not_negated(row: str) -> None:
    solution = check(Small("max", row).solve("c"))
    assert solution.variables["p"] == pytest.approx(solution.duals["c"], abs=1e-6)


@pytest.mark.parametrize(("typed", "expected"), [("y >= w", -1.0), ("y - w >= 0", 1.0), ("w <= y", -1.0), ("0 >= w - y", -1.0)])
def test_the_side_of_a_row_is_the_one_pyomo_stores(typed: str, expected: float) -> None:
    # min y subject to y >= w: dv/dw = 1. Pyomo stores `y >= w` as `w - y <= 0`, so d(value)/d(side) = -1 there.
    m = pyo.ConcreteModel()
    m.w = pyo.Var(bounds=(3, 8))
    m.y = pyo.Var(bounds=(-10, 10))
    m.leader = pyo.Objective(expr=m.w)
    m.f = pyo.Objective(expr=m.y)
    m.f.deactivate()
    rows = {"y >= w": m.y >= m.w, "y - w >= 0": m.y - m.w >= 0, "w <= y": m.w <= m.y, "0 >= w - y": m.w - m.y <= 0}
    m.c = pyo.Constraint(expr=rows[typed])
    solution = check(bl.solve(m, "bilevel w\nmin f y c"))
    assert solution.variables["y"] == pytest.approx(3.0, abs=1e-6)
    assert solution.duals["c"] == pytest.approx(expected, abs=1e-6)


# --- The leader's own rows: no multipliers are reported, but every kind of row binds.


@pytest.mark.parametrize("case", ALL, ids=lambda c: f"{c.sense}-{c.kind}-{c.own}")
def test_rows_of_the_leader_bind_it(case: Case) -> None:
    m = case.model()
    m.leader.deactivate()
    m.x.fix(X)
    m.agent.activate()
    m.agent.sense = pyo.minimize if case.sense == "min" else pyo.maximize
    # A follower that answers w = -z: the leader's row sees its own variable through it.
    m.w = pyo.Var()
    m.f = pyo.Objective(expr=(m.w + m.z) ** 2)
    m.f.deactivate()
    m.c.deactivate()
    m.mirrored = pyo.Constraint(expr=_mirrored(m, case))
    solution = check(bl.solve(m, f"bilevel {'' if m.y.fixed else 'y'} z\nmin f w"))
    assert solution.objective == pytest.approx(case.value(), abs=1e-6)
    assert solution.duals == {}


def _mirrored(m: Any, case: Case) -> Any:
    low, high = case.sides
    body = m.y - m.w - m.x
    return body == low if low == high else (low, body, high)


# --- Reduced costs: the derivative with respect to a bound of the agent's own variable.


@dataclass(frozen=True)
class BoundCase:
    """One linear agent whose objective pushes y against one of its bounds; ``bound`` is that bound, the other is far away."""

    sense: str
    side: str
    bound: float = 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        return (self.bound, 50.0) if self.side == "lower" else (-50.0, self.bound)

    @property
    def factor(self) -> int:
        """The sign of the objective 4 y + z (min pushes down where it is +1)."""
        return (1 if self.side == "lower" else -1) * (1 if self.sense == "min" else -1)

    def value(self) -> float:
        """The agent's optimal value over y + z = 3 and z in [-100, 100], from linprog."""
        minimise = 1 if self.sense == "min" else -1
        cost = [minimise * self.factor * c for c in (4.0, 1.0)]
        found = linprog(cost, A_eq=[[1.0, 1.0]], b_eq=[3.0], bounds=[self.bounds, (-100, 100)], method="highs")
        assert found.status == 0, found.message
        return minimise * float(found.fun)

    def marginal(self) -> float:
        """d(optimal value)/d(bound)."""
        h = 1e-3
        up, down = (BoundCase(self.sense, self.side, self.bound + d).value() for d in (h, -h))
        return (up - down) / (2 * h)


@pytest.mark.parametrize("leader", [True, False], ids=["bilevel", "equilibrium"])
@pytest.mark.parametrize("side", ["lower", "upper"])
@pytest.mark.parametrize("sense", SENSES)
def test_a_reduced_cost_is_the_derivative_with_respect_to_the_bound(sense: str, side: str, leader: bool) -> None:
    case = BoundCase(sense, side)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y, m.z = pyo.Var(bounds=case.bounds), pyo.Var(bounds=(-100, 100))
    m.agent = pyo.Expression(expr=case.factor * (4 * m.y + m.z))
    m.c = pyo.Constraint(expr=m.y + m.z == 3)
    m.rc, m.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT), pyo.Suffix(direction=pyo.Suffix.IMPORT)
    if leader:
        m.leader = pyo.Objective(expr=m.x)
    solution = check(bl.solve(m, f"{'bilevel x' if leader else 'equilibrium'}\n{sense} agent y z c"))
    assert abs(case.marginal()) == pytest.approx(3)
    assert solution.followers[0].optimal_value == pytest.approx(case.value(), abs=1e-6)
    assert m.rc[m.y] == pytest.approx(case.marginal(), abs=1e-6)
    assert m.rc[m.z] == pytest.approx(0.0, abs=1e-6)
    assert m.dual[m.c] == pytest.approx(case.factor, abs=1e-6)


# --- Convex QPs: the optimal value is curved, and its slope is found by central differences of a closed form.


@pytest.mark.parametrize("kind", ["le", "ge", "eq", "range_low", "range_high"])
@pytest.mark.parametrize("sense", SENSES)
def test_multipliers_of_a_quadratic_agent(sense: str, kind: str) -> None:
    # min (y - t)² over y on the wrong side of b: the value is (b - t)², its slope in b is 2 (b - t).
    b = 1.0
    t = 3.0 if kind in ("le", "range_high") else -1.0
    sign = 1 if sense == "min" else -1
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var()
    m.leader = pyo.Objective(expr=m.x)
    m.agent = pyo.Expression(expr=sign * (m.y - t) ** 2)
    body = m.y + 0 * m.x
    rows = {"le": body <= b, "ge": body >= b, "eq": body == b, "range_low": (b, body, 9), "range_high": (-9, body, b)}
    m.c = pyo.Constraint(expr=rows[kind])
    solution = check(bl.solve(m, f"bilevel x\n{sense} agent y c"))
    assert solution.duals["c"] == pytest.approx(sign * 2 * (b - t), abs=1e-5)
