"""The whole of resolve: everything at once, the summary, the library's structures, and time that grows with the model only."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

from bilevel_lang.errors import BilevelError
from bilevel_lang.problem import Structure
from tests.resolver.models import families, findings, gams_style, mistakes, names, resolved


def test_every_mistake_is_reported_at_once_in_the_order_of_the_file() -> None:
    text = "bilevel xx y(7)\nmin z y gap defz low\nmax w y(1) q(1)\ndualvar p low w"
    found = findings(gams_style(), text)
    places = [(d.code, d.span.line, d.span.column) for d in found if d.span]
    assert places == sorted(places, key=lambda p: p[1:])
    assert [p[0] for p in places] == ["E1", "E19", "E1", "E3", "E1", "E7"]


@pytest.mark.parametrize("word", ["gap", "nothing"])
def test_the_caret_stands_under_the_culprit(word: str) -> None:
    text = f"bilevel x\n\tmin z y {word} defz"
    (found,) = findings(gams_style(), text)
    lines = found.render().splitlines()
    assert lines[2].index("^") == lines[1].index(word)
    assert lines[2].count("^") == len(word)


def test_the_summary_counts_elements() -> None:
    problem = resolved(gams_style(), "bilevel x w min z y defz -low high dualvar p low")
    counted = {name: n for name, n in problem.summary if n}
    assert counted == {"Flipped Constraints": 1, "Dual Variable Maps": 1, "Bilevel Followers": 1}


def test_multmpec() -> None:
    # EMP library: u, v >= 0, w free, z >= 1; two followers, three functions.
    m = pyo.ConcreteModel()
    m.u = pyo.Var(bounds=(0, None), initialize=1)
    m.v = pyo.Var(bounds=(0, None), initialize=1)
    m.w = pyo.Var()
    m.z = pyo.Var(bounds=(1, None))
    m.h = pyo.Constraint(expr=pyo.exp(m.z) + m.w == 2)
    m.f1 = pyo.Constraint(expr=m.v + m.w + m.z == 1)
    m.f2 = pyo.Constraint(expr=m.u == pyo.log(m.v))
    m.f3 = pyo.Constraint(expr=m.w + m.z == -3)
    m.obj = pyo.Objective(expr=m.z)
    problem = resolved(m, "bilevel\nvi f1 u\n   f2 v\nvi f3 w")
    counted = {name: n for name, n in problem.summary if n}
    assert counted == {"VI Functions": 3, "Bilevel Followers": 2}
    assert names(problem.leader.variables) == ["z"]
    assert names(problem.leader.rows) == ["h"]


def test_an_empty_annotation_is_an_ordinary_model() -> None:
    problem = resolved(gams_style(), "* nothing here\n")
    assert problem.structure is Structure.SINGLE
    assert problem.agents == ()
    assert len(problem.leader.rows) == 3


def test_complementarity_conditions_stay_the_leaders() -> None:
    model = gams_style()
    model.cc = Complementarity(expr=complements(model.w >= 0, model.x >= 0))
    assert "w" in names(resolved(model, "bilevel x min z y defz low").leader.variables)


def test_references_are_not_counted_twice() -> None:
    model = families()
    model.part = pyo.Reference(model.q["a", :])
    model.rows = pyo.Reference(model.need)
    problem = resolved(model, "bilevel x min f(a) part rows(a)")
    assert names(problem.agents[0].variables) == ["q[a,1]", "q[a,2]", "q[a,3]"]
    assert len(names(problem.leader.variables)) == len(set(names(problem.leader.variables)))


def test_the_model_stays_as_it_was() -> None:
    model = gams_style()
    before = str(model.low.body), model.z.bounds, [c.name for c in model.component_objects()]
    resolved(model, "bilevel x min z y defz low dualvar p low")
    assert (str(model.low.body), model.z.bounds, [c.name for c in model.component_objects()]) == before


@pytest.mark.parametrize("text", ["bilevel x min z y defz low high", "bilevel x min f(a) q(a,*)", "vi z", "bilevel 'x' min z"])
def test_names_of_another_model_are_mistakes_and_no_crash(text: str) -> None:
    for model in (gams_style(), families(), pyo.ConcreteModel()):
        with contextlib.suppress(BilevelError):
            resolved(model, text)


def many(n: int) -> Any:
    m = pyo.ConcreteModel()
    m.S = pyo.RangeSet(n)
    m.x = pyo.Var()
    m.y = pyo.Var(m.S, [1, 2], bounds=(0, None))
    m.z = pyo.Var(m.S)
    m.p = pyo.Var(m.S, bounds=(None, 0))
    m.d = pyo.Constraint(m.S, rule=lambda m, s: m.z[s] == m.y[s, 1] ** 2)
    m.e = pyo.Constraint(m.S, [1, 2], rule=lambda m, s, j: m.y[s, j] + m.x <= 3)
    m.obj = pyo.Objective(expr=m.x)
    return m


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("bilevel x for s in S: min z(s) y(s,*) d(s) e(s,*) for s in S: dualvar p(s) e(s,1)", None),
        ("bilevel x for s in S: min z(s) * d(s) e(s,*)", None),
        ("bilevel x for s in S: min z(s) y(s,3) d(s) e(s,*)", ["E19"]),
        ("bilevel x for s in S: min z(s) y d(s) e(s,*)", ["E3"]),
    ],
)
def test_time_grows_with_the_model_and_no_faster(text: str, codes: list[str] | None) -> None:
    seconds = []
    for n in (500, 4000):
        model = many(n)
        start = time.process_time()
        if codes is None:
            assert len(resolved(model, text).agents) == n
        else:
            assert mistakes(model, text) == codes
        seconds.append(time.process_time() - start)
    # Eight times the followers; a quadratic pass would take sixty-four times as long.
    assert seconds[1] < 24 * seconds[0] + 0.5


def test_an_agent_with_fixed_variables_alone_is_a_warning_and_still_examined() -> None:
    from bilevel_lang import solve

    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, 4))
    model.y = pyo.Var(bounds=(0, 4))
    model.lead = pyo.Objective(expr=model.x)
    model.low = pyo.Expression(expr=model.y)
    model.row = pyo.Constraint(expr=model.y <= model.x)
    model.y.fix(3)
    solution = solve(model, "bilevel x\nmin low y row\n")
    # Nothing to decide, but the row of the follower still holds: x >= 3.
    assert solution.objective == pytest.approx(3)
    assert solution.verified
    assert any("nothing to decide" in message for message in solution.messages)
