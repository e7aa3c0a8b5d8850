from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.reformulation.value_function.continuous.route import read_continuous
from bilevel_lang.solution import Exactness, Status

EMP = "bilevel x\nmin f y demand\n"


def ceiling(leader: Any) -> Any:
    """The follower rounds x up."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 4))
    m.y = pyo.Var(bounds=(0, 9), domain=pyo.Integers)
    m.leader = pyo.Objective(expr=leader(m.x, m.y))
    m.f = pyo.Expression(expr=m.y)
    m.demand = pyo.Constraint(expr=m.y >= m.x)
    return m


@pytest.mark.parametrize("solver", [None, "highs"])
def test_what_is_not_attained_is_told_with_epsilon_and_gap(solver: str | None) -> None:
    answer = bl.solve(ceiling(lambda x, y: 2 * x - y), EMP, solver=solver)  # -1 for x -> 0 with y = 1
    assert (answer.status, answer.exactness) == (Status.OPTIMAL, Exactness.EPSILON)
    assert answer.bound == pytest.approx(-1)
    assert answer.gap == pytest.approx(2 * answer.variables["x"], rel=1e-3)
    assert 0 < answer.variables["x"] <= 1e-5
    (note,) = [m for m in answer.messages if m.startswith("epsilon-optimal")]
    assert "epsilon = 1e-05" in note
    assert "not attained" in note
    assert answer.verified


def test_what_is_attained_is_exact() -> None:
    answer = bl.solve(ceiling(lambda x, y: (y - x) * 3 - y), EMP)  # -4 at x = y = 4
    assert (answer.status, answer.exactness) == (Status.OPTIMAL, Exactness.EXACT)
    assert answer.objective == pytest.approx(-4)
    assert answer.search is not None
    assert answer.search.follower_solves is not None
    assert answer.search.follower_solves >= 1
    assert any("behind 1 continuous linking variables" in line for line in answer.why)


@pytest.mark.parametrize(
    ("options", "word"), [({"position": "pessimistic"}, "pessimistic"), ({"solver": "casadi"}, "does not run on casadi")]
)
def test_the_rest_is_refused_with_the_mend(options: dict[str, Any], word: str) -> None:
    verdict = read_continuous(bl.resolve(ceiling(lambda x, y: x + y), EMP), Options(**options))
    assert isinstance(verdict, Refusal)
    assert word in verdict.reason
    assert verdict.remedy.startswith("use `--")


def test_followers_without_integers_are_left_to_others() -> None:
    m = ceiling(lambda x, y: x + y)
    m.y.domain = pyo.Reals
    assert isinstance(read_continuous(bl.resolve(m, EMP), Options()), Refusal)
