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


def new_variable(component: Any, index: str | int, lower: float | None = None, upper: float | None = None) -> Any:
    """A real variable with these bounds in a ``Var(Any, dense=False)``; the one of this index where it is there already."""
    data = component._data.get(index)
    if data is None:
        data = _variable(component, index) if _are_known() else component[index]
    data._lb, data._ub = lower, upper
    return data


def new_equality(component: Any, index: str, body: Any) -> Any:
    """The row ``body == 0`` in a ``Constraint(Any)``; ``body`` has variables in it."""
    if index in component._data or not _are_known():
        component[index] = body == 0
        return component[index]
    return _equality(component, index, body)


def new_row(component: Any, index: Any, lower: float | None, body: Any, upper: float | None) -> Any:
    """The row ``lower <= body <= upper`` in a ``Constraint(Any)``, a side None where there is none.

    ``body`` has variables in it; the sides are finite numbers.
    """
    if index in component._data or (lower is None and upper is None) or not _are_known():
        component[index] = (lower, body, upper)
        return component[index]
    return _row(component, index, lower, body, upper)


def new_complementarity(component: Any, index: str, left: Any, right: Any) -> Any:
    """The condition that one of two relations is an equation, in a ``Complementarity(Any)``.

    A side that is an expression and no relation stands for ``expression >= 0``.
    """
    if index in component._data or not _are_known():
        component[index] = complements(_relation(left), _relation(right))
        return component[index]
    return _complementarity(component, index, left, right)


def at_least(side: float | None, body: Any) -> Any:
    """The relation ``side <= body`` for a body with variables in it: what ``body >= side`` gives."""
    return InequalityExpression((side, body), False)


def at_most(body: Any, side: float | None) -> Any:
    """The relation ``body <= side`` for a body with variables in it."""
    return InequalityExpression((body, side), False)


def _variable(component: Any, index: str | int) -> Any:
    data = VarData(component)
    data._index = index
    data._domain = pyo.Reals
    component._data[index] = data
    return data


def _equality(component: Any, index: str, body: Any) -> Any:
    return _entered(component, index, EqualityExpression((body, 0)))


def _row(component: Any, index: Any, lower: float | None, body: Any, upper: float | None) -> Any:
    if lower is not None and upper is not None:
        return _entered(component, index, RangedExpression((lower, body, upper), False))
    return _entered(component, index, at_least(lower, body) if lower is not None else at_most(body, upper))


def _entered(component: Any, index: Any, relation: Any) -> Any:
    data = ConstraintData(None, component)
    data._index = index
    data._expr = relation
    component._data[index] = data
    return data


def _complementarity(component: Any, index: str, left: Any, right: Any) -> Any:
    data = LeanComplementarityData.__new__(LeanComplementarityData)
    # A block looks at everything that is entered into it, and this is none of what it looks for.
    enter = object.__setattr__
    enter(data, "_component", ref(component))
    enter(data, "_index", index)
    enter(data, "_active", True)
    enter(data, "_left", left)
    enter(data, "_right", right)
    component._data[index] = data
    return data


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
    mine = [_variable(model.v, "b"), _equality(model.e, "b", body), _complementarity(model.c, "b", left, right)]
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
