"""An answer solved once more on its own piece."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang import solve
from bilevel_lang.reformulation.complementarity.piece import pinned, polished
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Status
from bilevel_lang.solvers.solver import SolverRun, Termination


def flat() -> Any:
    """min (x - 3)^2 + left + right with one of them 0: 1e-8 in the objective is 1e-4 in x."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.left = pyo.Var(bounds=(0, None))
    m.right = pyo.Var(bounds=(0, None))
    m.n = pyo.Var(domain=pyo.Integers, bounds=(0, 5))
    m.row = pyo.Constraint(expr=m.left - m.right == m.n - 1)
    m.cost = pyo.Objective(expr=(m.x - 3) ** 2 + m.left + m.right)
    m.sos = pyo.SOSConstraint(rule=lambda m: ([m.left, m.right], [1, 2]), sos=1)
    return m


def rough(m: Any, termination: Termination = Termination.OPTIMAL, x: float = 3.0001, n: float = 1.0) -> SolverRun:
    values = ComponentMap([(m.x, x), (m.left, max(n - 1, 0.0)), (m.right, max(1 - n, 0.0)), (m.n, n)])
    return SolverRun(termination, "S 1", values, (x - 3) ** 2 + abs(n - 1), 0.0)


def test_the_digits_come_back() -> None:
    m = flat()
    run = polished(m, [(m.left, m.right)], rough(m, n=3.0), Options())
    assert run.values is not None
    assert run.values[m.x] == pytest.approx(3, abs=1e-7)
    assert run.values[m.n] == 3
    assert (run.termination, run.bound, run.solver) == (Termination.OPTIMAL, 0.0, "S 1")


def test_the_model_is_as_it_was() -> None:
    m = flat()
    polished(m, [(m.left, m.right)], rough(m), Options())
    assert m.sos.active
    assert not m.n.fixed
    assert (m.left.ub, m.right.ub) == (None, None)


def test_the_piece_is_kept_even_where_another_one_is_better() -> None:
    m = flat()
    run = polished(m, [(m.left, m.right)], rough(m, n=3.0), Options())
    assert run.values is not None
    assert (run.values[m.n], run.values[m.left]) == (3.0, pytest.approx(2))


@pytest.mark.parametrize("termination", [Termination.LIMIT, Termination.INTERRUPTED, Termination.LOCALLY_OPTIMAL])
def test_only_what_is_called_optimal_is_polished(termination: Termination) -> None:
    m = flat()
    run = rough(m, termination)
    assert polished(m, [(m.left, m.right)], run, Options()) is run


def test_a_linear_model_is_left_to_the_simplex_method() -> None:
    m = flat()
    m.cost.set_value(m.x + m.left + m.right)
    run = rough(m)
    assert polished(m, [(m.left, m.right)], run, Options()) is run


def test_a_polished_point_that_is_worse_is_not_taken() -> None:
    m = flat()
    run = rough(m)
    claimed = SolverRun(run.termination, run.solver, run.values, -1.0, -1.0)  # no point of the piece is that good
    assert polished(m, [(m.left, m.right)], claimed, Options()) is claimed


def test_the_smaller_side_is_pinned_and_let_go() -> None:
    m = flat()
    m.left.set_value(0.5)
    m.right.set_value(0.1)
    with pinned([(m.left, m.right)]):
        assert (m.left.ub, m.right.ub) == (None, 0)
    assert m.right.ub is None


def test_an_answer_has_the_digits_a_user_expects() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.y = pyo.Var(bounds=(0, 10))
    m.lead = pyo.Objective(expr=(m.x - 3) ** 2 + m.y)
    m.low = pyo.Expression(expr=(m.y - m.x) ** 2)
    m.cap = pyo.Constraint(expr=m.y <= 2)
    solution = solve(m, "bilevel x\nmin low y cap\n")
    # y = min(x, 2): for x <= 2 the cost is (x - 3)^2 + x, at least 3 there; beyond, (x - 3)^2 + 2 is best at 3.
    assert solution.objective == pytest.approx(2, abs=1e-8)
    assert solution.variables["x"] == pytest.approx(3, abs=1e-6)


def test_sets_of_the_users_hold_on_a_piece() -> None:
    """min (y - 5)^2 with y <= 2 or y >= 6, as SOS1 sets on slacks: what the sets hold at 0 stays there in the polished point."""
    m = pyo.ConcreteModel()
    m.y = pyo.Var(bounds=(0, 10))
    m.z = pyo.Var(bounds=(0, None))
    m.s = pyo.Var([1, 2], domain=pyo.NonNegativeReals)
    m.low = pyo.Constraint(expr=m.y - m.s[1] <= 2)
    m.high = pyo.Constraint(expr=m.y + m.s[2] >= 6)
    m.sets = pyo.SOSConstraint(var=m.s, sos=1)
    m.answer = pyo.Constraint(expr=m.z - m.y >= 0)
    m.cost = pyo.Expression(expr=m.z)
    m.obj = pyo.Objective(expr=(m.z - 5) ** 2)
    solution = solve(m, "bilevel y s\nmin cost z answer")
    assert solution.status is Status.OPTIMAL
    assert solution.variables["y"] == pytest.approx(6, abs=1e-5)
