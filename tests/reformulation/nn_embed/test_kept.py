"""What is said of a folder that was used before."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilevel_lang.reformulation.nn_embed.kept import states_in, told

A, B, C = Path("d/training-a.npz"), Path("d/training-b.npz"), Path("d/training-c.npz")


def test_states_are_the_trainings_in_the_folder(tmp_path: Path) -> None:
    for name in ("training-1.npz", "training-2.npz", ".training-3.npz.draft", "samples"):
        (tmp_path / name).touch()
    assert states_in(tmp_path) == {tmp_path / "training-1.npz", tmp_path / "training-2.npz"}
    assert states_in(None) == frozenset()


@pytest.mark.parametrize(
    ("taken", "before", "used", "words"),
    [
        (0, set(), [A], []),  # a new folder
        (5, set(), [A], ["5 samples were in d"]),
        (5, {A}, [A], ["5 samples", "1 training was found"]),
        (5, {A, B}, [C], ["5 samples", "2 trainings were in d for other"]),
        (5, {A, B}, [B, C], ["5 samples", "1 training was found", "1 training was in d for other"]),
        (5, {A, B}, [B], ["5 samples", "1 training was found"]),  # the one of a run that went further
    ],
)
def test_samples_and_trainings_are_told_apart(taken: int, before: set[Path], used: list[Path], words: list[str]) -> None:
    said = told(Path("d"), taken, frozenset(before), used)
    assert len(said) == len(words) and all(line.startswith(start) for line, start in zip(said, words, strict=True))


def test_without_a_folder_there_is_nothing_to_say() -> None:
    assert told(None, 0, frozenset(), [A]) == ()
