"""What a form of embedding is: how a ReLU that needs a switch is said in rows."""

from __future__ import annotations

from typing import Protocol

from bilevel_lang.surrogate.embedding.arrays import Ints
from bilevel_lang.surrogate.embedding.assembly import Assembly


class Form(Protocol):
    """``needs_bounds``: whether the inputs of switched neurons must have finite bounds. ``rows_only``: whether rows and integer
    columns say all, without SOS1 sets or complementarities."""

    @property
    def name(self) -> str:
        """What users write."""

    @property
    def needs_bounds(self) -> bool:
        """See above."""

    @property
    def rows_only(self) -> bool:
        """See above."""

    def add(self, assembly: Assembly, neurons: Ints) -> None:
        """Columns and rows for ``neurons``, which are not linear and whose outputs have to be held from above. May refuse."""
