"""Labels: numbers and texts, slices, letters of the other case, and members that the model skipped."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.grammar.leaves import Segment
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.syntax import Optimise
from bilevel_lang.resolver.elements import AmbiguousLabelError, Elements, as_key, label_text, near_labels, segment_text, skipped


def segment(text: str) -> Segment:
    (statement,) = parse(f"min f {text}").statements
    assert isinstance(statement, Optimise)
    return statement.items[0].segments[0]  # type: ignore[union-attr]


def at(component: Any, text: str, **bindings: Any) -> list[str]:
    found = Elements().at(component, segment(text).indices or (), {k: as_key(v) for k, v in bindings.items()})
    return [e.data.name for e in found]


@pytest.fixture
def model() -> Any:
    m = pyo.ConcreteModel()
    m.i = pyo.Var([1, 2, -3])
    m.t = pyo.Var(["1", "a b", "x1"])
    m.d = pyo.Var([0.5, 2.0])
    m.q = pyo.Var(["a", "b"], [1, 2], ["u"])
    m.both = pyo.Var([1, "1"])
    m.pairs = pyo.Var(["c"], [(1, 2), (3, 4)])
    m.cased = pyo.Var(["Low", "High", "high"])
    m.data = pyo.Param(["a", "b"], [1, 2], default=3)
    return m


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("i", "i(1)", ["i[1]"]),
        ("i", "i[2]", ["i[2]"]),
        ("i", "i(-3)", ["i[-3]"]),
        ("i", "i('1')", []),  # quotes mean the text only
        ("i", "i(7)", []),
        ("t", "t(1)", ["t['1']"]),  # unquoted: a number or a text
        ("t", "t('a b')", ["t[a b]"]),
        ("t", 't("x1")', ["t[x1]"]),
        ("d", "d(0.5)", ["d[0.5]"]),
        ("d", "d(2)", ["d[2.0]"]),
        ("q", "q(a,1,u)", ["q[a,1,u]"]),
        ("q", "q[b,2,'u']", ["q[b,2,u]"]),
        ("q", "q(*,2,u)", ["q[a,2,u]", "q[b,2,u]"]),
        ("q", "q(a,:,*)", ["q[a,1,u]", "q[a,2,u]"]),
        ("q", "q(a,1)", []),
        ("q", "q(1,a,u)", []),
        ("pairs", "pairs(c,3,4)", ["pairs[c,3,4]"]),
        ("cased", "cased(LOW)", ["cased[Low]"]),  # EMP does not tell case
        ("cased", "cased(high)", ["cased[high]"]),  # an exact match comes first
    ],
)
def test_labels(model: Any, name: str, text: str, found: list[str]) -> None:
    assert at(model.component(name), text) == found


def test_an_index_of_a_loop_stands_for_its_member(model: Any) -> None:
    assert at(model.q, "q(s,*,u)", s="b") == ["q[b,1,u]", "q[b,2,u]"]
    assert at(model.pairs, "pairs(c,k)", k=(3, 4)) == ["pairs[c,3,4]"]


def test_quotes_mean_the_label_and_not_the_index_of_the_loop(model: Any) -> None:
    assert at(model.q, "q('a',*,u)", a="b") == ["q[a,1,u]", "q[a,2,u]"]
    assert at(model.q, "q(a,*,u)", a="b") == ["q[b,1,u]", "q[b,2,u]"]


@pytest.mark.parametrize(("name", "text"), [("both", "both(1)"), ("cased", "cased(HIGH)")])
def test_two_matches_are_never_guessed_at(model: Any, name: str, text: str) -> None:
    with pytest.raises(AmbiguousLabelError) as caught:
        at(model.component(name), text)
    assert len(caught.value.keys) == 2


def test_a_slice_keeps_the_open_labels_as_the_key(model: Any) -> None:
    found = Elements().at(model.q, segment("q(*,1,*)").indices or (), {})
    assert [e.key for e in found] == [("a", "u"), ("b", "u")]


def test_parameters_are_data_without_a_component(model: Any) -> None:
    assert len(Elements().at(model.data, segment("data(a,*)").indices or (), {})) == 2


def test_all_members_and_scalars() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.y = pyo.Var([1, 2])
    assert [(e.key, e.data) for e in Elements().all(m.x)] == [((), m.x)]
    assert [e.key for e in Elements().all(m.y)] == [(1,), (2,)]


def test_skipped_members_are_told_from_members_that_cannot_be() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.c = pyo.Constraint([1, 2], rule=lambda m, i: m.x >= 1 if i == 1 else pyo.Constraint.Skip)
    assert skipped(m.c, segment("c(2)").indices or (), {})
    assert not skipped(m.c, segment("c(3)").indices or (), {})


@pytest.mark.parametrize("text", ["x", "x(1)", "x[1,*]", "x('a b',s)"])
def test_a_segment_is_spelled_as_it_was_written(text: str) -> None:
    assert segment_text(segment(text)) == text


def test_texts_that_read_as_numbers_are_quoted() -> None:
    assert label_text((1, "1", "a"), segment("x(1)")) == "(1,'1',a)"


def test_hints(model: Any) -> None:
    assert near_labels(model.q, segment("q(a,1,w)")).startswith("did you mean `q(a,1,u)` or ")
    assert near_labels(model.i, segment("i('1')")) == "did you mean `i(1)`?"
    assert near_labels(model.d, segment("d(nothing)")) == "its elements are `d(0.5)`, `d(2.0)`"
