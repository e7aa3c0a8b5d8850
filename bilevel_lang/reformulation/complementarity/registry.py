"""The encodings, in the order in which the engine prefers them."""

from __future__ import annotations

import difflib

from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.complementarity.big_m import BigM
from bilevel_lang.reformulation.complementarity.encoding import Encoding
from bilevel_lang.reformulation.complementarity.scholtes import Scholtes
from bilevel_lang.reformulation.complementarity.sos1 import Sos1

ENCODINGS: tuple[Encoding, ...] = (Sos1(), BigM(), Scholtes())


def encoding_by_name(name: str) -> Encoding:
    """The encoding of that name. Raises UsageError with the nearest one."""
    for encoding in ENCODINGS:
        if encoding.name == name.lower():
            return encoding
    names = [e.name for e in ENCODINGS]
    near = difflib.get_close_matches(name.lower(), names, n=1)
    raise UsageError(f"no encoding `{name}`", f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(names))
