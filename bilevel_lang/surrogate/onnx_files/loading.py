"""From bytes to a protobuf message that is safe to walk: size, form, nothing that refers to other files or to other code."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from bilevel_lang.errors import OnnxFileError, UsageError
from bilevel_lang.surrogate.onnx_files.limits import Limits

OLDEST_OPSET = 7
"""Before it, operators broadcast by an attribute of their own and Dropout trained unless told otherwise."""

DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


def load_message(path: Path, limits: Limits) -> Any:
    """The ModelProto in ``path``. Raises UsageError where the file cannot be read, OnnxFileError for all that is refused."""
    content = _content(path, limits)
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise OnnxFileError(f"{path}: this is no ONNX file, or it was cut off", "export the network again") from error
    if not model.HasField("graph") or not model.graph.output:
        raise OnnxFileError(f"{path}: the file holds no graph with an output", "export the network again")
    _only_plain(path, model, limits)
    _opset(path, model)
    return model


def _content(path: Path, limits: Limits) -> bytes:
    """The bytes of a file that is an ordinary one and not too large."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            # Before it is opened: opening a pipe would wait for somebody to write.
            raise UsageError(f"{path} is no ordinary file", "name a file that ends in .onnx")
        if found.st_size > limits.file_bytes:
            size, most = found.st_size / 2**20, limits.file_bytes / 2**20
            raise OnnxFileError(f"{path}: {size:.0f} MiB, and {most:.0f} MiB is the most", "train a smaller network")
        with path.open("rb") as stream:
            return stream.read(limits.file_bytes)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def _only_plain(path: Path, model: Any, limits: Limits) -> None:
    """OnnxFileError for functions, sparse tensors, too many nodes, operators of other domains."""
    if len(model.graph.node) > limits.nodes:
        raise OnnxFileError(f"{path}: {len(model.graph.node)} nodes, and {limits.nodes} is the most", "train a smaller network")
    if len(model.functions):
        raise OnnxFileError(
            f"{path}: the file defines functions of its own", "inline them: onnx.inliner.inline_local_functions(model)"
        )
    if len(model.graph.sparse_initializer):
        raise OnnxFileError(f"{path}: sparse tensors are not read", "export the weights as dense tensors")


def _opset(path: Path, model: Any) -> None:
    """OnnxFileError for operator sets that are too old, or newer than the installed onnx knows."""
    import onnx

    for entry in model.opset_import:
        if entry.domain in DOMAINS[:2]:
            newest = onnx.defs.onnx_opset_version()
            if not OLDEST_OPSET <= entry.version <= newest:
                raise OnnxFileError(
                    f"{path}: operator set {entry.version}, and {OLDEST_OPSET} to {newest} are read",
                    "export again with another opset_version, for example 13",
                )
            return
    raise OnnxFileError(f"{path}: the file names no operator set of ONNX", "export the network again")
