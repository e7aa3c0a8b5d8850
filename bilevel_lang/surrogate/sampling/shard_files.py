"""A shard as a file: one line of JSON that says whose it is and what its bytes add up to, then the arrays.

Nothing in it is executed when it is read: the arrays are NumPy's own format, without pickles.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from bilevel_lang.errors import SampleFileError
from bilevel_lang.files import write_bytes
from bilevel_lang.surrogate.dataset import DataSet

MAGIC = b"bilevel-lang samples 1\n"
MOST_HEADER = 1 << 20
"""Bytes of the first line, at most."""

_ARRAYS = ("inputs", "feasible", "values", "gradients", "responses", "leader", "outcomes")
_AGAIN = "delete it: the same command draws these samples again, the same ones"


def write_shard(path: Path, data: DataSet, run: str) -> None:
    """Write ``data``, samples of the run with the fingerprint ``run``, whole or not at all. Raises UsageError."""
    payload = _packed(data)
    header = {
        "run": run,
        "samples": len(data),
        "input_names": data.input_names,
        "response_names": data.response_names,
        "bytes": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    write_bytes(path, MAGIC + json.dumps(header).encode() + b"\n" + payload)


def read_shard(path: Path, run: str | None = None) -> DataSet:
    """The samples in ``path``. Raises SampleFileError for a damaged file, and for one of another run than ``run`` (None: any)."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SampleFileError(f"cannot read {path}: {error.strerror}", "look at the path") from error
    if not content.startswith(MAGIC):
        raise SampleFileError(f"{path} is no file of samples of this version", _AGAIN)
    end = content.find(b"\n", len(MAGIC), len(MAGIC) + MOST_HEADER)
    header = _header(path, content[len(MAGIC) : end] if end > 0 else b"")
    payload = content[end + 1 :]
    if len(payload) != header["bytes"]:
        raise SampleFileError(f"{path} is cut off: {len(payload)} of {header['bytes']} bytes of samples", _AGAIN)
    if hashlib.sha256(payload).hexdigest() != header["sha256"]:
        raise SampleFileError(f"{path} is damaged: its checksum does not fit its content", _AGAIN)
    if run is not None and header["run"] != run:
        raise SampleFileError(f"{path} holds samples of another problem or another run", "keep each run in a folder of its own")
    return _unpacked(path, payload, header)


def _packed(data: DataSet) -> bytes:
    stream = io.BytesIO()
    arrays = {name: getattr(data, name) for name in _ARRAYS if getattr(data, name) is not None}
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _unpacked(path: Path, payload: bytes, header: dict[str, Any]) -> DataSet:
    try:
        _refuse_compression(payload)
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files if name in _ARRAYS}
        data = DataSet(**found, input_names=tuple(header["input_names"]), response_names=tuple(header["response_names"]))
    except (ValueError, KeyError, TypeError, OSError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise SampleFileError(f"{path} does not hold samples: {error}", _AGAIN) from error
    if len(data) != header["samples"]:
        raise SampleFileError(f"{path} holds {len(data)} samples and says {header['samples']}", _AGAIN)
    return data


def _refuse_compression(payload: bytes) -> None:
    """A file takes no more memory than it has bytes. Raises ValueError: nothing that we write is compressed."""
    with zipfile.ZipFile(io.BytesIO(payload)) as found:
        if any(member.compress_type != zipfile.ZIP_STORED for member in found.infolist()):
            raise ValueError("its arrays are compressed")


def _header(path: Path, line: bytes) -> dict[str, Any]:
    kinds = {"run": str, "samples": int, "input_names": list, "response_names": list, "bytes": int, "sha256": str}
    try:
        found = json.loads(line)
    except ValueError as error:
        raise SampleFileError(f"{path} is damaged: its first line cannot be read", _AGAIN) from error
    if not isinstance(found, dict) or any(not isinstance(found.get(key), kind) for key, kind in kinds.items()):
        raise SampleFileError(f"{path} is damaged: its first line lacks something", _AGAIN)
    return found
