"""The samples around good decisions: the best one is among them, and nothing is asked where the leader cannot gain."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.nn_embed.design import trades
from bilevel_lang.reformulation.nn_embed.judge import Judge
from bilevel_lang.reformulation.nn_embed.proposals import InputRows
from bilevel_lang.reformulation.nn_embed.room import Room
from bilevel_lang.reformulation.nn_embed.search import FAR, LESSONS, MUTANTS, Search
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.nn_embed.followers import arrays, continuous

ITEMS, TAKEN, CAPACITY = 9, 3, 20.0
PROFIT = np.array([9.0, 7.0, 12.0, 5.0, 8.0, 11.0, 6.0, 10.0, 4.0])
WEIGHT = np.array([6.0, 4.0, 9.0, 3.0, 5.0, 8.0, 5.0, 7.0, 2.0])


def interdiction() -> tuple[Any, str]:
    m = pyo.ConcreteModel()
    m.i = pyo.RangeSet(0, ITEMS - 1)
    m.x = pyo.Var(m.i, domain=pyo.Binary)
    m.y = pyo.Var(m.i, domain=pyo.Binary)
    m.outer = pyo.Objective(expr=sum(PROFIT[i] * m.y[i] for i in m.i))
    m.inner = pyo.Objective(expr=sum(PROFIT[i] * m.y[i] for i in m.i), sense=pyo.maximize)
    m.inner.deactivate()
    m.budget = pyo.Constraint(expr=sum(m.x[i] for i in m.i) <= TAKEN)
    m.capacity = pyo.Constraint(expr=sum(WEIGHT[i] * m.y[i] for i in m.i) <= CAPACITY)
    m.out = pyo.Constraint(m.i, rule=lambda m, i: m.x[i] + m.y[i] <= 1)
    return m, "bilevel x\nmax inner y capacity out\n"


def best_by_enumeration() -> float:
    choices = (np.arange(2**ITEMS)[:, None] >> np.arange(ITEMS) & 1).astype(float)
    choices = choices[choices @ WEIGHT <= CAPACITY]
    worths = choices @ PROFIT
    return min(float(worths[(choices[:, list(out)] == 0).all(axis=1)].max()) for out in combinations(range(ITEMS), TAKEN))


def search(made: tuple[Any, str], bounded: bool = True) -> Search:
    source, inputs, domain = arrays(made)
    judge = Judge(source, inputs, SolverOptions())
    room = Room(source, inputs, SolverOptions()) if bounded else None
    judge.ask(domain.lower)
    return Search(judge, room, InputRows(source, inputs), domain, np.random.default_rng(0))


def test_the_best_decision_is_found_among_few_that_are_asked_about() -> None:
    found = search(interdiction())
    found.run(200, 200, lambda: False)
    assert found.judge.best is not None and found.judge.best.objective == pytest.approx(best_by_enumeration())
    assert len(found.judge.known()) < 130  # one for each set of at most three items


def test_questions_and_time_are_kept() -> None:
    asked = search(interdiction())
    assert asked.run(11, 11, lambda: False) <= 11 and len(asked.judge.known()) <= 12
    assert search(interdiction()).run(50, 50, lambda: True) == 0


def test_what_gains_nothing_ends() -> None:
    asked = search(continuous(), bounded=False)  # it knows x = 0, and nothing is better
    assert 30 <= asked.run(10_000, 30, lambda: False) <= 30 + LESSONS


@pytest.mark.parametrize("bounded", [True, False])
def test_continuous_decisions_are_neared(bounded: bool) -> None:
    found = search(continuous(), bounded)
    found.judge.ask(np.array([4.0]))
    found.run(150, 150, lambda: False)
    assert found.judge.best is not None and found.judge.best.objective == pytest.approx(-12.0, abs=0.05)


def test_a_bound_that_left_no_room_is_not_asked_for_again() -> None:
    found = search(interdiction())
    found.run(200, 200, lambda: False)
    assert found.room is not None
    best = found.judge.best
    assert best is not None
    around = np.clip(best.x + np.vstack([np.eye(ITEMS), -np.eye(ITEMS)]), 0.0, 1.0)
    assert found._ask(around, 50, lambda: False) == 0  # the best is the optimum: nothing better is anywhere
    before = found.room.solves
    assert found._ask(around, 50, lambda: False) == 0 and found.room.solves == before


def stocks() -> tuple[Any, str]:
    """Three stocks of at most nine whole units, which the follower uses up one for one."""
    m = pyo.ConcreteModel()
    m.i = pyo.RangeSet(0, 2)
    m.x = pyo.Var(m.i, domain=pyo.NonNegativeIntegers, bounds=(0, 9))
    m.y = pyo.Var(m.i, domain=pyo.NonNegativeIntegers, bounds=(0, 9))
    m.outer = pyo.Objective(expr=sum((i + 1) * m.x[i] - 3 * m.y[i] for i in m.i))
    m.inner = pyo.Objective(expr=-sum(m.y[i] for i in m.i))
    m.inner.deactivate()
    m.use = pyo.Constraint(m.i, rule=lambda m, i: m.y[i] <= m.x[i])
    return m, "bilevel x\nmin inner y use\n"


def test_far_decisions_hold_the_trades_of_each_good_decision_once() -> None:
    found = search(stocks(), bounded=False)
    start = found.judge.known()[0].x
    wanted = {tuple(p) for p in trades(start, found.domain, np.random.default_rng(0)).tolist()}
    assert len(wanted) == 6 and wanted <= {tuple(p) for p in found._far().tolist()}
    assert len(found._far()) == FAR + MUTANTS
