"""The encodings, in the order in which the engine prefers them."""

from __future__ import annotations

import difflib

from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.reformulation.complementarity.big_m import BigM
from bilevel_lang.reformulation.complementarity.encoding import Encoding
from bilevel_lang.reformulation.complementarity.fischer_burmeister import FischerBurmeister
from bilevel_lang.reformulation.complementarity.kanzow_schwartz import KanzowSchwartz
from bilevel_lang.reformulation.complementarity.lin_fukushima import LinFukushima
from bilevel_lang.reformulation.complementarity.penalty import Penalty
from bilevel_lang.reformulation.complementarity.product import Product
from bilevel_lang.reformulation.complementarity.scholtes import Scholtes
from bilevel_lang.reformulation.complementarity.sos1 import Sos1
from bilevel_lang.reformulation.linear.registry import LINEAR_ENCODINGS, linear_encoding

ENCODINGS: tuple[Encoding, ...] = (
    Sos1(),
    BigM(),
    Scholtes(),
    Product(),
    LinFukushima(),
    KanzowSchwartz(),
    FischerBurmeister(),
    Penalty(),
)


def encoding_by_name(name: str) -> Encoding:
    """The encoding of that name. Raises UsageError with the nearest one; RefusedError for one that works on arrays only."""
    for encoding in ENCODINGS:
        if encoding.name == name.lower():
            return encoding
    if linear_encoding(name) is not None:
        said = f"`{name}` works on arrays, and has no form as Pyomo components"
        raise RefusedError(said, "`solve` can use it; to get a model, choose another encoding")
    names = [e.name for e in ENCODINGS] + [e.name for e in LINEAR_ENCODINGS]
    near = difflib.get_close_matches(name.lower(), names, n=1)
    raise UsageError(f"no encoding `{name}`", f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(names))
