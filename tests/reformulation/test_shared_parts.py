"""What agents have in common, in the rewritten model: names, multipliers, and the three ways with state variables.

The answers are worked out on paper: two Cournot firms with p = 1 - x_1 - x_2 sell 1/3 each; two players with (x_i - i)^2 and the
shared row x_1 + x_2 <= 2 end at (0.5, 1.5) with the common multiplier -1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.reformulation.optimality_conditions import build_mpec
from bilevel_lang.reformulation.options import IMPLICIT_WAYS
from bilevel_lang.solution import Status
from tests.resolver.equilibria import embedded, game, quasi, without

PRICE = "equilibrium max profit(1) x(1) p max profit(2) x(2) p implicit p demand"
SHARED = "equilibrium min cost(1) x(1) total min cost(2) x(2) total"


def solved(model: Any, text: str, **options: Any) -> bl.BilevelSolution:
    solution = bl.solve(model, text, **options)
    assert solution.status is Status.OPTIMAL, solution.messages
    assert solution.verified
    return solution


@pytest.mark.parametrize("way", IMPLICIT_WAYS)
def test_all_ways_agree_with_the_answer_on_paper(way: str) -> None:
    found = solved(without(game(), "total"), PRICE, implicit=way).variables
    assert [found["x[1]"], found["x[2]"], found["p"]] == pytest.approx([1 / 3] * 3, abs=1e-5)


@pytest.mark.parametrize("way", IMPLICIT_WAYS)
def test_a_firm_that_takes_the_price_as_given_sells_more(way: str) -> None:
    """Firm 2 earns p x_2 - x_2^2 / 2 at a given p: x_2 = p = 1/3 = x_1, from 1 - 2 x_1 - x_2 = 0. Knowing it, x_2 = 1/5."""
    model = without(game(), "total")
    model.taker = pyo.Expression(expr=model.p * model.x[2] - model.x[2] ** 2 / 2)
    text = "equilibrium max profit(1) x(1) p max taker x(2) implicit p demand"
    found = solved(model, text, implicit=way).variables
    assert [found["x[1]"], found["x[2]"], found["p"]] == pytest.approx([1 / 3] * 3, abs=1e-5)


@pytest.mark.parametrize("way", IMPLICIT_WAYS)
def test_a_bound_of_a_state_variable_binds_every_agent(way: str) -> None:
    """p >= 0.4 leaves x_1 + x_2 <= 0.6: at x = (0.3, 0.3) neither firm may sell more, and both would like to."""
    model = without(game(), "total")
    model.p.setlb(0.4)
    found = solved(model, PRICE, implicit=way).variables
    assert found["p"] == pytest.approx(0.4, abs=1e-5)
    assert found["x[1]"] + found["x[2]"] == pytest.approx(0.6, abs=1e-5)


@pytest.mark.parametrize("way", IMPLICIT_WAYS)
def test_two_state_variables_that_depend_on_each_other(way: str) -> None:
    """p = 1 - x_1 - x_2 by way of q = 2 p and q + p = 3 (1 - x_1 - x_2)."""
    model = without(game(), "total")
    model.q = pyo.Var()
    model.demand.set_value(model.q + model.p == 3 - 3 * model.x[1] - 3 * model.x[2])
    model.double = pyo.Constraint(expr=model.q - 2 * model.p == 0)
    text = "equilibrium max profit(1) x(1) p q max profit(2) x(2) p q implicit p demand q double"
    found = solved(model, text, implicit=way).variables
    assert [found["x[1]"], found["x[2]"], found["p"], found["q"]] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 2 / 3], abs=1e-5)


@pytest.mark.parametrize("way", IMPLICIT_WAYS)
def test_a_curved_row(way: str) -> None:
    """exp(p) = exp(1 - x_1 - x_2): the same price, by a row with a derivative that is not constant."""
    model = without(game(), "total")
    model.p.setlb(0)
    model.p.setub(1)
    model.demand.set_value(pyo.exp(model.p) - pyo.exp(1 - model.x[1] - model.x[2]) == 0)
    found = solved(model, PRICE, implicit=way).variables
    assert [found["x[1]"], found["x[2]"], found["p"]] == pytest.approx([1 / 3] * 3, abs=1e-4)


def test_substitution_says_what_it_takes_for_granted() -> None:
    model = without(game(), "total")
    model.demand.set_value(pyo.exp(model.p) - pyo.exp(1 - model.x[1] - model.x[2]) == 0)
    problem = bl.resolve(model, PRICE)
    built = build_mpec(problem, implicit="substitution")
    assert len(built.assumed) == 2
    assert not build_mpec(problem).assumed
    made = bl.reformulate(model, PRICE, implicit="substitution")
    assert any("may be lost" in said for said in made.warnings)


def test_rows_that_determine_nothing_are_refused() -> None:
    model = without(game(), "total")
    model.q = pyo.Var()
    model.same = pyo.Constraint(expr=2 * model.p + 2 * model.q - model.x[1] == 0)
    model.demand.set_value(model.p + model.q + model.x[1] + model.x[2] == 1)
    text = "equilibrium max profit(1) x(1) p q max profit(2) x(2) p q implicit p demand q same"
    with pytest.raises(RefusedError, match="singular"):
        bl.reformulate(model, text, implicit="substitution")


def test_an_unknown_way_is_named() -> None:
    with pytest.raises(UsageError, match="switchin'"):
        bl.solve(without(game(), "total"), PRICE, implicit="switchin")


@pytest.mark.parametrize(
    ("way", "copies", "multipliers"),
    [
        ("switching", [], ["max profit[1].demand", "max profit[2].demand"]),
        ("replication", ["max profit[2].p"], ["max profit[1].demand", "max profit[2].demand"]),
        ("substitution", [], []),
    ],
)
def test_what_is_in_the_block(way: str, copies: list[str], multipliers: list[str]) -> None:
    block = build_mpec(bl.resolve(without(game(), "total"), PRICE), implicit=way).block
    assert sorted(block.state_copy) == copies
    assert sorted(block.state_row) == [name.replace(".p", ".demand") for name in copies]
    assert sorted(block.multiplier) == multipliers


def test_one_multiplier_for_all() -> None:
    model = without(game(), "demand")
    solution = solved(model, f"{SHARED} visol total")
    assert [solution.variables[f"x[{i}]"] for i in (1, 2)] == pytest.approx([0.5, 1.5], abs=1e-5)
    assert solution.duals == pytest.approx({"total": -1}, abs=1e-5)


def test_one_multiplier_for_all_as_a_variable() -> None:
    model = without(game(), "demand")
    model.u.setub(0)
    solution = solved(model, f"{SHARED} visol total dualvar u total")
    assert solution.variables["u"] == pytest.approx(-1, abs=1e-5)
    assert dict(solution.summary)["Dual Variable Maps"] == 1


@pytest.mark.parametrize("kinds", [("min cost", "max gain"), ("max gain", "min cost")])
def test_agents_of_both_senses_report_it_with_their_own_sign(kinds: tuple[str, str]) -> None:
    model = without(game(), "demand")
    model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    agents = " ".join(f"{kind}({i}) x({i}) total" for i, kind in enumerate(kinds, start=1))
    solution = solved(model, f"equilibrium {agents} visol total dualvar u total")
    signs = {kind: -1.0 if kind.startswith("min") else 1.0 for kind in kinds}
    assert solution.duals == pytest.approx({f"{kind}[{i}].total": signs[kind] for i, kind in enumerate(kinds, start=1)}, abs=1e-5)
    assert solution.variables["u"] == pytest.approx(signs[kinds[0]], abs=1e-5)  # the first agent's
    assert model.total not in model.dual


def test_a_multiplier_for_each() -> None:
    model = without(game(), "demand")
    model.rc = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    solution = solved(model, f"{SHARED} sharedequ total")
    one, two = solution.variables["x[1]"], solution.variables["x[2]"]
    assert one + two == pytest.approx(2, abs=1e-5)
    assert solution.duals["min cost[1].total"] == pytest.approx(2 * (one - 1), abs=1e-4) or one == pytest.approx(0, abs=1e-5)
    assert any("rarely unique" in said for said in solution.messages)
    assert model.total not in model.dual
    assert model.rc[model.x[2]] == pytest.approx(2 * (two - 2) - solution.duals["min cost[2].total"], abs=1e-4)


def test_a_shared_equality_and_a_shared_range() -> None:
    model = without(game(), "demand")
    model.total.set_value(model.x[1] + model.x[2] == 2)
    found = solved(model, f"{SHARED} visol total")
    assert found.duals == pytest.approx({"total": -1}, abs=1e-5)
    model.total.set_value((1, model.x[1] + model.x[2], 2))
    found = solved(model, f"{SHARED} visol total")
    assert [found.variables[f"x[{i}]"] for i in (1, 2)] == pytest.approx([0.5, 1.5], abs=1e-5)


def test_followers_may_share_a_row() -> None:
    """The leader sets the limit t of x_1 + x_2 <= t: x_i = i - (3 - t) / 2. It wants x_1 = 0.5, so t = 2."""
    model = without(game(), "demand")
    model.t = pyo.Var(bounds=(1.5, 5))
    model.total.set_value(model.x[1] + model.x[2] - model.t <= 0)
    model.leader = pyo.Objective(expr=(model.x[1] - 0.5) ** 2)
    solution = solved(model, "bilevel t min cost(1) x(1) total min cost(2) x(2) total visol total")
    assert solution.objective == pytest.approx(0, abs=1e-6)
    assert solution.variables["t"] == pytest.approx(2, abs=1e-3)


def test_a_leader_over_a_qvi() -> None:
    """y_i = 10 at most what the other leaves of the leader's t: y_1 + y_2 = t for t <= 20, whatever the split."""
    model = pyo.ConcreteModel()
    model.t = pyo.Var(bounds=(0, 12))
    model.y = pyo.Var([1, 2], bounds=(0, None))
    model.x = pyo.Var([1, 2])
    model.F = pyo.Expression([1, 2], rule=lambda m, i: m.y[i] - 10)
    model.g = pyo.Constraint([1, 2], rule=lambda m, i: m.y[i] + m.x[3 - i] - m.t <= 0)
    model.leader = pyo.Objective(expr=-model.y[1] - model.y[2])
    solution = solved(model, "bilevel t qvi F y x g")
    assert solution.objective == pytest.approx(-12, abs=1e-5)


