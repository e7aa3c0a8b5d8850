"""What statements list: loops, deactivated and skipped rows, kinds, and pairs of a ``dualvar``."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from tests.resolver.models import families, findings, gams_style, mistakes, names, resolved, said


def test_a_loop_gives_one_agent_for_each_member() -> None:
    problem = resolved(families(), "bilevel x for s in S: min f(s) q(s,*) need(s) cap(s,*)")
    assert names(problem.agents) == ["min f[a]", "min f[b]"]
    assert names(problem.agents[1].variables) == ["q[b,1]", "q[b,2]", "q[b,3]"]
    assert names(problem.agents[1].rows) == ["need[b]", "cap[b,2]", "cap[b,3]"]


def test_two_ranges_the_second_depending_on_the_first() -> None:
    problem = resolved(families(), "bilevel x for s in S, t in T(s): min f(s) q(s,t)")
    assert [names(a.variables) for a in problem.agents] == [["q[a,1]"], ["q[b,2]"], ["q[b,3]"]]


def test_a_set_of_pairs_takes_both_places() -> None:
    problem = resolved(families(), "bilevel x for k in P: min g(k) q(k)")
    assert [names(a.variables) for a in problem.agents] == [["q[a,1]"], ["q[b,2]"]]


def test_the_index_of_a_loop_comes_before_a_label_of_that_name() -> None:
    problem = resolved(families(), "bilevel x for a in S: min f(a) q(a,*)")
    assert names(problem.agents[1].variables) == ["q[b,1]", "q[b,2]", "q[b,3]"]


@pytest.mark.parametrize(
    ("loop", "code"),
    [
        ("for s in E: min f(s) q(s,*)", "E18"),
        ("for s in S, s in N: min f(s) q(s,*)", "E17"),
        ("for s in S, t in N: min f(s) q(s,*)", "E3"),
        ("for s in S: min f(s) q", "E3"),
        ("for s in N: vi f(s) q(a,s)", "E19"),
        ("for s in S: min f(s) q(*,s)", "E19"),
    ],
)
def test_loops_that_cannot_be_meant(loop: str, code: str) -> None:
    assert mistakes(families(), f"bilevel {loop}") == [code]


def test_deactivated_rows_are_left_out_with_a_notice() -> None:
    model = families()
    model.cap["a", 2].deactivate()
    model.need.deactivate()
    problem = resolved(model, "bilevel x min f(a) q(a,*) need(a) cap(a,*)")
    assert names(problem.agents[0].rows) == ["cap[a,3]"]
    assert said(problem, "notice", "E19") == [
        "`need(a)` is deactivated and left out",
        "1 of the 2 elements of `cap(a,*)` are deactivated and left out",
    ]


def test_a_row_of_a_deactivated_block_is_deactivated() -> None:
    model = gams_style()
    model.b = pyo.Block()
    model.b.row = pyo.Constraint(expr=model.y[1] >= 1)
    model.b.deactivate()
    assert names(resolved(model, "bilevel x min z y defz b.row").agents[0].rows) == []


def test_skipped_rows_are_no_mistake() -> None:
    model = families()
    model.never = pyo.Constraint(rule=lambda m: pyo.Constraint.Skip)
    problem = resolved(model, "bilevel x min f(a) q(a,*) cap(a,1) cap(a,2) never")
    assert names(problem.agents[0].rows) == ["cap[a,2]"]
    assert said(problem, "notice", "E19") == ["`cap(a,1)` is not in the model: its rule skipped it"]
    assert len(said(problem, "warning", "E19")) == 1


def test_a_mistake_for_every_item() -> None:
    text = "bilevel x\nmin f(a) S obj f(b) -q(a,*) x(1) nothing"
    found = findings(families(), text)
    assert [(d.code, d.span.column) for d in found if d.span] == [
        ("E2", 10),
        ("E2", 12),
        ("E2", 16),
        ("E2", 21),
        ("E19", 29),
        ("E1", 34),
    ]


def test_a_bound_without_a_value_is_the_models_mistake() -> None:
    model = gams_style()
    model.limit = pyo.Param(mutable=True)
    model.row = pyo.Constraint(expr=model.y[1] <= model.limit)
    assert mistakes(model, "bilevel x min z y defz row") == ["M1"]


def test_an_expression_without_an_expression() -> None:
    model = gams_style()
    model.later = pyo.Expression()
    assert mistakes(model, "bilevel x min later y") == ["M1"]


def test_the_sense_of_the_annotation_counts_and_is_compared() -> None:
    model = gams_style()
    model.second = pyo.Objective(expr=model.y[1], sense=pyo.maximize)
    problem = resolved(model, "bilevel x min second y low")
    assert problem.agents[0].kind == "min"
    assert len(said(problem, "warning", "E16")) == 1


def test_an_objective_need_not_be_active() -> None:
    model = gams_style()
    model.second = pyo.Objective(expr=model.y[1])
    model.second.deactivate()
    problem = resolved(model, "bilevel x min second y low")
    assert problem.agents[0].objective is not None
    assert problem.agents[0].objective.expression is model.y[1]


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ("p", "E7"),
        ("p low w", "E7"),
        ("y low", "E6"),
        ("low p", "E2"),
        ("p x", "E2"),
        ("x w", "E2"),
        ("-p low", "E2"),
        ("* low", "E2"),
    ],
)
def test_pairs_that_are_none(pairs: str, code: str) -> None:
    assert mistakes(gams_style(), f"bilevel x min z y defz low dualvar {pairs}") == [code]


def test_pairs_are_made_by_index_and_not_by_order() -> None:
    model = families()
    model.price = pyo.Var(["b", "a"], bounds=(0, None))
    problem = resolved(model, "bilevel x for s in S: min f(s) q(s,*) need(s) dualvar price need")
    assert {d.variable.name: d.row.name for d in problem.dual_maps} == {"price[a]": "need[a]", "price[b]": "need[b]"}
