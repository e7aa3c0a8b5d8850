"""To which run a folder belongs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bilevel_lang.errors import SampleFileError
from bilevel_lang.surrogate.sampling.manifest import NAME, Manifest, described
from bilevel_lang.surrogate.sampling.space import box

OURS = Manifest("abc", described(box(["x", "y"])), {"name": "sobol"}, 3, 500)


def test_the_same_run_is_taken_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    OURS.agree(folder)
    OURS.agree(folder)
    assert (folder / NAME).exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"problem": "abd"}, "problem has changed"),
        ({"inputs": described(box(["x", "y"], upper=1.0 + 1e-15))}, "bounds or their domains"),
        ({"inputs": described(box(["x", "z"]))}, "inputs"),
        ({"design": {"name": "csv"}}, "design"),
        ({"seed": 4}, "seed"),
        ({"shard_size": 100}, "another size"),
    ],
)
def test_another_run_is_refused(change: dict[str, object], words: str, tmp_path: Path) -> None:
    OURS.agree(tmp_path)
    other = replace(OURS, **change)  # type: ignore[arg-type]
    assert other.run != OURS.run
    with pytest.raises(SampleFileError, match=words):
        other.agree(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_damaged_manifest(text: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(SampleFileError, match="manifest"):
        OURS.agree(tmp_path)


def test_shards_without_a_manifest_belong_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "shard-000000-5.samples").touch()
    with pytest.raises(SampleFileError, match="no manifest"):
        OURS.agree(tmp_path)
