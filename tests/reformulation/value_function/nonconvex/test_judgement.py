from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.reformulation.value_function.nonconvex.judgement import Judge, Judged
from bilevel_lang.reformulation.value_function.nonconvex.scales import scales_of
from bilevel_lang.solvers.solver import SolverOptions


def game(follower: Any, upper: float | None = 2.0) -> tuple[Any, Judge]:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-1, 1)), pyo.Var(bounds=(-2, upper))
    m.goal = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=follower(m.x, m.y))
    problem = bl.resolve(m, "bilevel x\nmin f y\n")
    return m, Judge(problem, scales_of(problem.agents), SolverOptions)


def at(m: Any, x: float, y: float) -> ComponentMap:
    return ComponentMap([(m.x, x), (m.y, y)])


def test_what_the_follower_could_gain() -> None:
    m, judge = game(lambda x, y: (y - x) ** 2)
    judged = judge.judge(at(m, 0.5, 1.5))
    assert isinstance(judged, Judged)
    assert judged.gaps == (pytest.approx(1.0, abs=1e-6),)
    assert not judge.accepts(judged)
    best = judge.judge(at(m, 0.5, 0.5))
    assert isinstance(best, Judged)
    assert judge.accepts(best)
    assert judge.solves == 2
    assert judge.without_best(best) is None


def test_a_follower_without_a_best_answer_is_named_with_the_decision() -> None:
    m, judge = game(lambda x, y: x * y, upper=None)
    judged = judge.judge(at(m, -1.0, 1.0))
    assert isinstance(judged, Judged)
    assert not judge.accepts(judged)
    said = judge.without_best(judged)
    assert said is not None
    assert said.startswith("min f has ever better answers at x=-1")


def test_rounding_is_taken_where_it_is_better_for_the_follower() -> None:
    # The follower's objective is steep: 1e-10 beside 1 costs it 1e-4.
    m, judge = game(lambda x, y: 1e6 * abs(y - 1) + y**2)
    point = at(m, 0.5, 1.0 + 1e-10)
    assert judge.tidied(point, 1e-12)[m.y] in (1.0, 1.0 + 1e-10)
    far = at(m, 0.5, 1.25)
    assert judge.tidied(far, 1e-6)[m.y] == 1.25
