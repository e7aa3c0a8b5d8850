from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness, Status
from tests.reformulation.problems import follow, plain


def covering(seed: int) -> tuple[Any, dict[str, Any]]:
    """A follower that covers a demand: min c'y, A y >= g - h x, y >= 0, with rows of the leader that bound y."""
    random = np.random.default_rng(seed)
    data = {
        "c": random.integers(1, 6, 2).astype(float),
        "a": random.integers(1, 5, (3, 2)).astype(float),
        "g": random.integers(2, 9, 3).astype(float),
        "h": random.integers(0, 3, 3).astype(float),
    }
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 3))
    m.y = pyo.Var([0, 1], bounds=(0, None))
    m.leader = pyo.Objective(expr=2.5 * m.x + m.y[0] + 2 * m.y[1])
    m.f = pyo.Objective(expr=sum(data["c"][k] * m.y[k] for k in (0, 1)))
    m.f.deactivate()
    m.e = pyo.Constraint(
        range(3), rule=lambda m, i: sum(data["a"][i, k] * m.y[k] for k in (0, 1)) >= data["g"][i] - data["h"][i] * m.x
    )
    m.room = pyo.Constraint([0, 1], rule=lambda m, k: m.y[k] <= 20)
    return m, data


def largest_multipliers(data: dict[str, Any]) -> np.ndarray:
    """max lambda_i over {A' lambda <= c, lambda >= 0}, from its vertices (A > 0: it is bounded)."""
    rows = np.vstack([data["a"].T, -np.eye(3)])
    sides = np.concatenate([data["c"], np.zeros(3)])
    best = np.zeros(3)
    for active in itertools.combinations(range(5), 3):
        matrix = rows[list(active)]
        if abs(np.linalg.det(matrix)) > 1e-9:
            vertex = np.linalg.solve(matrix, sides[list(active)])
            if np.all(rows @ vertex <= sides + 1e-9):
                best = np.maximum(best, vertex)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_derived_bounds_hold_for_every_multiplier_and_the_answer_is_proven(seed: int) -> None:
    m, data = covering(seed)
    made = bl.reformulate(m, "bilevel x\nmin f y e", encoding="big-m")
    assert made.exactness is Exactness.EXACT
    derived = {name: float(value) for name, value in re.findall(r"M of (\S+) = (\S+) ", "\n".join(made.why))}
    for i, needed in enumerate(largest_multipliers(data)):
        assert derived[f"e[{i}].multiplier"] >= needed - 1e-5  # six digits are printed
    for k in (0, 1):
        assert derived[f"y[{k}].lower.multiplier"] >= data["c"][k] - 1e-6  # reached where no row is tight
        assert derived[f"y[{k}].lower.slack"] >= 20 - 1e-6
    for i in range(3):  # the largest slack is at y = (20, 20), x = 3
        assert derived[f"e[{i}].slack"] >= 20 * data["a"][i].sum() - data["g"][i] + 3 * data["h"][i] - 1e-6
    solution = bl.solve(m, "bilevel x\nmin f y e", encoding="big-m")
    assert solution.status is Status.OPTIMAL, solution.messages
    exact = bl.solve(covering(seed)[0], "bilevel x\nmin f y e", encoding="sos1")
    assert solution.objective == pytest.approx(exact.objective, abs=1e-6)
    assert solution.solver.startswith("HiGHS")


def test_the_origin_of_every_bound_is_told() -> None:
    made = bl.reformulate(covering(0)[0], "bilevel x\nmin f y e", encoding="big-m")
    notes = [n for n in made.why if "M of" in n]
    assert len(notes) == 10
    assert all("derived by" in n or "bound of the variable" in n for n in notes)


def test_without_a_bound_it_refuses_and_names_what_lacks_one() -> None:
    # The multipliers of y >= x and y <= 10 may grow together: the set of multipliers has no bound at x = y = 10.
    with pytest.raises(RefusedError) as caught:
        bl.reformulate(follow(), "bilevel x\nmin f y c", encoding="big-m")
    said = str(caught.value)
    for what in ("the multiplier of `c`", "the multiplier of `y.upper`"):
        assert f"no bound could be derived for {what}" in said
    assert "the slack of" not in said
    assert "--encoding sos1" in said
    assert "--big-m M" in said


