"""The examiner against points whose worth is known by hand: right ones pass, wrong ones fail, at every scale."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap
from pyomo.mpec import Complementarity, complements

import bilevel_lang
from bilevel_lang.solution import Certificate, Point
from bilevel_lang.verification import complete_values, verify
from tests.resolver.equilibria import game, quasi, without


def check(model: Any, text: str, **values: float) -> Certificate:
    return bilevel_lang.verify(model, text, {name.replace("__", "."): value for name, value in values.items()})


def tracking(kind: str = "min", scale: float = 1.0, shift: float = 0.0) -> pyo.ConcreteModel:
    """The follower tracks the leader: y = x."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(0, 4))
    m.o = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=(1 if kind == "min" else -1) * scale * (m.y - m.x) ** 2 + shift)
    return m


@pytest.mark.parametrize("kind", ["min", "max"])
@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1.0, 1e6])
@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_the_verdict_does_not_depend_on_scale_or_shift(kind: str, scale: float, shift: float) -> None:
    if shift and scale < 1e-4:
        pytest.skip("1e-8 beside 1e3 is at the rounding error of the sum")
    m = tracking(kind, scale, shift)
    assert check(m, f"bilevel x\n{kind} f y", x=1.0, y=1.0).verified
    wrong = check(m, f"bilevel x\n{kind} f y", x=1.0, y=1.1)
    assert not wrong.verified
    assert wrong.followers[0].gap == pytest.approx(0.01 * scale, rel=1e-2)
    assert any("could have" in r for r in wrong.remarks)


def test_a_row_of_tiny_numbers_is_not_a_way_out() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(0, 4))
    m.o = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=m.y)
    m.c = pyo.Constraint(expr=1e-7 * m.y >= 1e-7 * m.x)
    assert check(m, "bilevel x\nmin f y c", x=1.0, y=1.0).verified
    assert not check(m, "bilevel x\nmin f y c", x=1.0, y=0.0).verified


def test_a_point_better_than_every_feasible_one_is_refused() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(0, 4))
    m.o = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=m.y)
    m.c = pyo.Constraint(expr=m.y**3 >= m.x)
    # 5e-6 of violation is within the tolerance of rows and worth 0.017 in the objective.
    found = check(m, "bilevel x\nmin f y c", x=5e-6, y=0.0)
    assert found.follower_feasibility < 1e-5
    assert not found.verified
    assert "better than the best feasible one" in found.remarks[0]


def test_an_equality_follower() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(bounds=(0, 2)), pyo.Var(), pyo.Var()
    m.o = pyo.Objective(expr=m.x)
    m.f = pyo.Expression(expr=m.y**2 + m.z**2)
    m.c = pyo.Constraint(expr=m.y + m.z == m.x)
    assert check(m, "bilevel x\nmin f y z c", x=2.0, y=1.0, z=1.0).verified
    assert not check(m, "bilevel x\nmin f y z c", x=2.0, y=2.0, z=0.0).verified
    assert not check(m, "bilevel x\nmin f y z c", x=2.0, y=0.9, z=0.9).verified


def test_infeasible_and_unbounded_followers() -> None:
    m = tracking()
    m.c = pyo.Constraint(expr=m.y >= 3 + 2 * m.x)
    empty = check(m, "bilevel x\nmin f y c", x=1.0, y=4.0)
    assert not empty.verified
    n = pyo.ConcreteModel()
    n.x, n.y = pyo.Var(bounds=(0, 2)), pyo.Var()
    n.o, n.f = pyo.Objective(expr=n.x), pyo.Expression(expr=n.x * n.y)
    found = check(n, "bilevel x\nmin f y", x=1.0, y=0.0)
    assert not found.verified and "unbounded" in found.remarks[0]


def prisoners() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x, m.a, m.b = pyo.Var(), pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1))
    m.o = pyo.Objective(expr=m.x)
    m.fa, m.fb = pyo.Expression(expr=2 * m.b - m.a), pyo.Expression(expr=2 * m.a - m.b)
    return m


def test_nash_each_alone_and_never_jointly() -> None:
    # 1 = keep silent costs 1 and gives the other 2: (0, 0) is the equilibrium though (1, 1) is better for both.
    text = "bilevel x\nmax fa a\nmax fb b"
    assert check(prisoners(), text, x=0.0, a=0.0, b=0.0).verified
    found = check(prisoners(), text, x=0.0, a=1.0, b=0.0)
    assert [f.verified for f in found.followers] == [False, True] and not found.verified


