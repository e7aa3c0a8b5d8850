"""The forms of ``pyomo.mpec`` mean to us what they mean to Pyomo: compared with its own two transformations."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.complementarity.pairs import as_variable, conditions, take_pairs
from bilevel_lang.solution import Status
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions

Form = Callable[[Any], Any]

FORMS: dict[str, Form] = {
    "y>=0, x>=0": lambda m: complements(m.y >= 0, m.x >= 0),
    "y>=0, x<=3": lambda m: complements(m.y >= 0, m.x <= 3),
    "x<=3, y>=0": lambda m: complements(m.x <= 3, m.y >= 0),
    "y<=2, x<=3": lambda m: complements(m.y <= 2, m.x <= 3),
    "y>=x, x>=-1": lambda m: complements(m.y >= m.x, m.x >= -1),
    "x<=y, x+y<=4": lambda m: complements(m.x <= m.y, m.x + m.y <= 4),
    "0<=y, 3>=x": lambda m: complements(0 <= m.y, 3 >= m.x),  # noqa: SIM300 - the spelling is the point
    "2*y>=1, F<=5": lambda m: complements(2 * m.y >= 1, m.x**2 - m.y <= 5),
    "-1<=y<=2, F": lambda m: complements(pyo.inequality(-1, m.y, 2), m.x - 1),
    "F, -1<=y<=2": lambda m: complements(m.x - 1, pyo.inequality(-1, m.y, 2)),
    "-1<=x-y<=2, F": lambda m: complements(pyo.inequality(-1, m.x - m.y, 2), 2 - m.x),
    "y==1, x>=0": lambda m: complements(m.y == 1, m.x >= 0),
    "x>=0, y==x": lambda m: complements(m.x >= 0, m.y == m.x),
}
TARGETS = list(itertools.product((-4.0, 1.0, 5.0), (-4.0, 1.5, 5.0)))


def model(form: Form, target: tuple[float, float]) -> Any:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-6, 6)), pyo.Var(bounds=(-6, 6))
    m.o = pyo.Objective(expr=(m.x - target[0]) ** 2 + 2 * (m.y - target[1]) ** 2)
    m.c = Complementarity(expr=form(m))
    return m


def by_pyomo(m: Any, how: str) -> float | None:
    """The optimum of Pyomo's own transformation; None for infeasible."""
    pyo.TransformationFactory(how).apply_to(m)
    if how == "mpec.simple_disjunction":
        pyo.TransformationFactory("gdp.bigm").apply_to(m, bigM=100)
    run = by_name("scip").run(m, SolverOptions())
    return run.objective


@pytest.mark.parametrize("name", FORMS)
def test_every_form_means_what_it_means_to_pyomo(name: str) -> None:
    for target in TARGETS[:: 3 if "F" in name else 4]:
        solution = bl.solve(model(FORMS[name], target), "")
        # Pyomo 6.10's disjunction cannot take a condition of which one side is an equality and the other a bound.
        how = "mpec.simple_nonlinear" if "==" in name else "mpec.simple_disjunction"
        expected = by_pyomo(model(FORMS[name], target), how)
        if expected is None:
            assert solution.status is Status.INFEASIBLE
            continue
        assert solution.status is Status.OPTIMAL, (target, solution.messages)
        assert solution.objective == pytest.approx(expected, abs=1e-5, rel=1e-5), target


def test_the_other_side_of_a_pair_is_the_distance_to_its_bound() -> None:
    # 0 <= y _|_ 3 - x >= 0, as close to (5, 5) as can be: x = 3 with y free, and not y = 0.
    solution = bl.solve(model(FORMS["y>=0, x<=3"], (5.0, 5.0)), "")
    assert solution.variables["x"] == pytest.approx(3.0, abs=1e-5)
    assert solution.variables["y"] == pytest.approx(5.0, abs=1e-3)


