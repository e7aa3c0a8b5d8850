"""Disjunctions through the whole pipeline, against the enumeration of all choices."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pyomo.environ as pyo
import pytest
from scipy.optimize import linprog

from bilevel_lang import reformulate, solve
from bilevel_lang.errors import RefusedError
from bilevel_lang.solution import Exactness, Status


def jobs() -> Any:
    """GAMS model library, logmip1b; Raman and Grossmann (1994)."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(["A", "B", "C"], bounds=(0, 20))
    m.t = pyo.Var(bounds=(0, 30))
    m.done = pyo.Constraint(["A", "B", "C"], rule=lambda m, j: m.t >= m.x[j] + {"A": 8, "B": 5, "C": 6}[j])
    pairs = [("A", "C", 5), ("C", "A", 2), ("B", "C", 1), ("C", "B", 6), ("A", "B", 5), ("B", "A", 0)]
    m.before = pyo.Constraint(range(6), rule=lambda m, k: m.x[pairs[k][0]] - m.x[pairs[k][1]] <= -pairs[k][2])
    m.obj = pyo.Objective(expr=m.t)
    return m


ORDERS = "\n".join(f"disjunction * before({k}) else before({k + 1})" for k in (0, 2, 4))


@pytest.mark.parametrize("default", ["", "default chull 1e-5", "default bigm", "default bigm 1000", "default indic"])
def test_job_shop(default: str) -> None:
    solution = solve(jobs(), f"{default}\n{ORDERS}\nmodeltype mip")
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(11)
    assert solution.messages == ()


def test_a_given_m_that_is_too_small_proves_nothing() -> None:
    solution = solve(jobs(), f"default bigm 3\n{ORDERS}")
    assert solution.status is Status.UNKNOWN  # infeasible for this M, and no proof for the problem
    assert any("M = 3 of `before[0]` was given, not proven" in m for m in solution.messages)


def test_an_m_that_is_felt_is_not_trusted() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 100))
    m.u = pyo.Var(domain=pyo.Binary)
    m.low = pyo.Constraint(expr=m.x <= 1)
    m.other = pyo.Constraint(expr=m.x >= 2)
    m.obj = pyo.Objective(expr=m.x, sense=pyo.maximize)
    solution = solve(m, "disjunction bigm 10 u low else other")
    assert solution.objective == pytest.approx(11)  # the truth is 100
    assert solution.status is not Status.OPTIMAL
    assert solution.exactness is Exactness.APPROXIMATION
    assert any(message.startswith("not trusted: row `low`") for message in solution.messages)
    assert solve(m, "disjunction bigm u low else other").objective == pytest.approx(100)


@pytest.mark.parametrize("reform", ["chull", "bigm", "indic"])
@pytest.mark.parametrize("seed", range(8))
def test_random_choices_against_their_enumeration(seed: int, reform: str) -> None:
    rng = random.Random(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(3), bounds=(-5, 5))
    cost = [rng.uniform(-2, 2) for _ in range(3)]
    m.obj = pyo.Objective(expr=sum(c * m.x[i] for i, c in enumerate(cost)))
    m.u = pyo.Var(range(3), domain=pyo.Binary)
    m.pair = pyo.Constraint(expr=m.u[0] + m.u[1] <= 1)  # ties the first two choices together
    m.row = pyo.ConstraintList()
    data: list[tuple[list[float], float, str]] = []
    words, shape = [], []
    for k in range(3):
        size = rng.choice([2, 3])
        parts, branches = [], []
        for _ in range(size):
            a, b = [rng.choice([-1, 0, 1, 2]) for _ in range(2)] + [1], rng.uniform(-4, 4)
            relation = rng.choice(["<=", "<=", "=="])
            body = sum(c * m.x[i] for i, c in enumerate(a))
            m.row.add(body <= b if relation == "<=" else body == b)
            data.append((a, b, relation))
            parts.append(f"row({len(data)})")
            branches.append(len(data) - 1)
        middle = [f"elseif * {p}" for p in parts[1:-1]]
        words.append(f"disjunction u({k}) {parts[0]} {' '.join(middle)} else {parts[-1]}")
        shape.append(branches)

    best = math.inf
    for choice in itertools.product(*(range(len(branches)) for branches in shape)):
        if choice[0] == 0 and choice[1] == 0:
            continue
        chosen = [data[branches[c]] for branches, c in zip(shape, choice, strict=True)]
        less = [(a, b) for a, b, relation in chosen if relation == "<="]
        same = [(a, b) for a, b, relation in chosen if relation == "=="]
        found = linprog(
            cost,
            [a for a, _ in less] or None,
            [b for _, b in less] or None,
            [a for a, _ in same] or None,
            [b for _, b in same] or None,
            [(-5, 5)] * 3,
        )
        best = min(best, found.fun if found.status == 0 else math.inf)

    solution = solve(m, f"default {reform}\n" + "\n".join(words))
    if math.isinf(best):
        assert solution.status is Status.INFEASIBLE
    else:
        assert solution.status is Status.OPTIMAL
        assert solution.objective == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("reform", ["chull", "bigm", "indic"])
