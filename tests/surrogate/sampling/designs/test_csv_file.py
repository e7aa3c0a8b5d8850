"""The user's own samples: read strictly, every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import SampleFileError
from bilevel_lang.surrogate.sampling.designs.csv_file import COMPLAINTS, CsvFile
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace

SPACE = InputSpace(("x[1]", "n"), np.array([0.0, 0.0]), np.array([1.0, 5.0]), np.array([False, True]))


def file(tmp_path: Path, text: str) -> CsvFile:
    path = tmp_path / "points.csv"
    path.write_text(text, encoding="utf-8")
    return CsvFile.read(path)


def test_columns_in_any_order_blank_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    found = file(tmp_path, '\ufeffn, "x[1]"\n1, 0.5\n\n5,1e-1\n0,1\n')
    assert found.points(SPACE, Shard(0, 0, 2, 0)).tolist() == [[0.5, 1], [0.1, 5]]
    assert found.points(SPACE, Shard(1, 2, 1, 0)).tolist() == [[1, 0]]
    with pytest.raises(SampleFileError, match="3 samples, fewer"):
        found.points(SPACE, Shard(1, 2, 2, 0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1:1: error[F1]: there is no sample"),
        ("x[1],n\n", "there is no sample"),
        ("x[1]\n0.5\n", "points.csv:1:1: error[F1]: there is no column for `n`"),
        ("x[1],n,z\n0.5,1,2\n", "`z` is no input"),
        ("x[1],n,n\n0.5,1,2\n", "`n` is there twice"),
        ("x[1],n\n0.5\n", "points.csv:2:1: error[F1]: 1 cells for 2 columns"),
        ("x[1],n\n0.5,1\n\n0.5,one\n", "points.csv:4:1: error[F1]: `one` is no number, for `n`"),
        ("x[1],n\nnan,1\n", "`nan` is no number"),
        ("x[1],n\n0.5,1\n1.5,1\n", "points.csv:3:1: error[F1]: 1.5 is outside [0, 1], the bounds of `x[1]`"),
        ("x[1],n\n0.5,1.5\n", "1.5 is not whole, as `n`"),
        ('x[1],n\n"0.5,1\n', "no CSV"),
    ],
)
def test_mistakes_have_a_place(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SampleFileError) as caught:
        file(tmp_path, text).numbers(SPACE)
    assert words in str(caught.value)


def test_all_mistakes_are_told_up_to_a_number(tmp_path: Path) -> None:
    with pytest.raises(SampleFileError) as caught:
        file(tmp_path, "x[1],n\n" + "2,9\n" * 100).numbers(SPACE)
    assert len(caught.value.diagnostics) == COMPLAINTS


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SampleFileError, match="cannot read"):
        CsvFile.read(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"x,\xe9\n")
    with pytest.raises(SampleFileError, match="UTF-8"):
        CsvFile.read(tmp_path / "latin.csv")


def test_the_key_sees_the_text(tmp_path: Path) -> None:
    assert file(tmp_path, "x[1],n\n0,0\n").key() != file(tmp_path, "x[1],n\n0,1\n").key()