def test_a_qvi_has_its_links() -> None:
    block = build_mpec(bl.resolve(quasi(), "qvi F y x g")).block
    assert sorted(block.link) == ["x[1]", "x[2]"]
    found = solved(quasi(), "qvi F y x g").variables
    assert found == pytest.approx({"y[1]": 10, "y[2]": 5, "x[1]": 10, "x[2]": 5}, abs=1e-5)


def test_the_top_down_form_has_the_answer_of_the_long_one() -> None:
    short = solved(embedded(), "dualequ H y dualvar lam g")
    model = embedded()
    long = solved(model, "equilibrium min obj x g vi H y dualvar lam g")
    assert short.variables == pytest.approx(long.variables, abs=1e-6)
    assert short.variables == pytest.approx({"x": -1, "y": 0, "lam": 2}, abs=1e-6)


def test_nothing_shared_nothing_added() -> None:
    block = build_mpec(bl.resolve(embedded(), "dualequ H y dualvar lam g")).block
    assert block.component("link") is None
    assert block.component("state_copy") is None


@pytest.mark.parametrize("way", IMPLICIT_WAYS)
def test_a_row_with_the_state_variable_binds_the_agent_that_lists_it(way: str) -> None:
    """Firm 1 alone must keep p >= 0.4: x_1 = 0.6 - x_2 and x_2 = (1 - x_1) / 2, so that x = (0.2, 0.4)."""
    model = without(game(), "total")
    model.floor = pyo.Constraint(expr=model.p >= 0.4)
    text = "equilibrium max profit(1) x(1) p floor max profit(2) x(2) p implicit p demand"
    found = solved(model, text, implicit=way).variables
    assert [found["x[1]"], found["x[2]"], found["p"]] == pytest.approx([0.2, 0.4, 0.4], abs=1e-5)
    # The same with firm 2 in its place: then it is firm 2 that has the copies.
    text = "equilibrium max profit(1) x(1) p max profit(2) x(2) p floor implicit p demand"
    found = solved(model, text, implicit=way).variables
    assert [found["x[1]"], found["x[2]"], found["p"]] == pytest.approx([0.4, 0.2, 0.4], abs=1e-5)


