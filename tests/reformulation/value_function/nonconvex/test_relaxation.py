"""What the relaxation keeps and what its cuts exclude, point by point."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.oracle.traits import traits_of
from bilevel_lang.reformulation.value_function.nonconvex.relaxation import Relaxation, at
from bilevel_lang.reformulation.value_function.nonconvex.scales import scales_of
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions


def relaxed(row: bool, bounds: tuple[float | None, float | None] = (0, 10)) -> tuple[Any, Relaxation]:
    """The follower wants the largest whole y, with ``y <= x`` or without; its conditions of first order say nothing."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=bounds)
    m.y = pyo.Var(bounds=(0, 10), domain=pyo.Integers)
    m.leader = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=-m.y * (1 if row else 1 + m.x))
    if row:
        m.r = pyo.Constraint(expr=m.y <= m.x)
    problem = bl.resolve(m, f"bilevel x\nmin f y {'r' if row else ''}\n")
    return m, Relaxation(problem, [traits_of(a) for a in problem.agents], scales_of(problem.agents))


def allows(relaxation: Relaxation, m: Any, x: float, y: float) -> bool:
    twins = [relaxation.twin.variables[v] for v in (m.x, m.y)]
    for twin, value in zip(twins, (x, y), strict=True):
        twin.fix(value)
    try:
        return by_name("scip").run(relaxation.model, SolverOptions()).has_solution
    finally:
        for twin in twins:
            twin.unfix()


def test_without_cuts_it_is_everybodys_rows() -> None:
    m, relaxation = relaxed(row=True)
    assert allows(relaxation, m, 3.4, 1)
    assert not allows(relaxation, m, 3.4, 4)


def test_a_cut_of_an_answer_that_is_always_feasible_holds_everywhere() -> None:
    m, relaxation = relaxed(row=False)
    relaxation.add_cut(0, ComponentMap([(m.y, 7)]))
    assert not allows(relaxation, m, 3.4, 6)
    assert allows(relaxation, m, 3.4, 7)
    assert not list(relaxation.block.chosen.values())


@pytest.mark.parametrize("bounds", [(0, 10), (0, None)])
def test_a_cut_holds_where_its_answer_is_feasible_and_nowhere_else(bounds: tuple[float, float | None]) -> None:
    m, relaxation = relaxed(True, bounds)
    relaxation.add_cut(0, ComponentMap([(m.y, 3)]))
    assert not allows(relaxation, m, 3.4, 2)
    assert allows(relaxation, m, 3.4, 3)
    assert allows(relaxation, m, 2.9, 2)
    assert allows(relaxation, m, 3.0, 2)  # tight: the closed set


def test_the_strict_form_excludes_the_boundary_and_ends_again() -> None:
    m, relaxation = relaxed(row=True)
    relaxation.add_cut(0, ComponentMap([(m.y, 3)]))
    with relaxation.strict():
        assert not allows(relaxation, m, 3.0, 2)
        assert allows(relaxation, m, 2.9, 2)
    assert allows(relaxation, m, 3.0, 2)


def test_fixing_and_boxing_are_undone() -> None:
    m, relaxation = relaxed(True, (None, None))
    twin = relaxation.twin.variables[m.x]
    assert twin in relaxation.links
    with relaxation.fixed(ComponentMap([(twin, 2.5)])):
        assert (twin.fixed, twin.value) == (True, 2.5)
    with relaxation.boxed(100.0):
        assert twin.bounds == (-100, 100)
    assert not twin.fixed
    assert twin.bounds == (None, None)


def test_a_level_bounds_the_followers_objective() -> None:
    m, relaxation = relaxed(row=True)
    with relaxation.level(0, -3.0):
        assert not allows(relaxation, m, 5, 2)
        assert allows(relaxation, m, 5, 3)
    assert allows(relaxation, m, 5, 2)


def test_values_are_put_into_expressions() -> None:
    m, _ = relaxed(row=True)
    assert at(m.y + 1, {id(m.y): 2.0}) == 3.0
    assert at(m.y, {id(m.y): 2.0}) == 2.0
    assert at(5, {}) == 5
    m.x.set_value(3.0)
    assert pyo.value(at(m.x * m.y, {id(m.y): 2.0})) == 6.0


def test_the_modellers_model_is_left_alone() -> None:
    m, relaxation = relaxed(row=True)
    relaxation.add_cut(0, ComponentMap([(m.y, 3)]))
    assert relaxation.model is not m
    assert [c.local_name for c in m.component_objects()] == ["x", "y", "leader", "f", "r"]
