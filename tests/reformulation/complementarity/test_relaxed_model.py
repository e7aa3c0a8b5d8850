from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity.homotopy import Homotopy
from bilevel_lang.reformulation.complementarity.relaxed_model import RelaxedModel, is_variable, worth
from bilevel_lang.reformulation.nlp_options import NlpOptions
from tests.reformulation.problems import pairs


def relaxed(name: str = "scholtes", **nlp: Any) -> tuple[Any, RelaxedModel]:
    made = bl.reformulate(pairs(), "", encoding=name, nlp=NlpOptions(**nlp))
    homotopy: Homotopy = made.run.encoded_run.__self__  # type: ignore[attr-defined]
    return made.model, homotopy.relaxed


def put(model: Any, x: float, y: float) -> None:
    """Values for x and y; slacks follow."""
    model.x.set_value(x)
    model.y.set_value(y)
    for row in model.encoding.component_data_objects(pyo.Constraint):
        if row.parent_component().local_name == "slack_row":
            slack = next(v for v in model.encoding.slack.values() if v.name in str(row.expr))
            slack.set_value(x if ".left" in row.name else y)


def test_residual_and_smaller_sides() -> None:
    model, r = relaxed()
    put(model, 0.25, 3.0)
    assert r.residual() == pytest.approx(0.25)
    assert [side.index() for side in r.smaller_sides()] == ["compl.left"]
    assert r.own_objective() == pytest.approx(0.75**2 + 1)


def test_a_piece_and_the_way_back() -> None:
    model, r = relaxed()
    ((left, right),) = r.sides
    with r.piece([left]):
        assert (left.lb, left.ub, right.ub) == (0, 0, None)
        assert not model.encoding.product["compl"].active
    assert (left.lb, left.ub) == (0, None)
    assert model.encoding.product["compl"].active


def test_a_piece_without_slacks_is_an_equality() -> None:
    _, r = relaxed(slacks="none")
    ((left, right),) = r.sides
    assert not is_variable(left)
    with r.piece([left]):
        assert (left.equality, right.equality) == (True, False)
    assert not left.equality


def test_the_bounds_that_a_relaxation_took_are_back_on_a_piece() -> None:
    _, r = relaxed("lin-fukushima")
    ((left, right),) = r.sides
    assert right.lb is None
    with r.piece([left]):
        assert (left.lb, left.ub, right.lb) == (0, 0, 0)
    assert (left.lb, right.lb) == (None, None)


def test_the_cost_is_gone_on_a_piece() -> None:
    model, r = relaxed("penalty")
    with r.piece([r.sides[0][0]]):
        assert (model.leader.active, model.encoding.penalised.active) == (True, False)
    assert (model.leader.active, model.encoding.penalised.active) == (False, True)


def test_worth_of_a_row_is_its_distance_to_the_side() -> None:
    model, r = relaxed(slacks="none")
    model.x.set_value(2.5)
    assert worth(r.sides[0][0]) == pytest.approx(2.5)
