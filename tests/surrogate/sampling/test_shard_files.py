"""Shards as files: what comes back, and every way in which a file can be wrong."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import SampleFileError
from bilevel_lang.surrogate.sampling.shard_files import MAGIC, read_shard, write_shard
from tests.surrogate.sampling.recipes import labelled

POINTS = np.random.default_rng(0).random((20, 3))


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "one.samples"
    write_shard(path, labelled(POINTS), "run")
    return path


def test_what_was_written_comes_back(shard: Path) -> None:
    assert read_shard(shard, "run").content_hash() == labelled(POINTS).content_hash()
    assert read_shard(shard).response_names == ()


def test_the_same_samples_make_the_same_file(shard: Path, tmp_path: Path) -> None:
    write_shard(tmp_path / "two.samples", labelled(POINTS), "run")
    assert (tmp_path / "two.samples").read_bytes() == shard.read_bytes()


def changed_header(content: bytes, **change: object) -> bytes:
    line, _, payload = content[len(MAGIC) :].partition(b"\n")
    return MAGIC + json.dumps({**json.loads(line), **change}).encode() + b"\n" + payload


DAMAGE = {
    "no file of samples": lambda c: b"PK" + c,
    "is cut off": lambda c: c[:-1],
    "cut off: 0 of": lambda c: c[: c.index(b"\n", len(MAGIC)) + 1],
    "checksum": lambda c: c[:-40] + bytes([c[-40] ^ 1]) + c[-39:],
    "first line cannot be read": lambda c: c[: len(MAGIC)] + b"{" + c[len(MAGIC) :],
    "first line lacks something": lambda c: changed_header(c, samples="20"),
    "holds 20 samples and says 21": lambda c: changed_header(c, samples=21),
    "another problem": lambda c: changed_header(c, run="other"),
}


@pytest.mark.parametrize("words", DAMAGE)
def test_a_damaged_file_is_said_to_be(words: str, shard: Path) -> None:
    shard.write_bytes(DAMAGE[words](shard.read_bytes()))
    with pytest.raises(SampleFileError, match=words) as caught:
        read_shard(shard, "run")
    assert caught.value.exit_code == 3 and str(shard) in str(caught.value)


def test_a_file_that_is_only_magic(shard: Path) -> None:
    shard.write_bytes(MAGIC)
    with pytest.raises(SampleFileError, match="cannot be read"):
        read_shard(shard)


@pytest.mark.parametrize(
    ("content", "save", "words"),
    [
        (np.array([print], dtype=object), np.savez, "allow_pickle"),
        (np.zeros((1_000_000, 2)), np.savez_compressed, "compressed"),
        (np.zeros((3, 2)), np.savez, "missing"),
    ],
    ids=["pickle", "bomb", "too little"],
)
def test_what_we_do_not_write_is_not_read(content: np.ndarray, save: Callable[..., None], words: str, shard: Path) -> None:
    stream = io.BytesIO()
    save(stream, inputs=content)
    payload = stream.getvalue()
    header = changed_header(shard.read_bytes(), bytes=len(payload), sha256=hashlib.sha256(payload).hexdigest())
    shard.write_bytes(header[: header.index(b"\n", len(MAGIC)) + 1] + payload)
    with pytest.raises(SampleFileError, match=f"does not hold samples: .*{words}"):
        read_shard(shard)


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(SampleFileError, match="cannot read"):
        read_shard(tmp_path / "none")
