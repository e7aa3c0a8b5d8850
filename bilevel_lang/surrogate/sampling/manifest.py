"""What a folder of shards belongs to: problem, box, design and seed. Written before the first shard, compared ever after."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bilevel_lang.errors import SampleFileError
from bilevel_lang.files import write_text
from bilevel_lang.surrogate.sampling.space import InputSpace

NAME = "manifest.json"
SCHEMA = "bilevel-lang samples 1"

_WORDS = {
    "problem": "the problem has changed",
    "inputs": "the inputs, their bounds or their domains have changed",
    "design": "the design is another one",
    "seed": "the seed is another one",
    "shard_size": "the shards are of another size",
    "schema": "it was written by another version",
}


@dataclass(frozen=True)
class Manifest:
    """What the samples of a run depend on. How many there are is not in it: a run may be extended.

    ``problem`` is the fingerprint of what labels them, ``inputs`` the box (names, bounds as text, domains), ``design`` its key.
    """

    problem: str
    inputs: list[list[Any]]
    design: dict[str, Any]
    seed: int
    shard_size: int
    schema: str = SCHEMA

    @property
    def run(self) -> str:
        """SHA-256 of all of it: what each shard of the run has in its first line."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def agree(self, folder: Path) -> None:
        """Take ``folder`` for this run: write the manifest where there is none, else compare. Raises SampleFileError, UsageError.

        The folder is made where it does not exist.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / NAME
        if not path.exists():
            if any(folder.glob("shard-*.samples")):
                raise SampleFileError(f"{folder} holds shards and no {NAME}", "take another folder, or delete the shards")
            write_text(path, json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")
            return
        self._compare(path)

    def _compare(self, path: Path) -> None:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SampleFileError(f"{path} cannot be read: {error}", "delete the folder, or take another one") from error
        own = json.loads(json.dumps(asdict(self)))
        if not isinstance(found, dict):
            raise SampleFileError(f"{path} is no manifest", "delete the folder, or take another one")
        different = [words for key, words in _WORDS.items() if found.get(key) != own[key]]
        if different:
            help = "take another folder, or delete this one: its samples say nothing about the problem as it is now"
            raise SampleFileError(f"the samples in {path.parent} belong to another run: {'; '.join(different)}", help)


def described(space: InputSpace) -> list[list[Any]]:
    """A box as JSON; bounds as text, so that they come back to the last bit."""
    columns = zip(space.names, space.lower.tolist(), space.upper.tolist(), space.integer.tolist(), strict=True)
    return [[name, repr(low), repr(up), whole] for name, low, up, whole in columns]
