"""The allow-list: everything else is refused by name, and so are unknown attributes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from bilevel_lang.errors import OnnxFileError
from bilevel_lang.surrogate.onnx_files.operators import OPERATORS
from tests.surrogate.onnx_files.graphs import agree, model, read

DOCS = Path(__file__).resolve().parents[3] / "docs" / "surrogates.md"


def test_every_operator_has_a_row_in_the_docs() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {o.name for o in OPERATORS} | {"Constant"} <= {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_all_of_them_are_operators_of_onnx() -> None:
    assert [o.name for o in OPERATORS if not onnx.defs.has(o.name, o.domain)] == []


@pytest.mark.parametrize("operator", ["Sigmoid", "Tanh", "Softplus", "Exp", "Loop", "If", "Gather", "MaxPool", "Conv", "Softmax"])
def test_others_are_refused_by_name(operator: str, tmp_path: Path) -> None:
    with pytest.raises(OnnxFileError, match=rf"node n0 \(operator {operator}\): the operator {operator} cannot") as caught:
        read(model([(operator, ["x"], ["y"])]), tmp_path)
    assert "Relu" in caught.value.diagnostics[0].help


def test_other_domains_are_refused(tmp_path: Path) -> None:
    made = model([("Relu", ["x"], ["y"])])
    made.graph.node[0].domain = "com.microsoft"
    with pytest.raises(OnnxFileError, match=r"Relu of com\.microsoft"):
        read(made, tmp_path)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (("Relu", ["x"], ["y"], {"slope": 1.0}), "attribute slope is not known"),
        (("LeakyRelu", ["x"], ["y"], {"alpha": "much"}), "attribute alpha has a value of another kind"),
        (("Transpose", ["x"], ["y"], {"perm": 1}), "attribute perm has a value of another kind"),
        (("Flatten", ["x"], ["y"], {"axis": 1.0}), "attribute axis has a value of another kind"),
        (("Relu", ["x", "x"], ["y"]), "it has 2 inputs"),
        (("Relu", ["x"], []), "it has no output"),
        (("Relu", ["q"], ["y"]), "its input q is not defined before it"),
        (("Relu", [""], ["y"]), "applied to a constant"),
    ],
)
def test_nodes_that_do_not_fit(node: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(OnnxFileError, match=words):
        read(model([node]), tmp_path)


@pytest.mark.parametrize(
    "attributes",
    [{"value": onnx.numpy_helper.from_array(np.float32([1, 2, 3]))}, {"value_floats": [1.0, 2.0, 3.0]}, {"value_float": 2.5}],
)
def test_constants(attributes: dict[str, Any], tmp_path: Path) -> None:
    agree(model([("Constant", [], ["c"], attributes), ("Add", ["x", "c"], ["y"])]), tmp_path)


@pytest.mark.parametrize(
    "attributes", [{}, {"value_string": "a"}, {"value_float": float("nan")}, {"value_int": 1, "value_float": 1.0}]
)
def test_constants_that_are_none(attributes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(OnnxFileError, match="operator Constant"):
        read(model([("Constant", [], ["c"], attributes), ("Add", ["x", "c"], ["y"])]), tmp_path)
