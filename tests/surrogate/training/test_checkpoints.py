"""The state of a training on disk: the same again, and nothing that is damaged or foreign."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.training.checkpoints import State, load, save


def state() -> State:
    generator = np.random.default_rng(0)
    arrays = [generator.normal(size=7) for _ in range(4)]
    return State(*arrays, step=150, best_error=0.25, since=2, history=[(50, 1.0, 0.5), (100, 0.5, 0.25)])


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "new" / "training.npz"
    save(path, state(), "mine")
    found = load(path, "mine", 7)
    assert found is not None
    for name in ("vector", "first", "second", "best"):
        assert np.array_equal(getattr(found, name), getattr(state(), name))
    assert (found.step, found.best_error, found.since, found.history) == (150, 0.25, 2, state().history)
    assert [p.name for p in path.parent.iterdir()] == ["training.npz"]


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert load(tmp_path / "none.npz", "mine", 7) is None


@pytest.mark.parametrize(("fingerprint", "size"), [("other", 7), ("mine", 8)])
def test_a_state_of_other_samples_is_refused(tmp_path: Path, fingerprint: str, size: int) -> None:
    save(tmp_path / "t.npz", state(), "mine")
    with pytest.raises(UsageError, match="belongs to other samples"):
        load(tmp_path / "t.npz", fingerprint, size)


@pytest.mark.parametrize("keep", [0, 10, 400])
def test_a_truncated_file_is_said_to_be_damaged(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "t.npz"
    save(path, state(), "mine")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UsageError, match="damaged"):
        load(path, "mine", 7)


def test_pickles_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, words=np.array([object()], dtype=object), history=np.zeros((0, 3)))
    with pytest.raises(UsageError, match="damaged"):
        load(path, "mine", 7)
