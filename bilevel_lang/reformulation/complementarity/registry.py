"""The encodings, in the order in which the engine prefers them."""

from __future__ import annotations

import difflib

from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.reformulation.complementarity.big_m import BigM
from bilevel_lang.reformulation.complementarity.encoding import Encoding
from bilevel_lang.reformulation.complementarity.fischer_burmeister import FischerBurmeister
from bilevel_lang.reformulation.complementarity.kanzow_schwartz import KanzowSchwartz
from bilevel_lang.reformulation.complementarity.lin_fukushima import LinFukushima
from bilevel_lang.reformulation.complementarity.mixed import Mixed, parse_choice
from bilevel_lang.reformulation.complementarity.penalty import Penalty
from bilevel_lang.reformulation.complementarity.product import Product
from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding
from bilevel_lang.reformulation.complementarity.scholtes import Scholtes
from bilevel_lang.reformulation.complementarity.sos1 import Sos1
from bilevel_lang.reformulation.linear.registry import LINEAR_ENCODINGS, linear_encoding
from bilevel_lang.reformulation.options import Options

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
    """The encoding of that name, or the mixture that ``row=encoding,*=encoding`` describes.

    Raises UsageError with the nearest name; RefusedError for a mixture that no model can hold, and for an encoding that works on
    arrays only.
    """
    if "=" in name:
        return Mixed({row: encoding_by_name(each) for row, each in parse_choice(name).items()})
    for encoding in ENCODINGS:
        if encoding.name == name.lower():
            return encoding
    if linear_encoding(name) is not None:
        said = f"`{name}` works on arrays, and has no form as Pyomo components"
        raise RefusedError(said, "`solve` can use it; to get a model, choose another encoding")
    names = list(dict.fromkeys([*(e.name for e in ENCODINGS), *(e.name for e in LINEAR_ENCODINGS)]))
    near = difflib.get_close_matches(name.lower(), names, n=1)
    raise UsageError(f"no encoding `{name}`", f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(names))


def refuse_idle_nlp_options(options: Options) -> None:
    """UsageError where options for NLP solvers were given and no encoding that reads them was asked for."""
    given = options.nlp.given
    if not given or (options.encoding is None and options.solver == "ipopt"):
        return
    names = ", ".join(e.name for e in ENCODINGS if isinstance(e, NlpEncoding))
    said = "no encoding was named"
    if options.encoding is not None:
        said = f"`{options.encoding}` is none of them"
        # Some encodings exist on arrays only, and are none of ours.
        known = "=" in options.encoding or options.encoding.lower() in {e.name for e in ENCODINGS}
        encoding = encoding_by_name(options.encoding) if known else None
        if isinstance(encoding, NlpEncoding) or (isinstance(encoding, Mixed) and encoding.local):
            return
    raise UsageError(f"`{given[0]}` is an option of the encodings for ipopt, and {said}", f"name one of them: {names}")
