"""The text as pieces: what recovery and layout need to know of it without parsing it.

``emp.lark`` defines the language. Here a text, right or wrong, is only cut into words, quotes, brackets and comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

STATEMENT_KEYWORDS: tuple[str, ...] = (
    "bilevel",
    "equilibrium",
    "for",
    "min",
    "max",
    "vi",
    "qvi",
    "dualvar",
    "dualequ",
    "implicit",
    "visol",
    "sharedequ",
    "modeltype",
    "adjustequ",
    "disjunction",
    "default",
    "randvar",
    "jrandvar",
    "stage",
    "stagedefault",
    "sample",
    "setseed",
    "correlation",
    "chance",
    "expectedvalue",
    "cvarlo",
    "cvarup",
    "varlo",
    "varup",
    "scenarios",
)
"""The words that begin a statement."""

STATEMENT_TERMINALS = frozenset(keyword.upper() for keyword in STATEMENT_KEYWORDS)
"""The same words as ``emp.lark`` names them."""

LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
"""Everything at which ``str.splitlines`` breaks a line."""

_KEYWORD = re.compile("|".join((*STATEMENT_KEYWORDS, "expected_value")), re.IGNORECASE)
_ODD_LINE_ENDS = {ord(end): " " for end in LINE_ENDS if end != "\n"}
_PIECE = re.compile(
    r"""(?P<newline>\n)
      | (?P<star_comment>^[^\S\n]*\*[^\n]*)
      | (?P<blank>[^\S\n]+)
      | (?P<comment>(?:\#|//)[^\n]*)
      | (?P<quoted>'(?:[^'\n]|'')*'|"(?:[^"\n]|"")*")
      | (?P<ticked>`(?:[^`\n]|``)+`)
      | (?P<noise>s\.t\.(?![\w.`])|;)
      | (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?(?![\w.]))
      | (?P<word>\w+)
      | (?P<other>.)""",
    re.VERBOSE | re.MULTILINE | re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text of one kind: ``newline``, ``star_comment``, ``blank``, ``comment``, ``quoted``, ``ticked``, ...."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset just after the piece."""
        return self.start + len(self.text)


def pieces(text: str, start: int = 0, end: int | None = None) -> Iterator[Piece]:
    """``text[start:end]`` cut into pieces that cover all of it."""
    for match in _PIECE.finditer(text, start, len(text) if end is None else end):
        yield Piece(match.lastgroup or "other", match.group(), match.start())


def plain_lines(text: str) -> str:
    """``text`` without a byte order mark and with ``\\n`` as the only line end; offsets stay as they are after the mark.

    Form feeds and their like become blanks, so that lines count here as they count in an editor.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", " \n").replace("\r", "\n")
    return text.translate(_ODD_LINE_ENDS)


def is_keyword(word: str) -> bool:
    """Whether ``word``, in any mixture of capitals, begins a statement."""
    return _KEYWORD.fullmatch(word) is not None


def next_keyword(text: str, start: int, depth: int = 0) -> int:
    """The offset of the next statement keyword at or after ``start``, or the length of the text.

    Words between brackets and after a dot are no keywords, but the first word of a line always is one: a bracket
    that was left open ends somewhere. ``depth`` is the number of brackets that are open at ``start``.
    """
    line_is_blank, after_dot = not text[text.rfind("\n", 0, start) + 1 : start].strip(), False
    for piece in pieces(text, start):
        if piece.kind == "word" and is_keyword(piece.text) and not after_dot and (depth == 0 or line_is_blank):
            return piece.start
        depth = max(0, depth + (piece.text in ("(", "[")) - (piece.text in (")", "]")))
        after_dot = piece.text == "."
        line_is_blank = piece.kind == "newline" or (line_is_blank and piece.kind == "blank")
    return len(text)


def blank_out(text: str, end: int) -> str:
    """``text`` with everything before ``end`` made blank; line breaks and so all places stay."""
    return re.sub(r"[^\n]", " ", text[:end]) + text[end:]
