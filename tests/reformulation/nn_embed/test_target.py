"""Which target, and why."""

from __future__ import annotations

import pyomo.environ as pyo

from bilevel_lang.reformulation.nn_embed.target import choose_targets, coupling_rows, indifferent, value_factor
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction


def test_rows_of_the_leader_with_the_followers_variables_ask_for_the_value() -> None:
    source, _, _ = arrays(continuous())
    assert coupling_rows(source) == 1
    assert [t.name for t in choose_targets(source, "auto")] == ["value"]


def test_interdiction_is_the_negative_of_the_value() -> None:
    source, _, _ = arrays(interdiction())
    assert coupling_rows(source) == 0 and value_factor(source) == -1.0
    assert [t.name for t in choose_targets(source, "auto")] == ["leader"]


def test_an_integer_follower_with_another_aim_is_tried_both_ways() -> None:
    m, info = interdiction()
    m.outer.deactivate()
    m.other = pyo.Objective(expr=m.y[0] - m.y[1])
    source, _, _ = arrays((m, info))
    assert value_factor(source) is None
    assert [t.name for t in choose_targets(source, "auto")] == ["leader", "value"]


def test_what_is_asked_for_is_taken() -> None:
    source, _, _ = arrays(interdiction())
    assert [t.name for t in choose_targets(source, "response")] == ["response"]


def test_who_gets_what_the_follower_loses_has_no_choice_among_its_answers() -> None:
    source, inputs, _ = arrays(interdiction())
    assert indifferent(source, inputs)
    assert not indifferent(source, inputs[:-1])  # a column of nobody's
    m, info = interdiction()
    m.outer.deactivate()
    m.other = pyo.Objective(expr=m.y[0] - m.y[1])
    source, inputs, _ = arrays((m, info))
    assert not indifferent(source, inputs)
    m.other.set_value(m.x[0] - m.x[1])
    source, inputs, _ = arrays((m, info))
    assert indifferent(source, inputs)
