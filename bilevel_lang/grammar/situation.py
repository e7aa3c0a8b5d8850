"""Where parsing stopped and what was possible there: all that a message about a mistake is made of."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from bilevel_lang.grammar.scanner import STATEMENT_TERMINALS, Piece, is_keyword, pieces

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong between the offsets ``start`` and ``end``, and the mend."""

    message: str
    help: str
    start: int
    end: int


@dataclass(frozen=True)
class Situation:
    """Where parsing stopped: at ``at``, in the statement that ``keyword`` began, while ``accepts`` was possible.

    ``bracket`` is the offset of a bracket that is still open, and ``at`` the length of the text at its end.
    """

    text: str
    at: int
    accepts: frozenset[str]
    keyword: Piece | None
    bracket: int | None

    @cached_property
    def culprit(self) -> Piece:
        """The first piece that does not fit; empty at the end of the text."""
        return next(pieces(self.text, self.at), Piece("end", "", self.at))

    @cached_property
    def inside(self) -> list[Piece]:
        """The pieces from the keyword of the statement to the culprit."""
        return list(pieces(self.text, self.keyword.start if self.keyword else 0, self.at))

    @cached_property
    def before(self) -> Piece:
        """The last piece before the culprit that is neither blank nor comment; empty if there is none."""
        return next((piece for piece in reversed(self.inside) if piece.kind not in UNSEEN), Piece("start", "", 0))

    @cached_property
    def after(self) -> Piece:
        """The piece that comes next after the culprit, blank or not."""
        return next(pieces(self.text, self.culprit.end), Piece("end", "", self.culprit.end))

    @property
    def at_end(self) -> bool:
        """Whether the text ends too early."""
        return self.culprit.kind == "end"

    @property
    def statement(self) -> str:
        """The keyword of the statement as messages show it."""
        return self.keyword.text.lower() if self.keyword else ""

    @property
    def complete(self) -> bool:
        """Whether the statement could have ended here."""
        return "$END" in self.accepts

    @property
    def found_keyword(self) -> bool:
        """Whether the culprit is the keyword of another statement."""
        return self.culprit.kind == "word" and is_keyword(self.culprit.text) and (self.bracket is None or self.first_on_line)

    @property
    def first_on_line(self) -> bool:
        """Whether only blanks stand before the culprit on its line."""
        return not self.text[self.text.rfind("\n", 0, self.at) + 1 : self.at].strip()

    @property
    def found(self) -> str:
        """The culprit in words."""
        if self.at_end:
            return "but the annotation ends"
        if self.found_keyword:
            return f"found the keyword `{self.culprit.text}`"
        return f"found {show(self.culprit.text)}"

    def blame(self, message: str, mend: str) -> Finding:
        """A finding at the culprit or, if the statement ends too early, just behind its last word."""
        if self.at_end or (self.found_keyword and self.first_on_line):
            return Finding(message, mend, self.before.end, self.before.end + 1)
        return Finding(message, mend, self.at, self.culprit.end)


UNSEEN = ("blank", "newline", "comment", "star_comment")


def show(text: str) -> str:
    """``text`` as a message quotes it: control characters and their like by their number and name."""
    if text == "`":
        return "a back-tick"
    if text.isprintable():
        return f"`{text}`"
    name = unicodedata.name(text[0], "")
    return f"the character U+{ord(text[0]):04X}" + f" ({name.lower()})" * bool(name)


def ticked(name: str) -> str:
    """``name`` in back-ticks, as a message shows it."""
    return f"`` `{name}` ``"


def situation_of(text: str, error: UnexpectedInput) -> Situation:
    """What the parser knew when it raised ``error`` on ``text``."""
    state: Any = error.interactive_parser
    tokens = [value for value in state.parser_state.value_stack if hasattr(value, "type")]
    keyword = next((t for t in reversed(tokens) if t.type in STATEMENT_TERMINALS), None)
    last = tokens[-1] if tokens else None
    bracket = next((t for t in reversed(tokens) if t.type in ("LPAR", "LSQB", "RPAR", "RSQB")), None)
    token = getattr(error, "token", None)
    ended = token is not None and token.type == "$END"
    return Situation(
        text=text,
        at=len(text) if ended else error.pos_in_stream or 0,
        accepts=frozenset(state.accepts()),
        keyword=Piece("word", str(keyword), keyword.start_pos) if keyword else None,
        bracket=bracket.start_pos if last and bracket and bracket.type in ("LPAR", "LSQB") else None,
    )


Rule: TypeAlias = Callable[[Situation], "Finding | None"]
"""A rule answers for the mistakes that it knows, and with None for all others."""
