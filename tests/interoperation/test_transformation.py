from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity

import bilevel_lang as bl
from bilevel_lang import BilevelError, RefusedError, UsageError
from bilevel_lang.interoperation.transformation import KktTransformation
from tests.harness import state, text_of
from tests.interoperation.models import ALL, nonconvex, tax, two_followers

TRANSFORMATION = pyo.TransformationFactory("bilevel.kkt")
CASES = pytest.mark.parametrize("build", ALL, ids=[build.__name__ for build in ALL])


@CASES
def test_in_place_out_of_place_and_reformulate_give_the_same_model(build: Callable[[], tuple[Any, str, float]]) -> None:
    model, annotation, _ = build()
    before = state(model)
    created = TRANSFORMATION.create_using(model, annotation=annotation)
    assert created is not model
    assert state(model) == before
    expected = text_of(bl.reformulate(model, annotation).model)
    assert text_of(created) == expected
    assert TRANSFORMATION.apply_to(model, annotation=annotation) is None
    assert text_of(model) == expected


@CASES
@pytest.mark.parametrize("annotate", [str, bl.parse, "file"], ids=["text", "info", "path"])
def test_encoded_in_place_an_ordinary_solver_finds_the_known_answer(
    build: Callable[[], tuple[Any, str, float]], annotate: Any, tmp_path: Path
) -> None:
    model, annotation, optimum = build()
    path = tmp_path / "model.emp"
    path.write_text(annotation, encoding="utf-8")
    TRANSFORMATION.apply_to(model, annotation=path if annotate == "file" else annotate(annotation), encoding="sos1")
    pyo.assert_optimal_termination(pyo.SolverFactory("scip_direct").solve(model))
    objective = next(model.component_data_objects(pyo.Objective, active=True))
    assert pyo.value(objective) == pytest.approx(optimum, abs=1e-4)


def test_in_place_keeps_the_components_and_leaves_one_active_objective() -> None:
    model, annotation, _ = tax()
    variables = list(model.component_data_objects(pyo.Var))
    model.profit.activate()
    TRANSFORMATION.apply_to(model, annotation=annotation)
    assert list(model.component_data_objects(pyo.Var))[: len(variables)] == variables
    assert (model.burden.active, model.profit.active) == (True, False)
    assert (model.limit.active, model.capacity.active) == (True, False)  # the complementarity states the second one
    assert len(list(model.component_data_objects(Complementarity, active=True))) == 2
    assert TRANSFORMATION.get_kkt_block(model) is model.kkt


def test_the_way_from_the_source_and_back() -> None:
    model, annotation, _ = two_followers()
    created = TRANSFORMATION.create_using(model, annotation=annotation)
    for source, twin in ((model.y, created.y), (model.between, created.between)):
        assert TRANSFORMATION.get_transformed_component(created, source) is twin
        assert TRANSFORMATION.get_src_component(created, twin) is source
    copy = created.clone()
    assert TRANSFORMATION.get_src_component(copy, copy.y) is model.y
    assert TRANSFORMATION.get_multiplier_from_object(copy, copy.least) is copy.kkt.multiplier["least"]
    TRANSFORMATION.apply_to(model, annotation=annotation)
    assert TRANSFORMATION.get_src_component(model, model.y) is model.y


def test_a_pickled_model_keeps_its_lookups() -> None:
    model, annotation, _ = two_followers()
    TRANSFORMATION.apply_to(model, annotation=annotation)
    copy = pickle.loads(pickle.dumps(model))
    assert TRANSFORMATION.get_multiplier_from_object(copy, copy.least) is copy.kkt.multiplier["least"]


def test_a_block_of_a_larger_model_can_be_transformed() -> None:
    whole = pyo.ConcreteModel()
    whole.part, annotation, optimum = two_followers()
    TRANSFORMATION.apply_to(whole.part, annotation=annotation)
    lower, upper = TRANSFORMATION.get_multiplier_from_object(whole.part, whole.part.between)
    assert (lower.parent_block(), upper.bounds) == (whole.part.kkt, (None, 0))
    pyo.TransformationFactory("mpec.simple_nonlinear").apply_to(whole)
    pyo.SolverFactory("scip_direct").solve(whole)
    assert pyo.value(whole.part.upper) == pytest.approx(optimum, abs=1e-4)


def test_options_are_documented_and_checked() -> None:
    assert set(KktTransformation.CONFIG) == {"annotation", "strict", "encoding", "big_m", "implicit", "nlp"}
    assert "encoding" in KktTransformation.apply_to.__doc__
    model, annotation, _ = tax()
    with pytest.raises(ValueError, match="annotations"):
        TRANSFORMATION.apply_to(model, annotations=annotation)
    TRANSFORMATION.apply_to(model, options={"annotation": annotation, "encoding": "sos1"})
    assert list(model.encoding.sos1) == ["capacity", "output.lower"]


@pytest.mark.parametrize(
    "arguments",
    [
        lambda a: {"annotation": a, "encoding": "big-m"},
        lambda a: {"annotation": a, "encoding": "sos2"},
        lambda a: {"annotation": a.replace("capacity", "kapazity")},
        lambda a: {},
    ],
    ids=["no bound for a multiplier", "no such encoding", "no such row", "no annotation"],
)
def test_what_is_refused_leaves_the_model_as_it_was(arguments: Callable[[str], dict[str, Any]]) -> None:
    model, annotation, _ = tax()
    model.output.setub(None)
    model.capacity.deactivate()
    model.capacity2 = pyo.Constraint(expr=model.output <= 6 + model.tax)
    annotation = annotation.replace("capacity", "capacity2")
    before = state(model)
    with pytest.raises(BilevelError):
        TRANSFORMATION.apply_to(model, **arguments(annotation))
    assert state(model) == before
    with pytest.raises(BilevelError):
        TRANSFORMATION.create_using(model, **arguments(annotation))
    assert state(model) == before


def test_soft_rows_need_a_clone() -> None:
    model, annotation, _ = two_followers()
    annotation += "\nadjustequ least abs 1"
    before = state(model)
    with pytest.raises(RefusedError, match="use create_using"):
        TRANSFORMATION.apply_to(model, annotation=annotation)
    created = TRANSFORMATION.create_using(model, annotation=annotation)
    assert state(model) == before
    assert TRANSFORMATION.get_src_component(created, created.y) is model.y
    assert TRANSFORMATION.get_transformed_component(created, model.z) is created.z


def test_integer_followers_are_refused() -> None:
    model, annotation, _ = tax()
    model.output.domain = pyo.Integers
    with pytest.raises(RefusedError, match="integer"):
        TRANSFORMATION.apply_to(model, annotation=annotation)


def test_a_second_time_is_a_mistake() -> None:
    model, annotation, _ = tax()
    TRANSFORMATION.apply_to(model, annotation=annotation)
    for again in (model, model.clone()):
        with pytest.raises(UsageError, match="has been applied"):
            TRANSFORMATION.apply_to(again, annotation=annotation)


def test_a_follower_that_is_not_convex_is_told(caplog: pytest.LogCaptureFixture) -> None:
    model, annotation = nonconvex()
    with caplog.at_level(logging.WARNING, logger="bilevel_lang"):
        TRANSFORMATION.apply_to(model, annotation=annotation)
    assert "a KKT point need not be its optimum" in caplog.text
