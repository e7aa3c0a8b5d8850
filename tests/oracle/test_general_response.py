"""Followers that arrays cannot hold, against closed forms and against the warm way where both can."""

from __future__ import annotations

import pickle

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang
from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.compilation import linking_inputs
from bilevel_lang.oracle.general_response import GeneralAgent, GeneralResponse, general_agent
from bilevel_lang.oracle.hot_response import HotResponse
from bilevel_lang.surrogate.dataset import Outcome
from tests.oracle.followers import points_of, random_follower


def exponential() -> pyo.ConcreteModel:
    """min exp(y) - x y, 0 <= y <= 2, w = 1 fixed by its bounds: y = log x, and infeasible where x > 5."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(1, 6))
    m.y, m.w = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(1, 1))
    m.cost = pyo.Expression(expr=pyo.exp(m.y) - m.x * m.y * m.w)
    m.row = pyo.Constraint(expr=m.y**2 + m.x <= 5 + m.y**2 * 0.5)
    m.leader = pyo.Objective(expr=m.x + pyo.sin(m.y))
    return m


def general(model: pyo.ConcreteModel, text: str = "bilevel x\nmin cost y w row") -> GeneralAgent:
    problem = bilevel_lang.resolve(model, text)
    return general_agent(problem, problem.agents[0], linking_inputs(problem, problem.agents[0]))


def test_closed_form() -> None:
    points = np.array([[1.5], [3.0], [5.5]])
    data = GeneralResponse(general(exponential())).labels(points)
    assert data.feasible.tolist() == [True, True, False]
    best = np.log(points[:2, 0])
    assert np.allclose(data.values[:2], points[:2, 0] - points[:2, 0] * best, atol=1e-6)
    assert data.responses is not None and data.leader is not None
    by_name = dict(zip(data.response_names, data.responses.T, strict=True))
    assert np.allclose(by_name["y"][:2], best, atol=1e-4)
    assert np.allclose(data.leader[:2], points[:2, 0] + np.sin(best), atol=1e-4)
    assert data.outcome_counts()[Outcome.OPTIMAL] == 2 and data.outcome_counts()[Outcome.INFEASIBLE] == 1


@pytest.mark.parametrize("kind", [{"costs": True, "matrix": True}, {"whole": 2, "top": True}], ids=str)
def test_where_both_ways_go_they_agree(kind: dict[str, object]) -> None:
    follower = random_follower(4, **kind)  # type: ignore[arg-type]
    points = points_of(follower, 8)
    model = general_agent(follower.problem, follower.agent, linking_inputs(follower.problem, follower.agent))
    ours, theirs = GeneralResponse(model).labels(points), HotResponse(follower.arrays).labels(points)
    assert np.array_equal(ours.feasible, theirs.feasible)
    assert np.allclose(ours.values, theirs.values, atol=1e-6, equal_nan=True)
    assert (ours.input_names, ours.response_names) == (theirs.input_names, theirs.response_names)


def test_it_travels_and_the_modeller_s_model_stays_as_it_was() -> None:
    model = exponential()
    agent = general(model)
    labels = GeneralResponse(pickle.loads(pickle.dumps(agent))).labels(np.array([[2.0]]))
    assert labels.values[0] == pytest.approx(2 - 2 * np.log(2), abs=1e-6)
    assert model.y.value is None and model.x.value is None


def test_the_fingerprint_sees_a_number_in_an_expression() -> None:
    model = exponential()
    before = general(model).fingerprint()
    assert general(exponential()).fingerprint() == before
    model.cost.set_value(pyo.exp(model.y) - 1.0000001 * model.x * model.y * model.w)
    assert general(model).fingerprint() != before


def test_without_an_end() -> None:
    model = exponential()
    model.y.setlb(None)
    model.y.setub(None)
    model.row.deactivate()
    model.cost.set_value(model.y**3 * model.x)
    data = GeneralResponse(general(model, "bilevel x\nmin cost y w")).labels(np.array([[2.0]]))
    assert not data.feasible.any() and data.outcome_counts()[Outcome.OPTIMAL] == 0


def test_more_than_the_inputs_is_refused() -> None:
    model = exponential()
    problem = bilevel_lang.resolve(model, "bilevel x\nmin cost y row")
    with pytest.raises(RefusedError, match="`x`"):
        general_agent(problem, problem.agents[0], [])