def test_nonlinear_branches(reform: str) -> None:
    """The nearest point to (0, 0) in one of two discs around (3, 0) and (0, -2), of radius 1."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-5, 5)), pyo.Var(bounds=(-5, 5))
    m.u = pyo.Var(domain=pyo.Binary)
    m.right = pyo.Constraint(expr=(m.x - 3) ** 2 + m.y**2 <= 1)
    m.below = pyo.Constraint(expr=m.x**2 + (m.y + 2) ** 2 <= 1)
    m.obj = pyo.Objective(expr=m.x**2 + m.y**2)
    solution = solve(m, f"disjunction {reform} u right else below")
    assert solution.objective == pytest.approx(1, abs=1e-4)
    assert (solution.variables["x"], solution.variables["y"], solution.variables["u"]) == pytest.approx((0, -1, 0), abs=1e-3)


@pytest.mark.parametrize("reform", ["bigm", "indic"])
def test_a_leader_chooses_knowing_the_answer(reform: str) -> None:
    """The follower takes y = x; the leader pays 1 for x <= 2 with a bonus, or has x >= 6. By hand: min (y - 5)^2 over both."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 10)), pyo.Var(bounds=(0, 10))
    m.u = pyo.Var(domain=pyo.Binary)
    m.small = pyo.Constraint(expr=m.y <= 2)
    m.large = pyo.Constraint(expr=m.y >= 6)
    m.follow = pyo.Constraint(expr=m.y - m.x >= 0)
    m.cost = pyo.Expression(expr=m.y)
    m.obj = pyo.Objective(expr=(m.y - 5) ** 2 - 3 * m.u)
    text = f"bilevel x u\nmin cost y follow\ndisjunction {reform} u small else large"
    solution = solve(m, text)
    assert solution.status is Status.OPTIMAL
    assert (solution.variables["y"], solution.objective) == pytest.approx((6, 1), abs=1e-4)  # against 9 - 3
    m.obj.set_value((m.y - 5) ** 2 - 9 * m.u)
    solution = solve(m, text)
    assert (solution.variables["y"], solution.objective) == pytest.approx((2, 0), abs=1e-4)


def test_missing_bounds_are_refused_with_the_mend() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.low, m.high = pyo.Constraint(expr=m.x <= 1), pyo.Constraint(expr=m.x >= 2)
    m.obj = pyo.Objective(expr=(m.x - 5) ** 2)
    for reform in ("chull", "bigm"):
        with pytest.raises(RefusedError, match="bound") as caught:
            solve(m, f"disjunction {reform} * low else high")
        assert "`disjunction indic ...`" in caught.value.diagnostics[0].help
    assert solve(m, "disjunction indic * low else high").objective == pytest.approx(0, abs=1e-5)


def test_the_names_of_what_is_generated_tell_where_it_comes_from() -> None:
    model = reformulate(jobs(), f"default indic\n{ORDERS}").model
    rows = [c.name for c in model.component_data_objects(pyo.Constraint, active=True) if c.name.startswith("disjunction.")]
    assert "disjunction.row['1.1 before[0].upper']" in rows
    assert not model.before[0].active
    assert [c.name for c in model.component_data_objects(pyo.Var)].count("disjunction.indicator['1.1']") == 1


def test_ties_are_not_measured_past_a_disjunction() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 10)), pyo.Var(bounds=(0, 10))
    m.small, m.large = pyo.Constraint(expr=m.y <= 2), pyo.Constraint(expr=m.y >= 6)
    m.row = pyo.Constraint(expr=m.y - m.x >= 0)
    m.nothing = pyo.Expression(expr=0 * m.y)
    m.obj = pyo.Objective(expr=m.y)
    solution = solve(m, "bilevel x\nmin nothing y row\ndisjunction * small else large")
    assert solution.status is Status.OPTIMAL
    assert [tie.best for tie in solution.ties] == [None]
