"""Which component of a copy belongs to which of the original: a mapping by identity that is as small as two lists."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from functools import cached_property
from typing import Any


class Twins(Mapping[Any, Any]):
    """Original -> twin, in the given order.

    What a ``ComponentMap`` is to its reader, at a tenth of the memory as long as nobody looks a single component up.
    """

    def __init__(self, originals: Sequence[Any], twins: Sequence[Any]) -> None:
        """Raises ValueError for lists of different lengths."""
        if len(originals) != len(twins):
            raise ValueError(f"{len(originals)} originals and {len(twins)} twins")
        self._originals = originals
        self._twins = twins

    @cached_property
    def _place(self) -> dict[int, int]:
        return {id(original): place for place, original in enumerate(self._originals)}

    def __getitem__(self, original: Any) -> Any:
        """Raises KeyError for what has no twin."""
        return self._twins[self._place[id(original)]]

    def __contains__(self, original: object) -> bool:
        return id(original) in self._place

    def __iter__(self) -> Iterator[Any]:
        return iter(self._originals)

    def __len__(self) -> int:
        return len(self._originals)

    def keys(self) -> KeysView[Any]:
        """The originals."""
        return KeysView(self)

    def values(self) -> ValuesView[Any]:
        """The twins."""
        return _Values(self)

    def items(self) -> ItemsView[Any, Any]:
        """Pairs (original, twin)."""
        return _Items(self)

    def twins(self) -> Iterator[Any]:
        """The twins, in the order of the originals."""
        return iter(self._twins)


class _Values(ValuesView[Any]):
    _mapping: Twins

    def __iter__(self) -> Iterator[Any]:
        return self._mapping.twins()


class _Items(ItemsView[Any, Any]):
    _mapping: Twins

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return zip(self._mapping, self._mapping.twins(), strict=True)
