from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.core.expr.visitor import identify_variables

import bilevel_lang as bl
from bilevel_lang.reformulation.optimality_conditions import build_mpec
from bilevel_lang.reformulation.problem_clone import clone
from tests.harness import state
from tests.reformulation.problems import follow, shop

ALIVE: list[Any] = []


def block_of(m: Any, annotation: str) -> Any:
    built = build_mpec(bl.resolve(m, annotation))
    ALIVE.append(built.twin.model)  # a block does not keep the model alive that it is in
    return built.block


def test_a_clone_knows_its_own_variables_only() -> None:
    m = shop()
    problem = bl.resolve(m, "bilevel x\nmin cost y defcost band\nmin g w half")
    before = state(m)
    twin = clone(problem)
    assert state(m) == before
    assert twin.model is not m
    for agent in twin.agents:
        assert agent.objective is not None
        expressions = [agent.objective.expression, *(r.body for r in agent.rows)]
        assert {v.model() for e in expressions for v in identify_variables(e)} == {twin.model}
        assert all(r.component.model() is twin.model for r in agent.rows)
    assert [v.name for v in twin.variables] == [twin.variables[v].name for v in twin.variables]


@pytest.mark.parametrize("sense", ["min", "max"])
def test_stationarity_is_the_derivative_of_the_lagrangian(sense: str) -> None:
    """Against central differences of f - sum lambda g, for a nonlinear agent, at random points."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 5))
    m.y, m.z = pyo.Var(bounds=(0.1, None)), pyo.Var()
    m.k = pyo.Param(initialize=1.5, mutable=True)
    m.leader = pyo.Objective(expr=m.x)
    f = m.k * m.y**2 * m.x + pyo.exp(m.z / 2) + m.y * m.z * m.x + pyo.log(m.y) + (m.y - m.z) ** 2
    m.f = pyo.Expression(expr=f)
    m.g = pyo.Constraint(expr=m.y * m.z + m.x * pyo.sin(m.z) + np.float64(2.0) * m.y <= 4)
    m.h = pyo.Constraint(expr=m.k * m.z - m.y / (1 + m.x**2) == 1)
    block = block_of(m, f"bilevel x\n{sense} f y z g h")
    twin = block.model()
    sign = 1 if sense == "min" else -1
    random = np.random.default_rng(1)
    for _ in range(5):
        point = {n: float(random.uniform(0.5, 2)) for n in ("x", "y", "z", "lg", "lh", "low")}
        for n in "xyz":
            twin.component(n).set_value(point[n])
        block.multiplier["g"].set_value(point["lg"], skip_validation=True)
        block.multiplier["h"].set_value(point["lh"])
        block.bound_multiplier["y.lower"].set_value(point["low"])

        def lagrangian(y: float, z: float, p: dict[str, float] = point) -> float:
            x = p["x"]
            value = 1.5 * y**2 * x + math.exp(z / 2) + y * z * x + math.log(y) + (y - z) ** 2
            rows = p["lg"] * (y * z + x * math.sin(z) + 2 * y) + p["lh"] * (1.5 * z - y / (1 + x**2))
            return sign * value - rows - p["low"] * y

        h, y, z = 1e-5, point["y"], point["z"]
        by_y = (lagrangian(y + h, z) - lagrangian(y - h, z)) / (2 * h)
        by_z = (lagrangian(y, z + h) - lagrangian(y, z - h)) / (2 * h)
        assert pyo.value(block.stationarity["y"].body) == pytest.approx(by_y, rel=1e-6, abs=1e-6)
        assert pyo.value(block.stationarity["z"].body) == pytest.approx(by_z, rel=1e-6, abs=1e-6)


def test_fixed_and_pinned_variables_have_no_conditions() -> None:
    m = follow()
    m.u = pyo.Var(bounds=(2, 2))
    m.v = pyo.Var(bounds=(0, 5))
    m.v.fix(1)
    m.c.set_value(m.y >= m.x + m.u - m.v)
    block = block_of(m, "bilevel x\nmin f y u v c")
    assert list(block.stationarity) == ["y"]
    assert list(block.bound_multiplier) == ["y.lower", "y.upper"]


def test_rows_of_others_variables_stay_rows() -> None:
    m = follow()
    m.d = pyo.Constraint(expr=m.x <= 2)
    block = block_of(m, "bilevel x\nmin f y c d")
    assert list(block.multiplier) == ["c"]
    assert block.model().d.active
    assert not block.model().c.active


def test_a_gradient_that_is_a_constant_leaves_no_stationary_point() -> None:
    m = follow()
    m.free = pyo.Var()
    m.f.set_value(m.y + np.float64(3.0) * m.free)
    block = block_of(m, "bilevel x\nmin f y free c")
    assert pyo.value(block.stationarity["free"].body, exception=False) in (None, 3.0)
    assert bl.solve(m, "bilevel x\nmin f y free c").status is bl.Status.INFEASIBLE


def test_a_variable_that_does_not_matter_has_no_stationarity_row() -> None:
    m = follow()
    m.free = pyo.Var()
    assert list(block_of(m, "bilevel x\nmin f y free c").stationarity) == ["y"]


def test_bounds_of_an_objective_variable_are_rows_with_multipliers() -> None:
    m = follow()
    m.t = pyo.Var(bounds=(None, 8))
    m.deft = pyo.Constraint(expr=m.t == 2 * m.y)
    block = block_of(m, "bilevel x\nmin t y deft c")
    assert list(block.multiplier) == ["c", "t.bounds"]
    assert block.multiplier["t.bounds"].bounds == (None, 0)
    assert block.model().deft.active


def test_names_of_indexed_components_and_blocks() -> None:
    m = follow()
    m.b = pyo.Block([1])
    m.b[1].y = pyo.Var(["a", "b"], bounds=(0, None))
    m.b[1].c = pyo.Constraint(["a", "b"], rule=lambda b, k: b.y[k] >= m.x)
    m.g = pyo.Expression(expr=sum(m.b[1].y[k] for k in "ab"))
    block = block_of(m, "bilevel x\nmin f y c\nmin g b[1].y b[1].c")
    assert list(block.multiplier) == ["c", "b[1].c[a]", "b[1].c[b]"]
    assert list(block.stationarity) == ["y", "b[1].y[a]", "b[1].y[b]"]
