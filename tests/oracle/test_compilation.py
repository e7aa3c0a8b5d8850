"""Agents as arrays, against the modeller's own expressions at random points."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.core.expr.visitor import identify_variables

import bilevel_lang
from bilevel_lang.oracle.compilation import NotParametric, compile_agent, linking_inputs, space_of
from bilevel_lang.oracle.parametric import ParametricAgent
from bilevel_lang.problem import Agent, BilevelProblem


def rich_model() -> pyo.ConcreteModel:
    """Inputs in right-hand sides, costs, matrix, products of inputs, a fixed and a pinned variable, a range, an integer."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2, 3], bounds=(-2, 4))
    m.whole = pyo.Var(bounds=(0, 5), domain=pyo.Integers)
    m.fixed, m.pinned = pyo.Var(initialize=2.5), pyo.Var(bounds=(3, 3))
    m.fixed.fix()
    m.y = pyo.Var([1, 2], bounds=(0, 10))
    m.z = pyo.Var(domain=pyo.Binary)
    m.leader = pyo.Objective(expr=m.x[1] ** 2 + m.y[1] * m.x[2] - 3 * m.z, sense=pyo.maximize)
    m.cost = pyo.Expression(expr=m.y[1] ** 2 + 2 * m.y[1] * m.y[2] + 3 * m.y[2] ** 2 + m.x[1] * m.y[2] + m.x[1] * m.x[2] + 7)
    m.sides = pyo.Constraint(expr=m.y[1] + 2 * m.y[2] >= 1 - m.x[1] + 0.5 * m.whole + m.fixed)
    m.matrix = pyo.Constraint(expr=(3 + m.x[2]) * m.y[1] - m.pinned * m.y[2] + m.pinned * m.x[1] + m.pinned**2 <= 8)
    m.product = pyo.Constraint(expr=pyo.inequality(-5, m.y[2] + m.x[1] * m.x[3] - m.x[1] ** 2 - 1, 50))
    m.switch = pyo.Constraint(expr=m.y[1] <= 10 * m.z)
    return m


TEXT = "bilevel x whole\nmin cost y z sides matrix product switch"


def compiled(model: pyo.ConcreteModel, text: str) -> tuple[BilevelProblem, Agent, ParametricAgent]:
    problem = bilevel_lang.resolve(model, text)
    agent = problem.agents[0]
    found = compile_agent(problem, agent)
    assert isinstance(found, ParametricAgent), found
    return problem, agent, found


def set_point(variables: list[object], numbers: np.ndarray) -> None:
    for variable, number in zip(variables, numbers, strict=True):
        variable.set_value(float(number), skip_validation=True)  # type: ignore[attr-defined]


def test_arrays_mean_what_the_expressions_mean() -> None:
    model = rich_model()
    problem, agent, found = compiled(model, TEXT)
    inputs = linking_inputs(problem, agent)
    assert [v.name for v in inputs] == ["x[1]", "x[2]", "x[3]", "whole"] == list(found.inputs.names)
    assert sorted(found.response_names) == ["y[1]", "y[2]", "z"]
    model.pinned.set_value(3.0)
    generator = np.random.default_rng(5)
    responses = [model.find_component(name) for name in found.response_names]
    for _ in range(20):
        x, y = generator.normal(size=4), generator.normal(size=3)
        set_point([*inputs, *responses], np.concatenate([x, y]))
        phi = found.features.at(x[None])
        matrix = found.matrix.toarray()
        for i, j, f, c in zip(*(getattr(found.entries, k) for k in ("rows", "columns", "features", "coefficients")), strict=True):
            matrix[i, j] += c * phi[0, f]
        body = matrix @ y + found.row_slope @ phi[0]
        for k, row in enumerate(agent.rows):
            value = pyo.value(row.body)
            if row.lower is not None:
                assert value - row.lower == pytest.approx(body[k] - found.row_lower[k], abs=1e-9)
            if row.upper is not None:
                assert value - row.upper == pytest.approx(body[k] - found.row_upper[k], abs=1e-9)
        assert found.goal.values(phi, y[None])[0] == pytest.approx(pyo.value(model.cost), abs=1e-9)
        assert found.leader is not None and found.leader.sense == -1
        assert found.leader.values(phi, y[None])[0] == pytest.approx(pyo.value(model.leader), abs=1e-9)


