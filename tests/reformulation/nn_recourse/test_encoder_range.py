from __future__ import annotations

from pathlib import Path

import numpy as np

from bilevel_lang.reformulation.nn_recourse.encoder_range import outside_of_box, outside_of_range, unlike_training
from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.uncertainty.scenario_set import ScenarioSet

LEAST, LARGEST = np.array([0.0, -1.0]), np.array([10.0, 1.0])


def told(values: list[list[float]]) -> tuple[str, ...]:
    given = ScenarioSet(np.array(values), np.full(len(values), 1.0 / len(values)))
    return outside_of_range(Path("net.onnx"), LEAST, LARGEST, given, ("wind", "sun"))


def test_what_leaves_the_range_is_told_with_numbers() -> None:
    assert told([[0.0, 1.0], [10.0, -1.0]]) == ()
    assert told([[-0.1, 1.0], [10.15, -1.0]]) == ()
    (said,) = told([[3.0, 1.0], [14.0, -2.0]])
    assert "range that net.onnx was trained in, where its network extrapolates" in said
    assert said.endswith("`wind` is 3 to 14, and was 0 to 10, `sun` is -2 to 1, and was -1 to 1")


def test_impossible_scenarios_count_for_nothing() -> None:
    given = ScenarioSet(np.array([[1.0, 0.0], [99.0, 0.0]]), np.array([1.0, 0.0]))
    assert outside_of_range(Path("net.onnx"), LEAST, LARGEST, given, ("wind", "sun")) == ()


def test_many_names_are_counted() -> None:
    names = tuple(f"p{k}" for k in range(5))
    given = ScenarioSet(np.full((1, 5), 7.0), np.ones(1))
    (said,) = outside_of_range(Path("net.onnx"), np.zeros(5), np.ones(5), given, names)
    assert said.endswith("`p2` is 7 to 7, and was 0 to 1; and 2 more")


def test_decisions_beyond_the_box_are_named() -> None:
    whole = np.array([True, True])
    assert outside_of_box(np.zeros(2), np.full(2, 12.0), box(np.zeros(2), np.full(2, 12.0), whole, ("a", "b"))) == ()
    assert outside_of_box(np.zeros(2), np.full(2, 12.0), box(np.ones(2), np.full(2, 3.0), whole, ("a", "b"))) == ()
    (said,) = outside_of_box(np.zeros(2), np.full(2, 12.0), box(np.zeros(2), np.array([12.0, 13.0]), whole, ("a", "b")))
    assert said.endswith("extrapolates: `b` is 0 to 13, and was 0 to 12")


def test_a_network_that_is_further_off_than_ever() -> None:
    (said,) = unlike_training(12.5, 4.0)
    assert "12.5 off the truth" in said and "4 at most" in said and "unlike those of its training" in said
    assert unlike_training(4.0, 4.0) == ()
    assert unlike_training(12.5, float("nan")) == ()
