"""Options of nn-embed: words, ranges, layers as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.nn_options import NnOptions, parse_layers, refuse_idle_nn_options


def test_layers_as_they_are_typed() -> None:
    assert parse_layers("50x50") == (50, 50)
    assert parse_layers("8") == (8,)


@pytest.mark.parametrize("text", ["", "50x", "0", "a", "50,50", "-3"])
def test_layers_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="layers"):
        parse_layers(text)


@pytest.mark.parametrize(
    "wrong",
    [{"network": "tree"}, {"target": "x"}, {"samples": 3}, {"refine": -1}, {"layers": ()}, {"layers": (4, 0)}]
    + [{"samples": "30"}, {"samples": 30.5}, {"refine": None}, {"layers": 5}, {"layers": "4-4"}, {"folder": 7}]
    + [{"workers": 0}, {"workers": 2, "cluster": "tcp://here:1"}, {"workers": 1.5}, {"search": 1}, {"search": -2}],
    ids=str,
)
def test_values_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        NnOptions(**wrong)  # type: ignore[arg-type]


def test_layers_may_be_text_as_on_the_command_line() -> None:
    assert NnOptions(layers="50x40").layers == (50, 40)  # type: ignore[arg-type]


def test_paths_may_be_texts_and_what_is_given_is_told() -> None:
    options = NnOptions(surrogate="net.onnx", refine=2)  # type: ignore[arg-type]
    assert options.surrogate == Path("net.onnx")
    assert options.given == ("surrogate", "refine")
    assert NnOptions().given == ()


@pytest.mark.parametrize("method", ["auto", "kkt", "value-function"])
def test_options_that_would_do_nothing_are_refused(method: str) -> None:
    refuse_idle_nn_options(method, NnOptions())
    refuse_idle_nn_options("NN-embed", NnOptions(refine=1))
    with pytest.raises(UsageError, match="--save-surrogate"):
        refuse_idle_nn_options(method, NnOptions(save_surrogate=Path("x.onnx")))


@pytest.mark.parametrize("form", ["sos1", "complementarity", "none such"])
def test_a_form_that_the_program_could_not_hold_is_refused_before_anything_is_sampled(form: str) -> None:
    with pytest.raises(UsageError, match="use one of split, big-m, partition"):
        NnOptions(embedding=form)
    assert NnOptions(embedding="partition").embedding == "partition"


@pytest.mark.parametrize("idle", [{"layers": (8,)}, {"network": "relu"}], ids=str)
def test_a_network_that_is_brought_is_not_trained(idle: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="is for a network that is trained"):
        NnOptions(surrogate=Path("net.onnx"), **idle)  # type: ignore[arg-type]
