"""``adjustequ``: what a soft row costs, to whom, and what becomes of the modeller's model."""

from __future__ import annotations

import math
import random

import pyomo.environ as pyo
import pytest
from scipy.optimize import minimize_scalar

from bilevel_lang import solve, verify
from bilevel_lang.solution import Status
from tests.resolver.models import mistakes, resolved


def clash(sense: int = pyo.minimize, objective: float = 1.0) -> pyo.ConcreteModel:
    """x >= 4 and x <= 2 exclude each other; x is in [0, 10] and has the price 1."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.low = pyo.Constraint(expr=m.x >= 4)
    m.high = pyo.Constraint(expr=m.x <= 2)
    m.obj = pyo.Objective(expr=objective * m.x, sense=sense)
    return m


# By hand: the objective with the penalty, over the rows that stay hard.
BY_HAND = [
    ("low abs 3", 2, 8),
    ("high abs", 4, 6),  # weight 1
    ("high maxz 3", 4, 10),
    ("low sqr 3", 2, 14),
    ("low abs 3 high abs 5", 2, 8),  # 1 + 5 > 3: not beyond high
    ("low abs 3 high abs 1", 4, 6),  # 1 + 1 < 3
    ("low sqr 3 high abs 0.5", 3.75, 4.8125),  # 1 + 0.5 = 6 (4 - x)
]


@pytest.mark.parametrize(("text", "x", "objective"), BY_HAND)
@pytest.mark.parametrize("type", ["", "\nmodeltype mcp"], ids=["direct", "mcp"])
def test_an_infeasible_pair_of_rows_at_a_price(text: str, x: float, objective: float, type: str) -> None:
    model = clash()
    solution = solve(model, f"adjustequ {text}{type}")
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(objective, rel=1e-5)
    assert dict(solution.variables) == {"x": pytest.approx(x, abs=1e-5)}
    assert model.x.value == pytest.approx(x, abs=1e-5)
    assert solution.summary["Adjusted Constraint"] == text.replace("maxz", "abs").replace("sqr", "abs").count("abs")


def test_the_rows_stay_hard_in_the_modellers_model() -> None:
    model = clash()
    before = [(str(c.body), c.lb, c.ub) for c in model.component_data_objects(pyo.Constraint)]
    text = str(model.obj.expr)
    names = [c.name for c in model.component_objects()]
    solve(model, "adjustequ low abs 3")
    assert [(str(c.body), c.lb, c.ub) for c in model.component_data_objects(pyo.Constraint)] == before
    assert str(model.obj.expr) == text
    assert [c.name for c in model.component_objects()] == names


def test_the_penalty_of_a_maximisation_is_subtracted() -> None:
    # max 2 x with x <= 2 at 3 a unit: nothing to gain above 2, and x >= 4 is given up for nothing below its own price.
    solution = solve(clash(pyo.maximize, 2.0), "adjustequ high abs 3 low abs 0.5")
    assert solution.objective == pytest.approx(2 * 2 - 0.5 * 2)
    assert solution.variables["x"] == pytest.approx(2)
    solution = solve(clash(pyo.maximize, 2.0), "adjustequ high sqr 0.25")  # 2 = 0.5 (x - 2)
    assert solution.variables["x"] == pytest.approx(6, abs=1e-4)
    assert solution.objective == pytest.approx(12 - 4)


def follower() -> pyo.ConcreteModel:
    """The follower minimises y with y >= x; the leader wants y near 2."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.y = pyo.Var(bounds=(0, 10))
    m.above = pyo.Constraint(expr=m.y - m.x >= 0)
    m.cost = pyo.Expression(expr=m.y)
    m.obj = pyo.Objective(expr=(m.y - 2) ** 2)
    return m


@pytest.mark.parametrize(
    ("penalty", "x", "y"),
    [
        ("abs 3", 2, 2),  # dearer than y: the row is kept
        ("maxz 1.5", 2, 2),
        ("sqr 1", 2.5, 2),  # y = x - 1 / (2 weight)
        ("sqr 0.25", 4, 2),
    ],
)
def test_a_soft_row_of_a_follower(penalty: str, x: float, y: float) -> None:
    solution = solve(follower(), f"bilevel x\nmin cost y above\nadjustequ above {penalty}")
    assert solution.status is Status.OPTIMAL
    assert solution.verified
    assert (solution.variables["x"], solution.variables["y"]) == pytest.approx((x, y), abs=1e-4)


def test_a_price_below_the_followers_own_cost_makes_the_row_worthless() -> None:
    solution = solve(follower(), "bilevel x\nmin cost y above\nadjustequ above abs 0.5")
    assert solution.objective == pytest.approx(4)  # y = 0 whatever the leader does
    assert solution.followers[0].verified


def test_the_multiplier_of_a_soft_row_is_at_most_its_price() -> None:
    model = follower()
    model.p = pyo.Var(bounds=(0, None))
    model.obj.set_value(model.obj.expr + 0 * model.p)
    solution = solve(model, "bilevel x\nmin cost y above\nadjustequ above abs 3\ndualvar p above")
    assert solution.status is Status.OPTIMAL
    assert -1e-6 <= solution.variables["p"] <= 3 + 1e-6
    assert solution.variables["p"] == pytest.approx(1)  # y is inside its bounds: its cost is the price of the row


