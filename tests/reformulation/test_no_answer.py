"""Problems without a solution because a follower is unbounded for every decision of the leader."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang import solve
from bilevel_lang.api import resolve
from bilevel_lang.reformulation.no_answer import without_answer
from bilevel_lang.solution import Status


def model(cubic=True, upper=None):
    """min x: the follower lets y fall for ever, along a cubic or a line."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(1, 2)), pyo.Var(bounds=(-1 if upper else None, upper))
    m.outer = pyo.Objective(expr=m.x)
    m.inner = pyo.Objective(expr=m.x * m.y**3 if cubic else m.x * m.y)
    m.inner.deactivate()
    return m, "bilevel x\nmin inner y"


@pytest.mark.parametrize("method", ["auto", "kkt", "value-function"])
def test_it_is_infeasible_with_the_reason_whatever_the_method(method):
    found = solve(*model(), method=method)
    assert found.status is Status.INFEASIBLE
    assert any("ever better answers" in said for said in found.messages)


def test_linear_programs_are_left_to_their_conditions():
    assert without_answer(resolve(*model(cubic=False)), "kkt") is None
    assert solve(*model(cubic=False)).status is Status.INFEASIBLE


def test_an_agent_with_an_answer_is_not_settled():
    assert without_answer(resolve(*model(upper=3.0)), "kkt") is None
