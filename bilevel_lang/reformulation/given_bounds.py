"""The bounds that a user gives for `big-m`: one number for all sides, or one for each row by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from bilevel_lang.errors import UsageError

OTHERS = "*"
"""Stands for every side that is not named."""

BINDING = 0.99
"""A side above this share of a given M counts as bound by it."""

MEND = "raise --big-m, or use --encoding sos1"

Given = float | Mapping[str, float] | None


def given_bound(given: Given, side: str) -> float | None:
    """M of the side ``e1``, ``e1.lower`` or ``y1.upper``: its own, that of its row or variable, or that of all; None without."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return float(given)
    owner, _, word = side.rpartition(".")
    names = (side, owner, OTHERS) if word in ("lower", "upper") else (side, OTHERS)
    return next((float(given[name]) for name in names if name in given), None)


def refuse_idle_bound(given: Given, encoding: str | None, solver: str | None) -> None:
    """UsageError where a bound is given and nothing can read it: `big-m` is neither asked for nor what HiGHS may need."""
    if given is None or "big-m" in (encoding or "").lower() or (encoding is None and solver == "highs"):
        return
    said = "no encoding was named" if encoding is None else f"`{encoding}` is another one"
    raise UsageError(
        f"`big_m` is an option of the encoding `big-m`, and {said}", "add `--encoding big-m`, or leave the bound out"
    )


def check_given_names(given: Given, sides: Iterable[str]) -> None:
    """Raises UsageError for a name that is no row and no variable of an agent."""
    if not isinstance(given, Mapping):
        return
    known: dict[str, None] = {}
    for side in sides:
        owner, _, word = side.rpartition(".")
        if word in ("lower", "upper"):
            known[owner] = None
        known[side] = None
    for name in given:
        if name != OTHERS and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            mend = f"did you mean `{near[0]}`?" if near else "name a row or a bounded variable of an agent, or `*` for all others"
            raise UsageError(f"big_m: no agent has a side `{name}`", mend)


def described(values: Sequence[float]) -> str:
    """``M = 50``, or ``M = 5 to 100`` for several."""
    least, most = min(values), max(values)
    return f"M = {least:g}" if least == most else f"M = {least:g} to {most:g}"