def test_leader_rows_bounds_domains_and_definitions() -> None:
    m = tracking()
    m.n = pyo.Var(domain=pyo.Integers)
    m.row = pyo.Constraint(expr=m.x + m.y + m.n <= 3)
    text = "bilevel x n\nmin f y"
    assert check(m, text, x=1.0, y=1.0, n=1.0).verified
    for bad in ({"n": 1.5}, {"n": 2.0}, {"n": math.nan}, {"n": math.inf}):
        assert not check(m, text, **({"x": 1.0, "y": 1.0} | bad)).verified
    assert not check(m, text, x=2.1, y=2.1, n=-2.0).verified

    g = pyo.ConcreteModel()
    g.x, g.y, g.obj = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(0, 4)), pyo.Var()
    g.o = pyo.Objective(expr=g.x)
    g.define = pyo.Constraint(expr=g.obj == (g.y - g.x) ** 2 + 1)
    assert check(g, "bilevel x\nmin obj y define", x=1.0, y=1.0, obj=1.0).verified
    assert not check(g, "bilevel x\nmin obj y define", x=1.0, y=1.0, obj=0.5).verified


def test_an_integer_follower() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 9), domain=pyo.Integers)
    m.o, m.f, m.c = pyo.Objective(expr=m.x), pyo.Expression(expr=m.y), pyo.Constraint(expr=2 * m.y >= m.x)
    assert check(m, "bilevel x\nmin f y c", x=3.0, y=2.0).verified
    assert not check(m, "bilevel x\nmin f y c", x=3.0, y=1.5).verified
    assert not check(m, "bilevel x\nmin f y c", x=3.0, y=3.0).verified


def test_multipliers_of_dualvar() -> None:
    for kind, sign in (("min", 1.0), ("max", -1.0)):
        m = pyo.ConcreteModel()
        m.u, m.y = pyo.Var(), pyo.Var()
        m.o, m.f, m.c = pyo.Objective(expr=m.u), pyo.Expression(expr=sign * m.y**2 / 2), pyo.Constraint(expr=m.y >= 2)
        text = f"bilevel\n{kind} f y c\ndualvar u c"
        assert check(m, text, u=2.0 * sign, y=2.0).verified
        found = check(m, text, u=1.9 * sign, y=2.0)
        assert not found.verified and found.dual_residual == pytest.approx(0.05, rel=0.5)
        assert "dualvar" in found.remarks[-1]


def test_conditions_of_the_modeller() -> None:
    m = tracking()
    m.k = Complementarity(expr=complements(m.x >= 0, 2 - m.y >= 0))
    assert check(m, "bilevel x\nmin f y", x=0.0, y=0.0).verified
    assert not check(m, "bilevel x\nmin f y", x=1.0, y=1.0).verified
    s = tracking()
    s.w = pyo.Var(bounds=(0, 1))
    s.sos = pyo.SOSConstraint([1], rule=lambda b, i: ([b.x, b.w], [1, 2]), sos=1)
    assert check(s, "bilevel x w\nmin f y", x=1.0, y=1.0, w=0.0).verified
    assert not check(s, "bilevel x w\nmin f y", x=1.0, y=1.0, w=1.0).verified


def test_a_condition_that_cannot_be_measured_leaves_the_point_unverified() -> None:
    m = tracking()
    m.b = pyo.BooleanVar()
    m.logic = pyo.LogicalConstraint(expr=m.b)
    found = check(m, "bilevel x\nmin f y", x=1.0, y=1.0)
    assert not found.verified
    assert "LogicalConstraint: 'logic'" in found.remarks[0]
    m.logic.deactivate()
    assert check(m, "bilevel x\nmin f y", x=1.0, y=1.0).verified


def test_variables_that_the_point_lacks_or_that_are_fixed() -> None:
    m = tracking()
    m.z = pyo.Var(bounds=(3, 5), domain=pyo.Integers)
    m.k = pyo.Var(initialize=7.0)
    m.k.fix()
    problem = bilevel_lang.resolve(m, "bilevel x\nmin f y")
    values = complete_values(problem, Point(ComponentMap([(m.x, 1.0), (m.y, 1.0), (m.k, 8.0)])))
    assert (values[m.z], values[m.k]) == (3.0, 7.0)
    assert verify(problem, Point(ComponentMap([(m.x, 1.0), (m.y, 1.0)]))).verified
    assert not verify(problem, Point(ComponentMap([(m.x, 1.0), (m.y, 1.0), (m.k, 8.0)]))).verified


def test_nan_anywhere_fails() -> None:
    for bad in ({"x": math.nan, "y": 1.0}, {"x": 1.0, "y": math.nan}):
        found = check(tracking(), "bilevel x\nmin f y", **bad)
        assert not found.verified and found.remarks


