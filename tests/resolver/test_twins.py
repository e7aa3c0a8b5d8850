"""``qvi``: triples, and where the twins end up."""

from __future__ import annotations

import pytest

from bilevel_lang.errors import ResolutionError
from bilevel_lang.grammar.parser import parse
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.resolver import resolve
from tests.resolver.equilibria import quasi


def links(problem: BilevelProblem) -> list[tuple[str, str, str]]:
    return [(k.variable.name, k.twin.name, k.agent) for k in problem.links]


@pytest.mark.parametrize(
    "text", ["qvi F y x g", "equilibrium qvi F y x g", "qvi F(1) y(1) x(1) F(2) y(2) x(2) g(1) g(2)", "qvi F y x"]
)
def test_twins_are_nobodys(text: str) -> None:
    problem = resolve(quasi(), parse(text))
    (agent,) = problem.agents
    assert (agent.name, agent.kind, [v.name for v in agent.variables]) == ("qvi F[1]", "vi", ["y[1]", "y[2]"])
    assert [row.name for row in agent.rows] == ["g[1]", "g[2]"]  # the last form: what nobody lists is the only agent's
    assert problem.leader.variables == ()
    assert links(problem) == [("y[1]", "x[1]", agent.name), ("y[2]", "x[2]", agent.name)]
    assert dict(problem.summary)["QVI Parameters"] == 2
    assert dict(problem.summary)["VI Functions"] == 2


def test_a_zero_function_has_a_twin_too() -> None:
    model = quasi()
    problem = resolve(model, parse("qvi F(1) y(1) x(1) 0 y(2) x(2) g"))
    assert [f.expression is None for f in problem.agents[0].functions] == [False, True]
    assert len(problem.links) == 2


@pytest.mark.parametrize(
    ("text", "code"), [("qvi F y g", "E7"), ("qvi F y y g", "E3"), ("qvi x F y x g", "E7"), ("qvi g", "E18")]
)
def test_mistakes(text: str, code: str) -> None:
    with pytest.raises(ResolutionError) as caught:
        resolve(quasi(), parse(text))
    assert [d.code for d in caught.value.diagnostics] == [code]
