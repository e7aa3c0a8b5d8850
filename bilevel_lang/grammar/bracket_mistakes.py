"""Mistakes in and around brackets; ``mistakes.py`` says how the rules are used."""

from __future__ import annotations

import re

from bilevel_lang.grammar.scanner import pieces
from bilevel_lang.grammar.situation import UNSEEN, Finding, Rule, Situation, show


def star_line_in_bracket(s: Situation) -> Finding | None:
    """A line that begins with ``*`` between a bracket and its end: meant as an index, read as a comment."""
    if s.bracket is None:
        return None
    comment = next((p for p in pieces(s.text, s.bracket, s.at) if p.kind == "star_comment"), None)
    if comment is None:
        return None
    star = comment.start + comment.text.index("*")
    mend = "a `*` that comes first on its line makes the line a comment: move it to the end of the line above"
    return Finding(f"this line is a comment, and the bracket of {_owner(s)} is still open", mend, star, star + 1)


def empty_index(s: Situation) -> Finding | None:
    """``x()``, ``x(1,)``, ``x(,1)``, ``x(1,,2)``."""
    if s.bracket is None or s.culprit.text not in (")", "]", ","):
        return None
    opened = s.before.start == s.bracket
    if opened and s.culprit.text != ",":
        mend = f"write {_owner(s)} without brackets for all of it, or name the element"
        return Finding(f"the brackets of {_owner(s)} are empty", mend, s.bracket, s.culprit.end)
    if opened or s.before.text == ",":
        where = "before" if s.culprit.text == "," else "after"
        culprit = s.culprit if s.culprit.text == "," else s.before
        mend = "take the comma away, or write `*` for every element"
        return Finding(f"an index is missing {where} this comma", mend, culprit.start, culprit.end)
    return None


def wrong_closer(s: Situation) -> Finding | None:
    """``x(1]`` and ``x[1)``."""
    if s.bracket is None or s.culprit.text not in (")", "]"):
        return None
    opener = s.text[s.bracket]
    return s.blame(f"`{opener}` is closed by `{s.culprit.text}`", f"write `{_CLOSER[opener]}` here")


_CLOSER = {"(": ")", "[": "]"}


def slice_with_ends(s: Situation) -> Finding | None:
    """``x[1:3]`` and ``x[...]``."""
    if s.bracket is None:
        return None
    if s.culprit.text == ":" or s.before.text == ":":
        at = s.at if s.culprit.text == ":" else s.before.start
        mend = "list the elements one by one, or write `:` or `*` alone for all"
        return Finding("an index cannot be a range", mend, at, at + 1)
    if s.text.startswith("...", s.at):
        return Finding("`...` is no index", "write one `*` for each index", s.at, s.at + 3)
    return None


def bracket_in_bracket(s: Situation) -> Finding | None:
    """``x(y(1))`` and ``x((1,2))``."""
    if s.bracket is None or s.culprit.text not in ("(", "["):
        return None
    return s.blame("an index has no brackets of its own", "write the indices flat, with commas between: `x(1,2)`")


def missing_comma(s: Situation) -> Finding | None:
    """``x(1 2)``."""
    if s.bracket is None or "COMMA" not in s.accepts or s.culprit.kind not in ("word", "number", "quoted"):
        return None
    gap = s.text[s.before.end : s.at]
    label, more = s.before.text, s.culprit.text
    mend = "put a comma between two indices"
    if not {s.before.kind, s.culprit.kind} & {"quoted"}:
        mend += f", or quotes around one label with a blank: '{label}{gap}{more}'"
    return s.blame(f"expected `,` or `{_CLOSER[s.text[s.bracket]]}` after the index {show(label)}, found {show(more)}", mend)


def open_bracket(s: Situation) -> Finding | None:
    """A bracket that is still open where the text ends, or another statement or bracket begins."""
    if s.bracket is None or not (s.at_end or s.found_keyword or _next_bracket(s.text, s.at) not in _CLOSER.values()):
        return None
    opener = s.text[s.bracket]
    message = f"the bracket of {_owner(s)} is not closed"
    return Finding(message, f"put `{_CLOSER[opener]}` after the last index", s.bracket, s.bracket + 1)


def _next_bracket(text: str, at: int) -> str:
    found = re.compile(r"[()\[\]]").search(text, at)
    return found.group() if found else ""


def odd_label(s: Situation) -> Finding | None:
    """A character that a label may only have in quotes."""
    if s.bracket is None:
        return None
    if s.culprit.kind == "ticked":
        name = s.culprit.text[1:-1]
        return s.blame("back-ticks are for names, and this is a label", f"write the label in quotes: '{name}'")
    label = re.split(r"[,()\[\]]", s.text[s.bracket + 1 : s.at])[-1] + re.split(r"[,()\[\]\n]", s.text[s.at :], maxsplit=1)[0]
    mend = f"put a label with such a character in quotes: '{label.strip()}'" if s.culprit.text.isprintable() else "take it away"
    return s.blame(f"{show(s.culprit.text)} cannot stand in an index", mend)


def _owner(s: Situation) -> str:
    """The name to which the open bracket belongs."""
    head = [piece for piece in pieces(s.text, s.keyword.start if s.keyword else 0, s.bracket) if piece.kind not in UNSEEN]
    return show(head[-1].text.strip("`"))


def stray_bracket(s: Situation) -> Finding | None:
    """A bracket outside of any name."""
    text = s.culprit.text
    if text in (")", "]"):
        return s.blame(f"`{text}` closes a bracket that was never opened", "take it away, or open the bracket after its name")
    if text not in ("(", "["):
        return None
    if s.before.text in (")", "]"):
        return s.blame("this name has its indices already", "write all indices in one bracket: `x(1,2)`")
    if s.before.kind == "word" and s.before.end == s.at:
        return None
    return s.blame(f"there is no name before this `{text}`", "brackets hold the indices of a name: `x(1)`; lists have none")


INSIDE_BRACKETS: tuple[Rule, ...] = (
    star_line_in_bracket,
    empty_index,
    wrong_closer,
    slice_with_ends,
    bracket_in_bracket,
    open_bracket,
    missing_comma,
    odd_label,
)
"""The rules for a bracket that is still open; the last one always answers."""