def test_a_vi_follower() -> None:
    for factor in (1e-8, 1.0):
        m = pyo.ConcreteModel()
        m.x, m.y = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(0, 4))
        m.o, m.F = pyo.Objective(expr=m.x), pyo.Expression(expr=factor * (m.y - m.x))
        assert check(m, "bilevel x\nvi F y", x=1.0, y=1.0).verified
        found = check(m, "bilevel x\nvi F y", x=1.0, y=0.0)
        assert not found.verified and "natural-map residual" in found.remarks[0]


def test_a_nonconvex_follower_is_solved_globally() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var(bounds=(-0.5, 1))
    m.o, m.f = pyo.Objective(expr=m.y), pyo.Expression(expr=-(m.y**2))
    assert check(m, "bilevel x\nmin f y", x=0.0, y=1.0).verified
    for stationary in (-0.5, 0.0):
        assert not check(m, "bilevel x\nmin f y", x=0.0, y=stationary).verified


def test_an_agent_that_no_solver_can_examine_leaves_the_point_unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    from bilevel_lang import Status, solve, verification
    from bilevel_lang.errors import SolverFailedError

    def broken(*_: object, **__: object) -> None:
        raise SolverFailedError("the solver broke down")

    monkeypatch.setattr(verification, "best_response", broken)
    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, 4))
    model.y = pyo.Var(bounds=(0, 4))
    model.lead = pyo.Objective(expr=model.x - model.y)
    model.low = pyo.Expression(expr=(model.y - model.x) ** 2)
    solution = solve(model, "bilevel x\nmin low y\n")
    assert solution.status is Status.VERIFICATION_FAILED
    assert solution.variables["x"] == pytest.approx(solution.variables["y"], abs=1e-6)
    assert any("the solver broke down" in message for message in solution.messages)


def test_the_twins_of_a_qvi() -> None:
    m = quasi()
    answer = {"y[1]": 10, "y[2]": 5}
    assert check(m, "qvi F y x g", **answer).verified  # twins that are not told take the values of their variables
    assert check(m, "qvi F y x g", **answer, **{"x[1]": 10, "x[2]": 5}).verified
    apart = check(m, "qvi F y x g", **answer, **{"x[1]": 10, "x[2]": 4})
    assert not apart.verified
    assert apart.leader_feasibility == pytest.approx(0.2)
    assert any("twins" in said for said in apart.remarks)
    assert not check(m, "qvi F y x g", **{"y[1]": 9, "y[2]": 5}).verified
    m.x[1].setub(8)
    assert not check(m, "qvi F y x g", **answer).verified


def test_the_set_of_a_qvi_is_the_one_at_its_answer() -> None:
    """y wants 10 and may have 10 - x: with x moving along it could have nothing better than 5, with x given it takes the rest."""
    m = pyo.ConcreteModel()
    m.y, m.x = pyo.Var(bounds=(0, None)), pyo.Var()
    m.F = pyo.Expression(expr=m.y - 10)
    m.g = pyo.Constraint(expr=m.y + m.x <= 10)
    assert check(m, "qvi F y x g", y=5.0).verified
    assert not check(m, "qvi F y x g", y=4.0).verified


def test_common_multipliers() -> None:
    m = without(game(), "demand")
    text = "equilibrium min cost(1) x(1) total min cost(2) x(2) total "
    right, other = {"x[1]": 0.5, "x[2]": 1.5}, {"x[1]": 1.0, "x[2]": 1.0}
    assert check(m, f"{text} visol total", **right).common_residual == pytest.approx(0, abs=1e-9)
    assert check(m, f"{text} visol total", **right).verified
    refused = check(m, f"{text} visol total", **other)
    assert not refused.verified
    assert all(f.verified for f in refused.followers)  # an equilibrium it is, but with other prices for other players
    assert any("no common multiplier" in said for said in refused.remarks)
    assert check(m, f"{text} sharedequ total", **other).verified
    assert check(m, f"{text} sharedequ total", **other).common_residual is None


def test_a_state_variable_moves_with_every_agent_that_lists_it() -> None:
    m = without(game(), "total")
    both = "equilibrium max profit(1) x(1) p max profit(2) x(2) p implicit p demand"
    assert check(m, both, **{"x[1]": 1 / 3, "x[2]": 1 / 3, "p": 1 / 3}).verified
    given = {"x[1]": 0.5, "x[2]": 0.5, "p": 0.0}  # where both take the price as given, it falls to their cost
    assert not check(m, both, **given).verified
    m.x[1].setub(0.5)
    m.x[2].setub(0.5)
    one = "equilibrium max profit(1) x(1) p max profit(2) x(2) implicit p demand"
    assert check(m, one, **{"x[1]": 0.25, "x[2]": 0.5, "p": 0.25}).verified
    assert not check(m, both, **{"x[1]": 0.25, "x[2]": 0.5, "p": 0.25}).verified
