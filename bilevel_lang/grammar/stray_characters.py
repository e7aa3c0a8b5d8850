"""Quotes, characters and numbers that do not belong where they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import takewhile

from bilevel_lang.grammar.keyword_mistakes import WORDS
from bilevel_lang.grammar.scanner import Piece, pieces
from bilevel_lang.grammar.situation import Finding, Situation, show, ticked


def open_quote(s: Situation) -> Finding | None:
    """A quote or back-tick that has no partner on its line."""
    mark = s.culprit.text
    if s.culprit.kind != "other" or mark not in ("'", '"', "`"):
        return None
    if s.text.startswith("``", s.at):
        return Finding("the back-ticks hold no name", "write the name between them", s.at, s.at + 2)
    sign = "back-tick" if mark == "`" else f"quote {mark}"
    content = "name" if mark == "`" else "file name" if s.statement == "scenarios" else "label"
    return s.blame(f"the {sign} is not closed on this line", f"put another {mark} after the {content}")


def look_alike(s: Situation) -> Finding | None:
    """A character that a word processor put in the place of a plain one."""
    plain = _LOOK_ALIKES.get(s.culprit.text[:1])
    if plain is None:
        return None
    character = s.culprit.text[0]
    name = unicodedata.name(character).lower()
    return Finding(f"`{character}` ({name}) is no part of the language", f"write {plain}", s.at, s.at + 1)


_LOOK_ALIKES = {
    **dict.fromkeys("‘’‚‛′", "a plain quote '"),
    **dict.fromkeys("“”„‟″", 'a plain quote "'),
    **dict.fromkeys("‐‑‒–—−", "a plain minus -"),
    **dict.fromkeys("×∗⁎", "a plain star *"),
    **dict.fromkeys("，、", "a plain comma ,"),
    **dict.fromkeys("（", "a plain bracket ("),
    **dict.fromkeys("）", "a plain bracket )"),
}


def odd_number(s: Situation) -> Finding | None:
    """``1.2.3``, ``2x``, and names that begin with a digit."""
    text = "".join(piece.text for piece in _unbroken(s))
    if s.culprit.kind != "word" or not text[0].isdigit():
        return None
    if "NUMBER" in s.accepts and "NAME" not in s.accepts:
        return Finding(f"`{text}` is not a number", "write a number as in 2, 0.5 or 1e-3", s.at, s.at + len(text))
    return s.blame(f"a name cannot begin with a digit: `{s.culprit.text}`", f"write it in back-ticks: {ticked(s.culprit.text)}")


def _unbroken(s: Situation) -> Iterator[Piece]:
    """The culprit and what hangs on to it without a blank, as the parts of ``1.2.3`` do."""
    return takewhile(lambda piece: piece.kind in ("word", "number") or piece.text == ".", pieces(s.text, s.at))


def number_as_name(s: Situation) -> Finding | None:
    """A number where names stand."""
    if s.culprit.kind != "number":
        return None
    text = s.culprit.text
    mend = f"if it is an index, write it in brackets: `x({text})`"
    return s.blame(f"`{s.statement}` takes names, found the number `{text}`", mend)


def quoted_name(s: Situation) -> Finding | None:
    """Quotes outside of brackets."""
    if s.culprit.kind != "quoted":
        return None
    name = s.culprit.text[1:-1]
    mend = f"write the name bare: `{name}`" if name.isidentifier() else f"write the name in back-ticks: {ticked(name)}"
    return s.blame("quotes are for labels between brackets, and this is not one", mend)


def misplaced_sign(s: Situation) -> Finding | None:
    """An operator, a brace, a comment of another language."""
    mend = next((mend for signs, mend in _SIGNS.items() if s.text.startswith(tuple(signs.split()), s.at)), "")
    if not mend or (s.culprit.kind in WORDS and s.culprit.kind != "number"):
        return None
    return s.blame(f"{show(s.culprit.text)} is no part of the language here", mend)


_SIGNS = {
    "/* -- ! %": "comments begin with # or //, or with * as the first sign of a line",
    "= < > + / ^": "formulas belong in the model: give the row or expression a name there and list the name here",
    "{ }": "indices stand in ( ) or [ ], and lists have no brackets",
    "$": "there are no conditions: list the elements, or use `for s in S: ...` over a smaller set",
    "*": "a `*` stands once, alone, among the variables of an agent",
    ":": "a `:` stands after `for s in S`, or as an index",
    ".": "a dot stands between the parts of a name: `blk.x`",
    "-": "a `-` stands before the row that it flips",
}
