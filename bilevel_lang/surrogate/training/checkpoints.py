"""The state of a training on disk: arrays only, written at once or not at all, and taken again only for the same samples."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.network import Floats


@dataclass
class State:
    """``vector`` and the two moments of Adam (p,) after ``step`` steps; the ``best`` vector, its error, looks since.

    ``history`` rows are (step, training loss, held-out mean absolute error). The one mutable thing here: it is training's heap.
    """

    vector: Floats
    first: Floats
    second: Floats
    best: Floats
    step: int = 0
    best_error: float = float("inf")
    since: int = 0
    history: list[tuple[int, float, float]] = field(default_factory=list)


_ARRAYS = ("vector", "first", "second", "best")


def save(path: Path, state: State, fingerprint: str) -> None:
    """Write ``state`` so that ``path`` holds either the old or the new one. Raises UsageError where it cannot be written."""
    words = {"fingerprint": fingerprint, "step": state.step, "best_error": state.best_error, "since": state.since}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                history = np.array(state.history, dtype=float).reshape(-1, 3)
                arrays: dict[str, Any] = {name: getattr(state, name) for name in _ARRAYS}
                np.savez(stream, words=np.array(json.dumps(words)), history=history, **arrays)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        raise UsageError(f"cannot write the checkpoint {path}: {error.strerror}") from error


def load(path: Path, fingerprint: str, size: int) -> State | None:
    """The state in ``path``, None where there is no file.

    Raises UsageError where the file is damaged or belongs to other samples or settings: nothing is trained over it in silence.
    """
    if not path.exists():
        return None
    mend = f"delete {path} to train anew, or give another folder"
    try:
        with np.load(path, allow_pickle=False) as found:
            words = json.loads(str(found["words"]))
            arrays = {name: np.array(found[name], dtype=float) for name in _ARRAYS}
            history = [(int(s), float(a), float(b)) for s, a, b in found["history"]]
            step, error, since = int(words["step"]), float(words["best_error"]), int(words["since"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as reason:
        raise UsageError(f"the checkpoint {path} is damaged ({reason})", mend) from reason
    if words.get("fingerprint") != fingerprint or any(a.shape != (size,) for a in arrays.values()):
        raise UsageError(f"the checkpoint {path} belongs to other samples or other settings", mend)
    return State(**arrays, step=step, best_error=error, since=since, history=history)