def reviewed(model: Any, big_m: Any) -> tuple[Any, tuple[str, ...]]:
    """What is promised of the model as components, and what is said of its run (`solve` would take the arrays)."""
    made = bl.reformulate(model, "bilevel x\nmin f y c", encoding="big-m", big_m=big_m)
    return made.exactness, made.run(Options()).doubts


@pytest.mark.parametrize("big_m", [50.0, {"*": 50.0}, {"c": 40, "y": 50}, {"c": 40, "y.lower": 45, "y.upper": 50}])
def test_a_given_bound_is_an_approximation_and_says_so(big_m: Any) -> None:
    exactness, messages = reviewed(follow(), big_m)
    assert exactness is Exactness.APPROXIMATION
    assert any("given, not proven" in s for s in messages)
    assert not any("not trusted" in s for s in messages)


def test_a_name_that_is_no_side_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=r"no agent has a side `yy`[\s\S]*did you mean `y`"):
        reviewed(follow(), {"yy": 50.0})


def test_only_the_sides_that_are_named_have_a_given_bound() -> None:
    with pytest.raises(RefusedError, match=r"the multiplier of `y\.upper`"):
        reviewed(follow(), {"c": 50.0})


def steep() -> Any:
    """min 5 y, 2 y >= x: the multiplier is 5/2 wherever x > 0; at x = 0 a smaller one will do."""
    m = plain()
    m.f.set_value(5 * m.y)
    m.c = pyo.Constraint(expr=2 * m.y >= m.x)
    return m


def test_a_given_bound_that_is_reached_is_not_trusted() -> None:
    # 40 y in the place of 5 y: the multiplier is 20, and all slacks are at most 20.
    m = steep()
    m.f.set_value(40 * m.y)
    _, messages = reviewed(m, 20.0)
    assert any("not trusted: c.multiplier reaches the given M = 20" in s for s in messages), messages


def test_too_small_a_bound_is_no_proof_of_infeasibility() -> None:
    exactness, messages = reviewed(steep(), 1.0)
    assert exactness is Exactness.APPROXIMATION
    assert any("within the given M = 1" in s and "--big-m" in s for s in messages)


@pytest.mark.parametrize("row", ["propagated", "by_lp"])
def test_an_infeasible_problem_is_infeasible_and_not_refused(row: str) -> None:
    m = plain()
    m.c = pyo.Constraint(expr=m.y >= 11 + m.x)
    if row == "by_lp":  # no single row shows it: y >= 2 x + 4, y <= 2 x + 3 in the leader's rows
        m.c.set_value(m.y - 2 * m.x >= 4)
        m.d = pyo.Constraint(expr=m.y - 2 * m.x <= 3)
    solution = bl.solve(m, "bilevel x\nmin f y c", encoding="big-m")
    assert solution.status is Status.INFEASIBLE, solution.messages


def test_an_integer_leader_and_a_degenerate_pair() -> None:
    # min y, y >= x - 2 b, y >= 0: at x = 2 b both y.lower and c are tight (a degenerate point); y has no upper bound.
    m = plain(y=(0, None))
    m.b = pyo.Var(domain=pyo.Binary)
    m.c = pyo.Constraint(expr=m.y >= m.x - 2 * m.b)
    m.room = pyo.Constraint(expr=m.y <= 10)
    m.leader.set_value(-m.x + 3 * m.y + 0.5 * m.b)
    solution = bl.solve(m, "bilevel x b\nmin f y c", encoding="big-m", solver="highs")
    assert solution.status is Status.OPTIMAL, solution.messages
    assert solution.objective == pytest.approx(-1.5, abs=1e-6)
    assert solution.variables["x"] == pytest.approx(2.0, abs=1e-6)
