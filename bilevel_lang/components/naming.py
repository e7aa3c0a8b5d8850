"""Names of many components: what ``component.name`` gives, with the way up to the model walked once for each symbol."""

from __future__ import annotations

from typing import Any

from pyomo.core.base.component_namer import index_repr


class Naming:
    """Remembers the names of indexed symbols; right as long as nothing in the model is renamed."""

    def __init__(self) -> None:
        self._symbols: dict[int, str] = {}

    def name(self, data: Any) -> str:
        """The full name of a component or of a member of one."""
        parent = data.parent_component()
        if parent is None or parent is data:
            return str(data.name)
        symbol = self._symbols.get(id(parent))
        if symbol is None:
            symbol = self._symbols[id(parent)] = str(parent.name)
        index = data.index()
        return f"{symbol}[{index}]" if index.__class__ is int else symbol + str(index_repr(index))