def test_an_objective_variable_keeps_its_definition() -> None:
    model = follower()
    model.z = pyo.Var()
    model.defz = pyo.Constraint(expr=model.z == model.y)
    solution = solve(model, "bilevel x\nmin z y above defz\nadjustequ above sqr 1")
    assert solution.variables["x"] == pytest.approx(2.5, abs=1e-4)
    assert solution.variables["z"] == pytest.approx(solution.variables["y"], abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_random_soft_rows_against_a_search_along_the_line(seed: int) -> None:
    rng = random.Random(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-10, 10))
    slope = rng.uniform(-2, 2)
    m.obj = pyo.Objective(expr=slope * m.x, sense=rng.choice([pyo.minimize, pyo.maximize]))
    m.row = pyo.ConstraintList()
    rows, words = [], []
    for k in range(1, 5):
        a, b, weight = rng.choice([-2, -1, 1, 3]), rng.uniform(-8, 8), round(rng.uniform(0.1, 4), 2)
        relation, penalty = rng.choice([("<=", "maxz"), (">=", "abs"), ("==", "abs"), ("==", "sqr"), ("<=", "sqr")])
        m.row.add(a * m.x <= b if relation == "<=" else a * m.x >= b if relation == ">=" else a * m.x == b)
        words.append(f"row({k}) {penalty} {weight}")
        rows.append((a, b, weight, relation, penalty))

    def total(x: float) -> float:
        price = 0.0
        for a, b, weight, relation, penalty in rows:
            off = a * x - b
            off = max(0.0, off) if relation == "<=" else max(0.0, -off) if relation == ">=" else abs(off)
            price += weight * (off**2 if penalty == "sqr" else off)
        return slope * x * (1 if m.obj.sense == pyo.minimize else -1) + price

    # Convex in x: one search finds the least.
    best = minimize_scalar(total, bounds=(-10, 10), method="bounded", options={"xatol": 1e-9}).fun
    best = min(best, total(-10), total(10))
    found = solve(m, "adjustequ " + "  ".join(words))
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(best if m.obj.sense == pyo.minimize else -best, abs=1e-4, rel=1e-5)


def test_nonlinear_rows_as_in_the_paper_on_emp() -> None:
    """Ferris, Dirkse, Jagla and Meeraus (2009): exp(x1) + 5 (log x1 - 1)^2 + 2 max(x2^2 - 2, 0) over the rows that stay."""
    m = pyo.ConcreteModel()
    m.x1 = pyo.Var(bounds=(0.1, 10), initialize=1)
    m.x2 = pyo.Var(bounds=(0.1, 10), initialize=1)
    m.x3 = pyo.Var(bounds=(0.1, 1e3), initialize=1)
    m.e1 = pyo.Constraint(expr=pyo.log(m.x1) == 1)
    m.e2 = pyo.Constraint(expr=m.x2**2 <= 2)
    m.e3 = pyo.Constraint(expr=m.x1 / m.x2 == pyo.log(m.x3))
    m.e4 = pyo.Constraint(expr=3 * m.x1 + m.x2 <= 5)
    m.obj = pyo.Objective(expr=pyo.exp(m.x1))
    # x2 and x3 are free to fit e3 and e4, so x1 decides alone.
    best = minimize_scalar(lambda x: math.exp(x) + 5 * (math.log(x) - 1) ** 2, bounds=(0.1, 1.6), method="bounded")
    solution = solve(m, "adjustequ e1 sqr 5 e2 maxz 2", time_limit=20)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(best.fun, rel=1e-5)
    assert solution.variables["x1"] == pytest.approx(best.x, abs=1e-3)


def test_a_point_of_the_modellers_is_measured_with_its_slacks() -> None:
    model, text = follower(), "bilevel x\nmin cost y above\nadjustequ above sqr 1"
    assert verify(model, text, {"x": 2.5, "y": 2.0}).verified
    assert not verify(model, text, {"x": 2.5, "y": 2.5}).verified  # the hard row's answer is too dear here


def test_suffixes_are_those_of_the_modellers_model() -> None:
    model = clash()
    model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    solve(model, "adjustequ low abs 3\nmodeltype mcp")
    assert model.dual[model.low] == pytest.approx(3)  # violated: the price is its multiplier
    assert model.dual[model.high] == pytest.approx(-2)


def test_what_is_resolved_names_owner_price_and_slacks() -> None:
    problem = resolved(follower(), "bilevel x\nmin cost y above\nadjustequ above maxz 3")
    assert problem.softening is not None
    (soft,) = problem.softening.rows
    assert (soft.name, soft.owner, soft.penalty, soft.weight) == ("above", "min cost", "maxz", 3.0)
    assert [side for _, side in soft.slacks] == ["below"]
    assert problem.softening.original.name == problem.model.name
    assert problem.model is not problem.softening.original


def test_without_a_leader_the_definition_holds_as_well() -> None:
    model = follower()
    model.obj.deactivate()
    model.z = pyo.Var()
    model.defz = pyo.Constraint(expr=model.z == model.y)
    model.near = pyo.Expression(expr=(model.x - 3) ** 2)
    solution = solve(model, "equilibrium\nmin z y above defz\nmin near x\nadjustequ above sqr 1")
    assert solution.status is Status.OPTIMAL
    assert [solution.variables[n] for n in "xyz"] == pytest.approx([3, 2.5, 2.5], abs=1e-5)


@pytest.mark.parametrize(
    "text", ["min f x s min g y s visol s adjustequ s abs", "min f x z min g y z implicit z s adjustequ s abs"]
)
def test_a_row_of_several_agents_stays_hard(text: str) -> None:
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9)), pyo.Var()
    m.f, m.g = pyo.Expression(expr=m.x), pyo.Expression(expr=m.y)
    m.s = pyo.Constraint(expr=m.x + m.y == m.z)
    assert "E21" in mistakes(m, f"equilibrium {text}")