def test_indexed_conditions_of_blocks_are_all_read() -> None:
    m = pyo.ConcreteModel()
    m.b = pyo.Block([1, 2])
    for k in (1, 2):
        m.b[k].u, m.b[k].v = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 5))
        m.b[k].c = Complementarity([0], rule=lambda b, i: complements(b.u >= 0, b.v >= 0))
    m.b[2].deactivate()
    m.o = pyo.Objective(expr=-sum(2 * m.b[k].u + m.b[k].v for k in (1, 2)))
    block, pairs = take_pairs(m)
    assert [p.name for p in pairs] == ["b[1].c[0]"]  # the other block is deactivated
    assert block.local_name == "encoding"
    assert list(conditions(m)) == []


def test_conditions_of_one_label_do_not_overwrite_each_other() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 10)), pyo.Var(bounds=(0, 10))
    m.kkt = pyo.Block()
    m.kkt.u, m.kkt.v = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 5))
    m.kkt.bound_multiplier = pyo.Var()
    m.kkt.complementarity = Complementarity(["c"], rule=lambda b, i: complements(b.u >= 0, b.v >= 0))
    m.o = pyo.Objective(expr=(m.x - 3) ** 2 + m.y - m.kkt.u - 2 * m.kkt.v)
    m.f = pyo.Objective(expr=m.y)
    m.f.deactivate()
    m.c = pyo.Constraint(expr=m.y >= m.x)
    solution = bl.solve(m, "bilevel x kkt.u kkt.v\nmin f y c")
    assert solution.status is Status.OPTIMAL, solution.messages
    assert solution.objective == pytest.approx(2.75 - 10, abs=1e-5)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (lambda m: complements(m.x - 1, m.y - 2), "no bound on either side"),
        (lambda m: complements(pyo.inequality(0, m.x, 1), m.y >= 0), "more than two sides"),
        (lambda m: complements(pyo.inequality(0, m.x, 1), pyo.inequality(0, m.y, 1)), "more than two sides"),
    ],
)
def test_what_has_no_meaning_is_refused(form: Form, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        take_pairs(model(form, (0.0, 0.0)))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-float("inf"), 2.0, 2.0), (-1.0, float("inf"), -1.0), (-float("inf"), float("inf"), 4.0)],
)
def test_infinite_bounds_of_a_mixed_condition_are_no_bounds(low: float, high: float, expected: float) -> None:
    # lo <= y <= up _|_ F = y - 4 (or its negative, so that the finite side is the answer).
    m = pyo.ConcreteModel()
    m.y = pyo.Var()
    m.o = pyo.Objective(expr=0 * m.y)
    sign = -1.0 if high == float("inf") and low != -float("inf") else 1.0
    force = (m.y - 4) if sign > 0 else (m.y + 5)
    m.c = Complementarity(expr=complements(pyo.inequality(low, m.y, high), force))
    take_pairs_and_sos(m)
    run = by_name("scip").run(m, SolverOptions())
    assert run.values is not None
    assert run.values[m.y] == pytest.approx(expected, abs=1e-6)


def take_pairs_and_sos(m: Any) -> None:
    block, pairs = take_pairs(m)
    sides = {p.name: [as_variable(block, f"{p.name}.{k}", side) for k, side in enumerate((p.left, p.right))] for p in pairs}
    block.sets = pyo.SOSConstraint(list(sides), rule=lambda b, name: (sides[name], [1, 2]), sos=1)


def test_a_side_whose_coefficients_are_zero_needs_no_value() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()  # without values
    m.c = Complementarity(expr=complements(0 * m.x + 2 >= 0, m.y >= 0))
    _, (pair,) = take_pairs(m)
    m.x.set_value(7.0)
    m.y.set_value(3.0)
    assert (pyo.value(pair.left), pyo.value(pair.right)) == (2.0, 3.0)


def test_a_variable_is_a_side_only_if_it_cannot_be_negative() -> None:
    m = pyo.ConcreteModel()
    m.block = pyo.Block()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var()
    assert as_variable(m.block, "x", m.x) is m.x
    slack = as_variable(m.block, "y", m.y)
    assert slack is m.block.slack["y"]
    assert slack.lb == 0
    m.y.set_value(0.5)
    slack.set_value(0.5)
    assert pyo.value(m.block.slack_row["y"].expr)
