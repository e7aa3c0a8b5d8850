"""The contract between a run and a design."""

from __future__ import annotations

from typing import Any, Protocol

from bilevel_lang.surrogate.dataset import Floats
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace


class Design(Protocol):
    """Draws points. Picklable; the same points for the same space and shard, on every machine."""

    name: str
    """As the user writes it, and as docs/surrogates.md has it."""

    def key(self) -> dict[str, Any]:
        """Everything that the points depend on besides space and shard, as JSON: another key means other points."""

    def points(self, space: InputSpace, shard: Shard) -> Floats:
        """(shard.count, n) points of ``space``, whole where they have to be.

        Raises RefusedError where an input has no bounds, and SampleFileError for a file that cannot be used.
        """
