"""Files that are damaged, too large, or refer to what is not in them: refused before anything is made of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from bilevel_lang.errors import OnnxFileError, UsageError
from bilevel_lang.surrogate.onnx_files.limits import Limits
from bilevel_lang.surrogate.onnx_files.loading import load_message
from bilevel_lang.surrogate.onnx_files.reading import read_onnx
from tests.surrogate.onnx_files.graphs import dense_nodes, model, read

GOOD = model(*dense_nodes()).SerializeToString()


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "n.onnx"
    path.write_bytes(GOOD)
    assert len(load_message(path, Limits()).graph.node) == 3


def test_every_cut_is_an_error_of_ours(tmp_path: Path) -> None:
    for end in range(0, len(GOOD), 7):
        with pytest.raises(OnnxFileError):
            read(GOOD[:end], tmp_path)


def test_random_damage_never_raises_anything_else(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    good, failures = np.frombuffer(GOOD, dtype=np.uint8), 0
    for _ in range(300):
        bad = good.copy()
        bad[generator.integers(0, len(bad), size=3)] = generator.integers(0, 256, size=3)
        try:
            read(bad.tobytes(), tmp_path)
        except OnnxFileError as error:
            failures += 1
            assert error.exit_code == 3 and error.diagnostics[0].help
    assert failures > 50


def test_a_missing_file_a_folder_and_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_onnx(tmp_path / "none.onnx")
    with pytest.raises(UsageError, match="no ordinary file"):
        read_onnx(tmp_path)
    with pytest.raises(UsageError, match="no ordinary file"):
        read_onnx(Path(os.devnull))


def test_large_files_and_long_graphs(tmp_path: Path) -> None:
    path = tmp_path / "n.onnx"
    path.write_bytes(GOOD)
    with pytest.raises(OnnxFileError, match="is the most"):
        read_onnx(path, Limits(file_bytes=100))
    with pytest.raises(OnnxFileError, match="3 nodes, and 2 is the most"):
        read_onnx(path, Limits(nodes=2))
    with pytest.raises(OnnxFileError, match="more than 5 inputs and neurons"):
        read_onnx(path, Limits(columns=5))
    with pytest.raises(OnnxFileError, match="2 elements are the most"):
        read_onnx(path, Limits(elements=2))


def test_a_file_of_two_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "n.onnx"
    with path.open("wb") as stream:
        stream.truncate(2**31)
    with pytest.raises(OnnxFileError, match="2048 MiB, and 256 MiB is the most"):
        read_onnx(path)


def test_external_data_are_not_opened(tmp_path: Path) -> None:
    made = model(*dense_nodes())
    secret = tmp_path / "weights.bin"
    onnx.external_data_helper.convert_model_to_external_data(made, location=secret.name, size_threshold=0)
    onnx.save_model(made, str(tmp_path / "n.onnx"))
    secret.unlink()
    with pytest.raises(OnnxFileError, match="lie in another file, which is not opened") as caught:
        read_onnx(tmp_path / "n.onnx")
    assert "save_as_external_data=False" in str(caught.value)


def test_functions_sparse_weights_and_operator_sets(tmp_path: Path) -> None:
    made = model(*dense_nodes())
    made.functions.add().name = "f"
    with pytest.raises(OnnxFileError, match="functions of its own"):
        read(made, tmp_path)
    made = model(*dense_nodes())
    made.graph.sparse_initializer.add()
    with pytest.raises(OnnxFileError, match="sparse"):
        read(made, tmp_path)
    for version, words in ((6, "operator set 6"), (999, "operator set 999")):
        with pytest.raises(OnnxFileError, match=words):
            read(model(*dense_nodes(), opset=version), tmp_path)
    made = model(*dense_nodes())
    del made.opset_import[:]
    with pytest.raises(OnnxFileError, match="no operator set"):
        read(made, tmp_path)
    with pytest.raises(OnnxFileError, match="no graph"):
        read(b"", tmp_path)
