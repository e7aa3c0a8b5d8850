"""Names of many components: what ``component.name`` gives, with the way up to the model walked once for each symbol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyomo.core.base.component_namer import index_repr
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.base.var import VarData

_MEMBERS = frozenset({VarData, ConstraintData})
"""What has no name of its own, and knows its index."""


class Naming:
    """Remembers the names of indexed symbols; right as long as nothing in the model is renamed."""

    def __init__(self) -> None:
        self._symbols: dict[int, str] = {}

    def names(self, members: Iterable[Any]) -> list[str]:
        """The full names of many."""
        return [self.name(data) for data in members]

    def name(self, data: Any) -> str:
        """The full name of a component or of a member of one."""
        if data.__class__ in _MEMBERS and data._component is not None:
            parent, index = data._component(), data._index
        else:
            parent = data.parent_component()
            if parent is None or parent is data:
                return str(data.name)
            index = data.index()
        symbol = self._symbols.get(id(parent))
        if symbol is None:
            symbol = self._symbols[id(parent)] = str(parent.name)
        return f"{symbol}[{index}]" if index.__class__ is int else symbol + str(index_repr(index))
