"""The rewrite at its edges: every case has an answer that one can work out on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.kkt import Kkt
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Refusal
from bilevel_lang.solution import Exactness, Status
from tests.reformulation.problems import follow, linear, pairs, plain


@dataclass(frozen=True)
class Edge:
    """A model at the edge, and what must come out: values (a close enough number each), or another status."""

    build: Callable[[], Any]
    annotation: str
    values: dict[str, float]
    status: Status = Status.OPTIMAL


def edit(**changes: Callable[[Any], Any]) -> Callable[[], Any]:
    """``plain`` with components added, in the order given."""

    def build() -> Any:
        m = plain()
        for name, make in changes.items():
            m.add_component(name, make(m))
        return m

    return build


def with_(change: Callable[[Any], Any], base: Callable[[], Any] = follow) -> Callable[[], Any]:
    def build() -> Any:
        m = base()
        change(m)
        return m

    return build


def row(expression: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda m: pyo.Constraint(expr=expression(m))


def square(m: Any) -> None:
    m.f.set_value((m.y - m.x) ** 2)


def mutable(m: Any) -> None:
    m.p = pyo.Param(initialize=5, mutable=True)
    m.f.set_value(m.p * m.y)
    m.c.set_value(m.p * m.y >= m.p * m.x)
    m.y.setub(2 * m.p)
    m.p = 2  # the values at the time of the call count


def three_followers(m: Any) -> None:
    # y = x, u = max(0, 5 - y), v = u: leader (x - 3)² + y + 2 v = (x - 3)² + x + 10 - 2 x for x <= 5: x = 7/2.
    m.u, m.v = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.g = pyo.Expression(expr=m.u)
    m.h = pyo.Expression(expr=-m.v)
    m.cu = pyo.Constraint(expr=m.u + m.y >= 5)
    m.cv = pyo.Constraint(expr=m.v - m.u >= 0)
    m.leader.set_value((m.x - 3) ** 2 + m.y + 2 * m.v)


def integer_leader(m: Any) -> None:
    # y = x - 2 b, objective (x - 3)² + x - 2 b + b: x = 5/2, b = 1: 11/4 - 1.
    m.b = pyo.Var(domain=pyo.Binary)
    m.c.set_value(m.y >= m.x - 2 * m.b)
    m.leader.set_value((m.x - 3) ** 2 + m.y + m.b)


def defined(m: Any) -> None:
    # t = 2 y + 1 is the follower's objective, bounds its own row (t >= x) and the leader's (t + x <= 5.5): t = x = 2.75.
    m.t = pyo.Var(bounds=(None, 15))
    m.deft = pyo.Constraint(expr=m.t == 2 * m.y + 1)
    m.c.set_value(m.t >= m.x)
    m.l = pyo.Constraint(expr=m.t + m.x <= 5.5)


def deactivated_block(m: Any) -> None:
    m.b = pyo.Block()
    m.b.row = pyo.Constraint(expr=m.x >= 9)
    m.b.deactivate()


def trivial(value: float) -> Callable[[Any], None]:
    def change(m: Any) -> None:
        m.p = pyo.Param(initialize=value, mutable=True)
        m.d = pyo.Constraint(expr=(0, m.p, 5))

    return change


def fixed_own(m: Any) -> None:
    m.u = pyo.Var()
    m.u.fix(2)
    m.c.set_value(m.y >= m.x + m.u)


def pinned_own(m: Any) -> None:
    m.u = pyo.Var(bounds=(2, 2))
    m.c.set_value(m.y >= m.x + m.u)


def rows(m: Any) -> None:
    m.again = pyo.Constraint(expr=m.y >= m.x)
    m.twice = pyo.Constraint(expr=2 * m.y >= 2 * m.x)
    m.loose = pyo.Constraint(expr=m.y - m.x >= -5)


HALF = {"x": 2.5, "y": 2.5}
C = "bilevel x\nmin f y c"
EDGES = {
    "no rows": Edge(with_(square, plain), "bilevel x\nmin f y", HALF),
    "no rows, no bounds": Edge(with_(square, lambda: plain(y=(None, None))), "bilevel x\nmin f y", HALF),
    "a variable that does not matter": Edge(
        with_(lambda m: m.add_component("u", pyo.Var(bounds=(2, 3)))), "bilevel x\nmin f y u c", HALF
    ),
    "infeasible for every x": Edge(edit(c=row(lambda m: m.y >= 11 + m.x)), C, {}, Status.INFEASIBLE),
    "infeasible for some x": Edge(edit(c=row(lambda m: m.y >= 9 + m.x)), C, {"x": 1, "y": 10}),
    "unbounded by its bounds": Edge(lambda: plain(y=(None, 10)), "bilevel x\nmin f y", {}, Status.INFEASIBLE),
    "unbounded by its rows": Edge(
        with_(lambda m: m.add_component("c", pyo.Constraint(expr=m.y <= m.x)), lambda: plain(y=(None, None))),
        C,
        {},
        Status.INFEASIBLE,
    ),
    "redundant and duplicate rows": Edge(with_(rows), "bilevel x\nmin f y c again twice loose", HALF),
    "a row of the leader's variables": Edge(
        with_(lambda m: m.add_component("d", pyo.Constraint(expr=m.x <= 2))), C + " d", {"x": 2, "y": 2}
    ),
    "a trivial row that holds": Edge(with_(trivial(3)), C + " d", HALF),
    "a trivial row that does not": Edge(with_(trivial(7)), C + " d", {}, Status.INFEASIBLE),
    "a row that is zero": Edge(with_(lambda m: m.add_component("d", pyo.Constraint(expr=(0, 0 * m.y, 5)))), C + " d", HALF),
    "a deactivated block": Edge(with_(deactivated_block), C, HALF),
    "an own variable that is fixed": Edge(with_(fixed_own), "bilevel x\nmin f y u c", {"x": 2.5, "y": 4.5, "u": 2}),
    "an own variable that is pinned": Edge(with_(pinned_own), "bilevel x\nmin f y u c", {"x": 2.5, "y": 4.5, "u": 2}),
    "mutable parameters": Edge(with_(mutable), C, {**HALF}),
    "three followers": Edge(
        with_(three_followers), "bilevel x\nmin f y c\nmin g u cu\nmax h v cv", {"x": 3.5, "y": 3.5, "u": 1.5, "v": 1.5}
    ),
    "a binary of the leader": Edge(with_(integer_leader), "bilevel x b\nmin f y c", {"x": 2.5, "b": 1, "y": 0.5}),
    "an objective variable in rows of both": Edge(
        with_(defined), "bilevel x\nmin t y deft c", {"x": 2.75, "t": 2.75, "y": 0.875}
    ),
    "huge and tiny coefficients": Edge(
        edit(c=row(lambda m: 1e5 * m.y >= 1e5 * m.x), d=row(lambda m: 1e-3 * m.y >= 1e-3 * m.x - 1)), C + " d", HALF
    ),
    "leader unbounded": Edge(with_(lambda m: (m.x.setlb(None), m.leader.set_value(m.x))), C, {}, Status.UNBOUNDED),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name: str) -> None:
    edge = EDGES[name]
    solution = bl.solve(edge.build(), edge.annotation)
    assert solution.status is edge.status, (solution.termination, solution.messages)
    for variable, value in edge.values.items():
        # (x - 3)² + x is proven to 1e-7, so x is known to 3e-4.
        assert solution.variables[variable] == pytest.approx(value, abs=5e-4), variable
    if edge.status is Status.OPTIMAL:
        assert solution.exactness is Exactness.EXACT
        assert solution.verified


def test_an_equilibrium_of_min_max_and_vi_agents() -> None:
    # a = b / 2 + 1, b = 4 - a, z = a - b or 0: a = 2, b = 2, z = 0 at F = z - (a - b).
    m = pyo.ConcreteModel()
    m.a, m.b, m.z = pyo.Var(), pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9))
    m.fa = pyo.Expression(expr=(m.a - m.b / 2 - 1) ** 2)
    m.fb = pyo.Expression(expr=-((m.b - 4 + m.a) ** 2))
    m.F = pyo.Expression(expr=m.z - m.a + m.b)
    solution = bl.solve(m, "equilibrium\nmin fa a\nmax fb b\nvi F z")
    assert solution.status is Status.OPTIMAL
    assert [solution.variables[n] for n in "abz"] == pytest.approx([2, 2, 0], abs=1e-6)


def test_a_dual_variable_of_a_row_without_own_variables() -> None:
    # x >= 2 is the follower's row but not about its decision: any p >= 0 is a multiplier while x = 2, and 0 otherwise.
    m = follow()
    m.p = pyo.Var(bounds=(0, 5))
    m.d = pyo.Constraint(expr=m.x >= 2)
    m.leader.set_value(m.x + m.y - m.p)
    solution = bl.solve(m, "bilevel x\nmin f y c d\ndualvar p d")
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(-1.0, abs=1e-6)
    m.leader.set_value(-m.x + m.y / 2 - m.p)
    m.x.setlb(3)
    assert bl.solve(m, "bilevel x\nmin f y c d\ndualvar p d").variables["p"] == pytest.approx(0.0, abs=1e-6)


def test_two_followers_that_share_a_dual_price() -> None:
    # Both maximise (10 - u) u - p u with p the price of a common limit that the second one owns: u + w <= 6.
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(6, 6))
    m.u, m.w, m.p = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.leader = pyo.Objective(expr=m.x)
    m.fu = pyo.Expression(expr=(10 - m.u) * m.u - m.p * m.u)
    m.fw = pyo.Expression(expr=(10 - m.w) * m.w)
    m.limit = pyo.Constraint(expr=m.u + m.w <= m.x)
    solution = bl.solve(m, "bilevel x\nmax fu u\nmax fw w limit\ndualvar p limit")
    # 10 - 2u = p = 10 - 2w and u + w = 6: u = w = 3, p = 4.
    assert [solution.variables[n] for n in "uwp"] == pytest.approx([3, 3, 4], abs=1e-6)


# --- What it accepts and promises


def test_integer_followers_are_refused_by_name() -> None:
    m = follow()
    m.y.domain = pyo.Integers
    verdict = Kkt().accepts(bl.resolve(m, C), Options())
    assert isinstance(verdict, Refusal)
    assert "`y`" in verdict.reason
    assert verdict.diagnostics[0].code == "E13"
    assert verdict.diagnostics[0].span is not None


def test_the_reason_names_the_classes() -> None:
    verdict = Kkt().accepts(bl.resolve(follow(), C), Options())
    assert isinstance(verdict, Accepted)
    assert verdict.reason == "1 agent without integer decisions"
    assert any("1 agent: LP" in line for line in bl.solve(follow(), C).why)


@pytest.mark.parametrize(
    ("objective", "extra", "expected"),
    [
        (lambda m: m.y, None, Exactness.EXACT),
        (lambda m: (m.y - 1) ** 2, None, Exactness.EXACT),
        (lambda m: -(m.y**2), None, Exactness.RELAXATION),  # linear rows: every optimum is a KKT point
        (lambda m: m.y, lambda m: m.y**2 + m.x <= 60, Exactness.STATIONARY),  # no constraint qualification is known
    ],
)
def test_what_is_promised(objective: Any, extra: Any, expected: Exactness) -> None:
    m = follow()
    m.f.set_value(objective(m))
    annotation = C
    if extra is not None:
        m.d = pyo.Constraint(expr=extra(m))
        annotation += " d"
    assert bl.reformulate(m, annotation).exactness is expected


def test_a_nonconvex_follower_gets_no_false_certificate() -> None:
    # min -(y - 1)² over [0, 3]: the answer is y = 3; y = 1 and y = 0 are KKT points that a leader would like better.
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 3))
    m.leader = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=-((m.y - 1) ** 2))
    solution = bl.solve(m, "bilevel x\nmin f y", method="kkt")
    assert solution.status is Status.VERIFICATION_FAILED
    assert solution.exit_code == 7
    assert any("is nonconvex" in s for s in solution.messages)
    m.leader.set_value(m.x - m.y)
    verified = bl.solve(m, "bilevel x\nmin f y")
    assert verified.status is Status.OPTIMAL  # an optimum of the relaxation that passes is optimal
    assert verified.variables["y"] == pytest.approx(3.0, abs=1e-6)


# --- Encodings and solvers by name


@pytest.mark.parametrize(("solver", "encoding"), [("ipopt", "scholtes"), ("scip", "sos1")])
def test_a_solver_asked_for_brings_its_encoding(solver: str, encoding: str) -> None:
    if solver == "ipopt":
        pytest.importorskip("casadi")
    solution = bl.solve(follow(), C, solver=solver)
    assert solution.encoding == encoding
    assert solution.objective == pytest.approx(2.75, abs=1e-5)
    assert solution.status is (Status.FEASIBLE if solver == "ipopt" else Status.OPTIMAL)


def test_highs_takes_a_given_bound() -> None:
    solution = bl.solve(linear(), "bilevel x\nmin f y e1 e2 e3 e4", solver="highs", big_m=40.0)
    assert solution.solver.startswith("HiGHS")
    assert solution.encoding == "big-m"
    assert solution.objective == pytest.approx(-12, abs=1e-6)


def test_a_local_solver_never_promises_exactness() -> None:
    pytest.importorskip("casadi")
    m = plain(y=(None, None))
    square(m)
    made = bl.reformulate(m, "bilevel x\nmin f y", encoding="sos1", solver="ipopt")  # no pairs: the encoding has nothing to do
    assert (made.encoding, made.exactness) == (None, Exactness.STATIONARY)


def test_a_time_limit_is_told_with_the_best_point() -> None:
    solution = bl.solve(pairs(), "", encoding="sos1", solver="scip", solver_options={"limits/nodes": 1})
    assert solution.status in (Status.LIMIT, Status.OPTIMAL)


def test_highs_and_a_quadratic_leader() -> None:
    # HiGHS takes a quadratic objective, and binaries, but not both: a search over QPs needs no binaries.
    assert bl.solve(follow(), C, solver="highs").encoding == "branch"
    with pytest.raises(RefusedError, match="highs does not take integer variables and a convex quadratic objective together"):
        bl.solve(follow(), C, solver="highs", encoding="big-m")
