"""New members of the indexed components that rewrites make, without the checks that Pyomo makes of what a user enters.

``component[index]`` of a large model spends most of its time asking whether ``index`` is allowed; here the indices are names or
numbers that are made once, over ``pyo.Any``. Where a version of Pyomo has other members than those made here, Pyomo makes them.
"""

from __future__ import annotations

import functools
from typing import Any
from weakref import ref

import pyomo.environ as pyo
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.base.var import VarData
from pyomo.core.expr.relational_expr import EqualityExpression, InequalityExpression, RangedExpression
from pyomo.mpec import Complementarity, complements
from pyomo.mpec.complementarity import ComplementarityData


class _MadeWhenAsked:
    """An attribute that is in the instance from the first time that it is read; ``kind()`` makes it."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        made = instance.__dict__[self.name] = self.kind()
        return made


class LeanComplementarityData(ComplementarityData):  # type: ignore[misc]
    """A condition in a third of the memory.

    Pyomo's are blocks, each with its own empty tables of what a transformation will put into it: here these are made when
    something asks for them. A side that is a plain expression stands for that expression ``>= 0``; the relation is made each
    time that it is read.
    """

    __slots__ = ("_left", "_right")

    _ctypes = _MadeWhenAsked(dict)
    _decl = _MadeWhenAsked(dict)
    _decl_order = _MadeWhenAsked(list)
    _private_data = None

    @property
    def _args(self) -> tuple[Any, Any]:
        """What Pyomo knows of a condition: its two sides."""
        return self._left if self._right is None else (_relation(self._left), _relation(self._right))

    @_args.setter
    def _args(self, sides: tuple[Any, Any]) -> None:
        object.__setattr__(self, "_left", sides)
        object.__setattr__(self, "_right", None)


_RELATIONS = frozenset({InequalityExpression, EqualityExpression, RangedExpression})


def _relation(side: Any) -> Any:
    return side if side.__class__ in _RELATIONS else at_least(0, side)


class NewVariables:
    """Enters real variables into one ``Var(Any, dense=False)``."""

    def __init__(self, component: Any, known: bool | None = None) -> None:
        self._component = component
        self._data = component._data
        self._parent = ref(component)
        self._known = _are_known() if known is None else known

    def add(self, index: str | int, lower: float | None = None, upper: float | None = None) -> Any:
        """A variable with these bounds; the one of this index where it is there already."""
        data = self._data.get(index)
        if data is None:
            if not self._known:
                data = self._component[index]
            else:
                data = self._data[index] = _blank(VarData)
                data._component = self._parent
                data._index = index
                data._value = None
                data._domain = pyo.Reals
                data._fixed = False
                data._stale = 0
        data._lb = lower
        data._ub = upper
        return data


class NewRows:
    """Enters rows into one ``Constraint(Any)``; their bodies have variables in them, their sides are finite numbers."""

    def __init__(self, component: Any, known: bool | None = None) -> None:
        self._component = component
        self._data = component._data
        self._parent = ref(component)
        self._known = _are_known() if known is None else known

    def add_equality(self, index: Any, body: Any) -> Any:
        """The row ``body == 0``."""
        if not self._known or index in self._data:
            return self._by_pyomo(index, body == 0)
        return self._enter(index, EqualityExpression((body, 0)))

    def add(self, index: Any, lower: float | None, body: Any, upper: float | None) -> Any:
        """The row ``lower <= body <= upper``, a side None where there is none."""
        if not self._known or index in self._data or (lower is None and upper is None):
            return self._by_pyomo(index, (lower, body, upper))
        if lower is not None and upper is not None:
            return self._enter(index, RangedExpression((lower, body, upper), False))
        return self._enter(index, at_least(lower, body) if lower is not None else at_most(body, upper))

    def _by_pyomo(self, index: Any, relation: Any) -> Any:
        self._component[index] = relation
        return self._component[index]

    def _enter(self, index: Any, relation: Any) -> Any:
        data = self._data[index] = _blank(ConstraintData)
        data._component = self._parent
        data._index = index
        data._active = True
        data._expr = relation
        return data


class NewConditions:
    """Enters conditions, that one of two relations is an equation, into one ``Complementarity(Any)``."""

    def __init__(self, component: Any, known: bool | None = None) -> None:
        self._component = component
        self._data = component._data
        self._parent = ref(component)
        self._known = _are_known() if known is None else known

    def add(self, index: str, left: Any, right: Any) -> Any:
        """A side that is an expression and no relation stands for ``expression >= 0``."""
        if not self._known or index in self._data:
            self._component[index] = complements(_relation(left), _relation(right))
            return self._component[index]
        data = self._data[index] = _blank(LeanComplementarityData)
        # A block looks at everything that is entered into it, and this is none of what it looks for.
        _enter(data, "_component", self._parent)
        _enter(data, "_index", index)
        _enter(data, "_active", True)
        _enter(data, "_left", left)
        _enter(data, "_right", right)
        return data


def at_least(side: float | None, body: Any) -> Any:
    """The relation ``side <= body`` for a body with variables in it: what ``body >= side`` gives."""
    return InequalityExpression((side, body), False)


def at_most(body: Any, side: float | None) -> Any:
    """The relation ``body <= side`` for a body with variables in it."""
    return InequalityExpression((body, side), False)


_blank: Any = object.__new__
_enter = object.__setattr__


@functools.cache
def _are_known() -> bool:
    """Whether members made here are those that Pyomo makes."""
    model = pyo.ConcreteModel()
    model.x = pyo.Var()
    model.v = pyo.Var(pyo.Any, dense=False)
    model.e = pyo.Constraint(pyo.Any)
    model.c = Complementarity(pyo.Any)
    body, left, right = model.x - 1, model.x >= 0, model.x <= 1
    theirs = [model.v["a"]]
    model.e["a"] = body == 0
    model.c["a"] = complements(left, right)
    theirs += [model.e["a"], model.c["a"]]
    mine = [
        NewVariables(model.v, True).add("b"),
        NewRows(model.e, True).add_equality("b", body),
        NewConditions(model.c, True).add("b", left, right),
    ]
    pairs = list(zip(theirs, mine, strict=True))
    relations = [(left, at_least(0, model.x)), (right, at_most(model.x, 1))]
    return all(_state(a, a, "a") == _state(b, a, "b") for a, b in pairs) and all(
        (type(a), str(a)) == (type(b), str(b)) for a, b in relations
    )


def _state(data: Any, like: Any, index: str) -> dict[str, Any]:
    """Values of all attributes that ``like`` has; expressions as text, and the index, which differs, as whether it is right."""
    names = (*like.__auto_slots__.slots, *getattr(like, "__dict__", {}))
    found = {name: getattr(data, name, "absent") for name in names}
    found["_index"] = found["_index"] == index
    if found.get("_expr") is not None:
        found["_expr"] = (type(found["_expr"]), str(found["_expr"]))
    if "_args" in found:
        found["_args"] = (type(found["_args"]), [str(side) for side in found["_args"]])
    return found
