"""The kinds of components that an annotation can name, in the words of messages."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.mpec import Complementarity

KINDS: tuple[tuple[Any, str], ...] = (
    (pyo.Var, "variable"),
    (pyo.Constraint, "row"),
    (pyo.Objective, "objective"),
    (pyo.Expression, "expression"),
    (pyo.Param, "parameter"),
    (pyo.Set, "set"),
    (pyo.RangeSet, "set"),
    (pyo.Block, "block"),
    (Complementarity, "complementarity condition"),
)


def kind_of(component: Any) -> str:
    """``variable``, ``row``, ... ; the type's own name for what EMP has no word for."""
    return next((word for ctype, word in KINDS if component.ctype is ctype), component.ctype.__name__)


def a_kind(kind: str) -> str:
    """The kind with its article: ``an objective``."""
    return f"an {kind}" if kind[0] in "aeiouAEIOU" else f"a {kind}"
