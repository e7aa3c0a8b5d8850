"""What a file tells about itself: there and back, and damage said."""

from __future__ import annotations

import dataclasses

import pytest

from bilevel_lang.errors import OnnxFileError
from bilevel_lang.surrogate.onnx_files.metadata import Metadata, metadata_of

SAMPLE = Metadata(
    model="toll.py + toll.emp",
    target="value",
    inputs=("toll[a]", "toll[b]"),
    outputs=("v",),
    lower=(0.0, float("-inf")),
    upper=(1.0, 0.1),
    scaling={"input_offset": (0.5, 0.25)},
    data_sha256="ab12",
    errors={"validation_mae": 1e-3},
    extra={"note": "ü"},
)


def test_there_and_back() -> None:
    properties = SAMPLE.properties()
    assert all(isinstance(text, str) for text in properties.values())
    assert metadata_of({**properties, "author": "somebody"}) == SAMPLE


def test_random_parameters_and_their_ranges_go_there_and_back() -> None:
    sets = dataclasses.replace(SAMPLE, target="expected cost", parameters=("d[1]", "d[2]"), least=(0.1, 2.0), largest=(7.0, 9.5))
    assert metadata_of(sets.properties()) == sets
    with pytest.raises(OnnxFileError, match="1 least"):
        metadata_of({**sets.properties(), "bilevel_lang.least": "[0.1]"})
    # Files from before there were any.
    older = {
        key: text for key, text in SAMPLE.properties().items() if key.rpartition(".")[2] not in ("parameters", "least", "largest")
    }
    assert metadata_of(older) == SAMPLE


def test_a_foreign_file_has_none() -> None:
    assert metadata_of({"author": "somebody"}) is None


@pytest.mark.parametrize(
    ("key", "text"),
    [("version", "2"), ("inputs", "{}"), ("inputs", "[1, 2]"), ("lower", "[1, 2"), ("lower", "[1]"), ("errors", '{"a": []}'),
     ("upper", '["x", 1]'), ("target", "price"), ("scaling", "[" * 100_000), ("lower", "[NaN, 0]")],
)  # fmt: skip
def test_damage_is_an_error(key: str, text: str) -> None:
    with pytest.raises(OnnxFileError, match="the metadata of the file"):
        metadata_of({**SAMPLE.properties(), f"bilevel_lang.{key}": text})


def test_a_missing_key_is_an_error() -> None:
    properties = SAMPLE.properties()
    del properties["bilevel_lang.upper"]
    with pytest.raises(OnnxFileError, match="upper"):
        metadata_of(properties)


@pytest.mark.parametrize("change", [{"target": "x"}, {"lower": (0.0,)}, {"inputs": ("a", "a")}, {"upper": (float("nan"), 1.0)}])
def test_what_does_not_fit_is_not_made(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"target|bounds|one name|NaN"):
        dataclasses.replace(SAMPLE, **change)  # type: ignore[arg-type]