@pytest.mark.parametrize("way", IMPLICIT_WAYS)
def test_a_vi_may_have_state_variables(way: str) -> None:
    """Firm 2 as the VI of its gradient: F = (-p, -x_2) over the pairs (x_2, p) on the row."""
    model = without(game(), "total")
    model.F = pyo.Expression([1, 2], rule=lambda m, i: -m.p if i == 1 else -m.x[2])
    text = "equilibrium max profit(1) x(1) p vi F(1) x(2) F(2) p implicit p demand"
    found = solved(model, text, implicit=way).variables
    assert [found["x[1]"], found["x[2]"], found["p"]] == pytest.approx([1 / 3] * 3, abs=1e-5)


@pytest.mark.parametrize("way", IMPLICIT_WAYS)
def test_followers_with_a_state_variable(way: str) -> None:
    """A leader puts t on p = 1 - x_1 - x_2 + t: x_i = (1 + t) / 3, and it wants x_1 = 0.5."""
    model = without(game(), "total")
    model.t = pyo.Var(bounds=(0, 1))
    model.demand.set_value(model.p + model.x[1] + model.x[2] - model.t == 1)
    model.leader = pyo.Objective(expr=(model.x[1] - 0.5) ** 2)
    text = "bilevel t max profit(1) x(1) p max profit(2) x(2) p implicit p demand"
    solution = bl.solve(model, text, implicit=way)
    assert solution.verified
    assert solution.objective == pytest.approx(0, abs=1e-6)
    assert solution.variables["t"] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_games_with_a_potential_against_its_minimum(seed: int) -> None:
    """With symmetric cross terms the common multipliers are those of one quadratic program, which HiGHS solves by itself."""
    random = np.random.default_rng(seed)
    n, rows = 3, 2
    square = random.integers(-3, 4, (n, n))
    hessian = square @ square.T + n * np.eye(n)
    linear = random.integers(-20, 0, n)
    normals, limits = random.integers(1, 5, (rows, n)), random.integers(2, 9, rows)

    def build() -> Any:
        m = pyo.ConcreteModel()
        m.N = pyo.RangeSet(0, n - 1)
        m.x = pyo.Var(m.N, bounds=(0, None))
        m.g = pyo.Constraint(range(rows), rule=lambda m, k: sum(int(normals[k, i]) * m.x[i] for i in m.N) <= int(limits[k]))
        return m

    one = build()
    total = sum(float(hessian[i, j]) * one.x[i] * one.x[j] / 2 for i in range(n) for j in range(n))
    one.potential = pyo.Objective(expr=total + sum(float(linear[i]) * one.x[i] for i in range(n)))
    best = bl.solve(one, "").variables

    many = build()
    pull = {i: sum(float(hessian[i, j]) * many.x[j] for j in range(n) if j != i) + float(linear[i]) for i in range(n)}
    many.cost = pyo.Expression(many.N, rule=lambda m, i: float(hessian[i, i]) * m.x[i] ** 2 / 2 + pull[i] * m.x[i])
    found = solved(many, "equilibrium for i in N: min cost(i) x(i) g visol g").variables
    assert found == pytest.approx(best, abs=1e-4)
    quasi_text = "equilibrium for i in N: min cost(i) x(i) g sharedequ g"
    point = {name: value for name, value in best.items() if name.startswith("x")}
    assert bl.verify(many, quasi_text, point, tolerance=1e-4).verified  # a variational equilibrium is one with own multipliers


def test_several_qvis_and_pairs_over_a_set() -> None:
    model = quasi()
    model.I = pyo.Set(initialize=[1, 2])
    found = solved(model, "equilibrium for i in I: qvi F(i) y(i) x(i) g(i)").variables
    assert [found["y[1]"], found["y[2]"]] == pytest.approx([10, 5], abs=1e-5)
    model = embedded()
    model.I = pyo.Set(initialize=[1])
    model.K = pyo.Expression(model.I, rule=lambda m, i: m.y + m.lam - 2)
    model.H.deactivate()
    found = solved(model, "for i in I: dualequ K(i) y dualvar lam g").variables
    assert found["x"] == pytest.approx(-1, abs=1e-6)