def test_sides_bounds_and_domains() -> None:
    _, _, found = compiled(rich_model(), TEXT)
    at = dict(zip(found.row_names, zip(found.row_lower, found.row_upper, strict=True), strict=True))
    assert np.isinf(at["matrix"][0]) and np.isfinite(at["matrix"][1]) and np.isfinite(at["product"]).all()
    by_name = dict(zip(found.response_names, found.integer, strict=True))
    assert by_name == {"y[1]": False, "y[2]": False, "z": True}
    assert found.inputs.integer.tolist() == [False, False, False, True]
    assert found.upper[found.response_names.index("y[1]")] == 10 and found.upper[found.response_names.index("z")] == 1


def test_gradients_of_features_are_difference_quotients() -> None:
    _, _, found = compiled(rich_model(), TEXT)
    generator = np.random.default_rng(8)
    x, weights, h = generator.normal(size=(5, 4)), generator.normal(size=(5, len(found.features))), 1e-6
    exact = found.features.gradient(x, weights)
    for j in range(4):
        step = np.zeros(4)
        step[j] = h
        change = (weights * (found.features.at(x + step) - found.features.at(x - step))).sum(axis=1) / (2 * h)
        assert np.allclose(change, exact[:, j], atol=1e-7)


def test_more_inputs_than_needed_in_another_order() -> None:
    model = rich_model()
    problem = bilevel_lang.resolve(model, TEXT)
    model.pinned.set_value(3.0)
    chosen = [model.whole, model.x[3], model.x[2], model.x[1]]
    found = compile_agent(problem, problem.agents[0], chosen)
    assert isinstance(found, ParametricAgent) and found.inputs.names == ("whole", "x[3]", "x[2]", "x[1]")
    with pytest.raises(ValueError, match=r"`whole`"):
        compile_agent(problem, problem.agents[0], [model.x[1], model.x[2], model.x[3]])


def test_the_fingerprint_sees_every_number_and_name() -> None:
    def changed(change: str) -> str:
        model = rich_model()
        if change == "bound":
            model.y[1].setub(11)
        elif change == "side":
            model.switch.set_value(model.y[1] <= 10.0001 * model.z)
        elif change == "cost":
            model.cost.set_value(model.cost.expr + 0.5 * model.y[1])
        elif change == "domain":
            model.z.domain = pyo.UnitInterval
        elif change == "box":
            model.x[1].setub(5)
        elif change == "leader":
            model.leader.set_value(model.leader.expr + model.y[2])
        return compiled(model, TEXT)[2].fingerprint()

    kinds = ["", "bound", "side", "cost", "domain", "box", "leader"]
    prints = [changed(kind) for kind in kinds]
    assert len(set(prints)) == len(kinds)
    assert changed("") == prints[0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (lambda m: m.y[1] * m.y[2] <= 1, "products of the agent's own"),
        (lambda m: pyo.exp(m.y[1]) + m.x[1] <= 5, "row `extra`"),
        (lambda m: m.x[1] * m.x[2] * m.y[1] <= 5, "row `extra`"),
    ],
)
def test_what_arrays_cannot_hold_is_said(row: object, words: str) -> None:
    model = rich_model()
    model.extra = pyo.Constraint(expr=row(model))  # type: ignore[operator]
    problem = bilevel_lang.resolve(model, TEXT + " extra")
    found = compile_agent(problem, problem.agents[0])
    assert isinstance(found, NotParametric) and words in found.reason


def test_a_vi_has_no_value() -> None:
    model = rich_model()
    problem = bilevel_lang.resolve(model, "bilevel x whole\nvi cost y[1]")
    found = compile_agent(problem, problem.agents[0])
    assert isinstance(found, NotParametric) and "no value" in found.reason


def test_a_leader_that_needs_more_than_inputs_and_responses_is_said() -> None:
    model = rich_model()
    model.alone = pyo.Var(bounds=(0, 1))
    model.leader.set_value(model.x[1] + model.alone)
    problem = bilevel_lang.resolve(model, TEXT)
    found = compile_agent(problem, problem.agents[0])
    assert isinstance(found, ParametricAgent) and found.leader is None and "`alone`" in found.without_leader


def test_inputs_of_a_nonlinear_follower_are_found_too() -> None:
    model = rich_model()
    model.extra = pyo.Constraint(expr=pyo.exp(model.y[1] - model.x[3]) <= 5)
    problem = bilevel_lang.resolve(model, "bilevel x whole\nmin cost y z extra")
    assert {v.name for v in linking_inputs(problem, problem.agents[0])} == {"x[1]", "x[2]", "x[3]"}
    names = list(identify_variables(model.extra.body))
    assert space_of(names).names == tuple(v.name for v in names)
