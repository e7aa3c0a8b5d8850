"""Annotations that do not fit their model, and what is said about them, word for word.

``tests/mistakes/resolve/NAME.emp`` begins with a comment that names its model (a function of ``models.py`` there), ``NAME.err``
is the message. To write the messages anew, run this file as a module (``python -m tests.resolver.test_mistake_files``); then read
every one of them as somebody would who sees the language for the first time.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from bilevel_lang.errors import ResolutionError
from bilevel_lang.grammar.parser import parse
from bilevel_lang.resolver import resolve

FOLDER = Path(__file__).parents[1] / "mistakes" / "resolve"
FILES = sorted(FOLDER.glob("*.emp"))

# The warning E14 comes from the check of convexity, which is no part of a resolve.
RAISED_LATER = {"E14"}
# Warnings, and errors only under --strict: tests/resolver/test_remarks.py, test_scaling.py.
WARNINGS_ONLY = {"E20", "E24"}


def models() -> Any:
    """The module beside the annotations, which is no package."""
    spec = importlib.util.spec_from_file_location("mistaken_models", FOLDER / "models.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODELS = models()


def message(path: Path) -> str:
    """What is said about a file."""
    text = path.read_text(encoding="utf-8")
    named = re.match(r"\* model: (\w+)\n", text)
    assert named is not None, "the first line names the model"
    with pytest.raises(ResolutionError) as caught:
        resolve(getattr(MODELS, named[1])(), parse(text, path.name))
    return f"{caught.value}\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_resolve(path: Path) -> None:
    assert message(path) == path.with_suffix(".err").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_mistake_has_a_place_and_a_mend(path: Path) -> None:
    said = path.with_suffix(".err").read_text(encoding="utf-8").split("\n\n")
    for finding in said:
        assert re.match(rf"{re.escape(path.name)}:\d+:\d+: error\[[A-Z]\d+\]: ", finding)
        assert "\nhelp: " in finding
        assert "Error(" not in finding and "object at 0x" not in finding


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 60


def test_every_message_has_its_annotation() -> None:
    assert {path.stem for path in FILES} == {path.stem for path in FOLDER.glob("*.err")}


def test_every_class_of_mistake_is_among_them() -> None:
    said = "".join(path.with_suffix(".err").read_text(encoding="utf-8") for path in FILES)
    classes = {f"E{n}" for n in range(1, 29)} - {"E25"} | {"R1"}
    assert classes - set(re.findall(r"error\[(\w+)\]", said)) == RAISED_LATER | WARNINGS_ONLY


if __name__ == "__main__":
    for file in FILES:
        file.with_suffix(".err").write_text(message(file), encoding="utf-8")
