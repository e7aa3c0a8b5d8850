from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilevel_lang.errors import OnnxFileError, UsageError
from bilevel_lang.surrogate.onnx_files.reading import read_onnx
from bilevel_lang.surrogate.onnx_files.writing import write_onnx
from bilevel_lang.surrogate.scenario_encoder.reading import read_scenario_network
from bilevel_lang.surrogate.scenario_encoder.writing import serialised_sets, write_scenario_network
from tests.surrogate.scenario_encoder.nets import a_set, random_network, scenario_network
from tests.surrogate.scenario_encoder.test_writing import METADATA, POINTS

pytest.importorskip("onnx")


@pytest.mark.parametrize("convex", [True, False])
def test_what_was_written_is_read_back(tmp_path: Path, convex: bool) -> None:
    network = scenario_network(convex=convex)
    write_scenario_network(tmp_path / "net.onnx", network, METADATA)
    found = read_scenario_network(tmp_path / "net.onnx")
    assert found.metadata == METADATA
    values, shares = a_set(9)
    one, other = network.at(values, shares), found.network.at(values, shares)
    assert np.allclose(other(POINTS), one(POINTS), rtol=1e-12, atol=1e-10)
    assert other.convex().tolist() == one.convex().tolist() == [convex]


def edited(tmp_path: Path, edit: Callable[[Any], object]) -> Path:
    """A good file after ``edit`` of its message."""
    import onnx

    model = onnx.ModelProto()
    model.ParseFromString(serialised_sets(scenario_network(), METADATA))
    edit(model)
    path = tmp_path / "edited.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def _without_metadata(model: Any) -> None:
    del model.metadata_props[:]


def _not_finite(model: Any) -> None:
    import onnx

    tensor = next(t for t in model.graph.initializer if t.name == "cost_weights")
    numbers = onnx.numpy_helper.to_array(tensor).copy()
    numbers.flat[0] = np.nan
    tensor.CopyFrom(onnx.numpy_helper.from_array(numbers, tensor.name))


def _damaged_metadata(model: Any) -> None:
    next(entry for entry in model.metadata_props if entry.key.endswith("least")).value = "[1"


def _fewer_parameters(model: Any) -> None:
    for entry in model.metadata_props:
        if entry.key.rpartition(".")[2] in ("parameters", "least", "largest"):
            entry.value = '["p"]' if entry.key.endswith("parameters") else "[0.0]"


def _other_input(model: Any) -> None:
    model.graph.input[0].name = "weather"


def _strange_operator(model: Any) -> None:
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Sin"


def _features_of_decisions(model: Any) -> None:
    next(node for node in model.graph.node if node.output[0] == "features_before1").input[0] = "decision"


def _round_about(model: Any) -> None:
    next(node for node in model.graph.node if node.output[0] == "features_before1").input[0] = "features"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_without_metadata, "does not say which decisions and random parameters"),
        (_not_finite, "cost_weights holds NaN"),
        (_damaged_metadata, "metadata of the file are damaged"),
        (_fewer_parameters, "name 2 decisions and 1 random parameters, the graph has 2 and 2"),
        (_other_input, "no inputs scenarios, probabilities, decision"),
        (_strange_operator, "Sin cannot be embedded"),
        (_features_of_decisions, "decision is not defined before it"),
        (_round_about, "not defined before it"),
    ],
)
def test_a_file_that_is_not_right_is_refused(tmp_path: Path, edit: Callable[[Any], object], message: str) -> None:
    with pytest.raises(OnnxFileError, match=message) as caught:
        read_scenario_network(edited(tmp_path, edit))
    assert "edited.onnx" in str(caught.value)
    assert caught.value.exit_code == 3


def test_networks_of_followers_and_of_sets_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    write_scenario_network(path, scenario_network(), METADATA)
    with pytest.raises(OnnxFileError, match="expected cost over sets of scenarios"):
        read_onnx(path)
    plain = replace(METADATA, target="value", parameters=(), least=(), largest=())
    write_onnx(path, random_network(2, (3,), 1, 0), plain)
    with pytest.raises(OnnxFileError, match="one of bilevel problems \\(target `value`\\)"):
        read_scenario_network(path)


def test_no_file_and_no_onnx(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_scenario_network(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(OnnxFileError, match="no ONNX file"):
        read_scenario_network(tmp_path / "text.onnx")
