"""Who lists what is shared, and what comes of it in the problem."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import ResolutionError
from bilevel_lang.grammar.parser import parse
from bilevel_lang.resolver import resolve
from tests.resolver.equilibria import game, without

SHARED = "equilibrium min cost(1) x(1) total min cost(2) x(2) total "
PRICE = "equilibrium max profit(1) x(1) p max profit(2) x(2) p implicit p demand"


@pytest.mark.parametrize(("word", "common"), [("visol", True), ("sharedequ", False)])
def test_a_shared_row_is_in_every_agent_that_lists_it(word: str, common: bool) -> None:
    model = without(game(), "demand")
    problem = resolve(model, parse(f"{SHARED} {word} total"))
    assert [[row.component is model.total for row in agent.rows] for agent in problem.agents] == [[True], [True]]
    (shared,) = problem.shared_rows
    assert (shared.component is model.total, shared.common) == (True, common)
    assert any("rarely unique" in d.message for d in problem.notices) == (not common)


def test_a_loop_may_list_a_shared_row_for_every_member() -> None:
    model = without(game(), "demand")
    model.J = pyo.Set(initialize=[1, 2])
    problem = resolve(model, parse("equilibrium for i in J: min cost(i) x(i) total visol total"))
    assert [len(agent.rows) for agent in problem.agents] == [1, 1]


def test_a_state_variable_brings_its_row_to_every_agent_that_lists_it() -> None:
    model = without(game(), "total")
    problem = resolve(model, parse(PRICE))
    for number, agent in enumerate(problem.agents, start=1):
        assert [v.name for v in agent.variables] == [f"x[{number}]", "p"]
        assert [row.name for row in agent.rows] == ["demand"]
    (state,) = problem.state_variables
    assert (state.variable is model.p, state.row is model.demand) == (True, True)


def test_an_agent_without_the_state_variable_takes_it_as_given() -> None:
    problem = resolve(without(game(), "total"), parse("equilibrium max profit(1) x(1) p max profit(2) x(2) implicit p demand"))
    assert [len(agent.rows) for agent in problem.agents] == [1, 0]


def test_the_wildcard_does_not_reach_state_variables() -> None:
    problem = resolve(without(game(), "total"), parse("equilibrium max profit(1) * max profit(2) x(2) p implicit p demand"))
    first, second = ([v.name for v in agent.variables] for agent in problem.agents)
    assert "p" not in first
    assert second == ["x[2]", "p"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("equilibrium min cost(1) x(1) total min cost(2) x(2) visol total", "E15"),
        ("equilibrium min cost(1) x(1) total min cost(2) x(2) total", "E15"),
        ("equilibrium max p x(1) p max profit(2) x(2) p implicit p demand", "E2"),
    ],
)
def test_mistakes(text: str, code: str) -> None:
    with pytest.raises(ResolutionError) as caught:
        resolve(game(), parse(text))
    assert code in [d.code for d in caught.value.diagnostics]
