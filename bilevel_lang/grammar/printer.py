"""Syntax tree to text, and text to well laid out text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bilevel_lang.grammar import leaves
from bilevel_lang.grammar import random_syntax as rand
from bilevel_lang.grammar import syntax as s
from bilevel_lang.grammar.parser import parse, tokens
from bilevel_lang.grammar.scanner import LINE_ENDS, STATEMENT_TERMINALS, Piece, is_keyword, pieces

if TYPE_CHECKING:
    from lark import Token

# ---- A tree as text --------------------------------------------------------------------------------------------------


def print_info(info: s.EmpInfo) -> str:
    """The tree as text, one statement a line; ``parse`` gives the same tree back.

    Names get back-ticks and labels quotes where they need them. An unquoted label that can only be written in quotes comes
    back as a quoted one. Raises ``ValueError`` for what no text can say: a line break in a name, a label or a file name,
    an empty name, empty brackets, and numbers that are none.
    """
    return "".join(f"{_statement(statement)}\n" for statement in info.statements)


def _statement(statement: s.Statement) -> str:
    return " ".join(_PRINTERS[type(statement)](statement))


def _optimise(node: s.Optimise) -> list[str]:
    return [node.sense, _item(node.objective), *map(_item, node.items)]


def _for_each(node: s.ForEach) -> list[str]:
    bindings = ", ".join(f"{_plain(binding.name)} in {_item(binding.set)}" for binding in node.bindings)
    return ["for", f"{bindings}:", _statement(node.statement)]


def _adjustequ(node: s.AdjustEqu) -> list[str]:
    words = ["adjustequ"]
    for soft in node.adjustments:
        words += [_item(soft.row), soft.penalty, *map(_item, soft.weights)]
    return words


def _disjunction(node: s.Disjunction) -> list[str]:
    words = ["disjunction", *(_reform(node.reform) if node.reform else ())]
    for place, branch in enumerate(node.branches):
        if branch.indicator is None:
            words.append("else")
        else:
            words += ["elseif"] * (place > 0) + ["not"] * branch.negated + [_item(branch.indicator, _BRANCH_WORDS)]
        words += [_item(row, _BRANCH_WORDS) for row in branch.rows]
    return words


_BRANCH_WORDS = frozenset({"not", "else", "elseif", "chull", "bigm", "indic"})


def _reform(reform: s.Reform) -> list[str]:
    return [reform.name, *([_item(reform.value)] if reform.value else ())]


def _randvar(node: rand.RandVar) -> list[str]:
    return ["randvar", _item(node.parameter), _plain(node.distribution), *map(_item, node.numbers)]


def _jrandvar(node: rand.JRandVar) -> list[str]:
    parameters = [_item(parameter, frozenset({"discrete"})) for parameter in node.parameters]
    return ["jrandvar", *parameters, *map(_item, node.numbers)]


# Every statement as its words. The functions differ in what they take, which a table cannot say.
_PRINTERS: dict[type[leaves.Node], Callable[[Any], Iterable[str]]] = {
    s.Bilevel: lambda node: ["bilevel", *map(_item, node.variables)],
    s.Equilibrium: lambda node: ["equilibrium"],
    s.Optimise: _optimise,
    s.VariationalInequality: lambda node: ["vi", *map(_item, node.items)],
    s.QuasiVariationalInequality: lambda node: ["qvi", *map(_item, node.items)],
    s.DualVar: lambda node: ["dualvar", *map(_item, node.items)],
    s.DualEqu: lambda node: ["dualequ", *map(_item, node.items)],
    s.ForEach: _for_each,
    s.Implicit: lambda node: ["implicit", *map(_item, node.items)],
    s.VISol: lambda node: ["visol", *map(_item, node.items)],
    s.SharedEqu: lambda node: ["sharedequ", *map(_item, node.items)],
    s.ModelType: lambda node: ["modeltype", _plain(node.name)],
    s.AdjustEqu: _adjustequ,
    s.Disjunction: _disjunction,
    s.Default: lambda node: ["default", *_reform(node.reform)],
    rand.RandVar: _randvar,
    rand.JRandVar: _jrandvar,
    rand.Stage: lambda node: ["stage", _item(node.number), *map(_item, node.items)],
    rand.StageDefault: lambda node: ["stagedefault", _item(node.number)],
    rand.Sample: lambda node: ["sample", *map(_item, node.parameters), _item(node.size), *map(_item, node.options)],
    rand.SetSeed: lambda node: ["setseed", _item(node.seed)],
    rand.Correlation: lambda node: ["correlation", _item(node.first), _item(node.second), _item(node.value)],
    rand.Chance: lambda node: ["chance", *map(_item, node.rows), *map(_item, node.arguments)],
    rand.ExpectedValue: lambda node: ["expectedvalue", _item(node.variable), *([_item(node.result)] if node.result else [])],
    rand.RiskMeasure: lambda node: [node.kind, *map(_item, node.variables), _item(node.level)],
    rand.Scenarios: lambda node: ["scenarios", _quoted(node.file)],
}


def _item(item: leaves.Item, reserved: frozenset[str] = frozenset()) -> str:
    """An item as text; names in ``reserved`` mean something in this statement and get back-ticks too."""
    if isinstance(item, leaves.Wildcard):
        return "*"
    if isinstance(item, leaves.Number):
        return _matching(_NUMBER, item.text, "number")
    first, *rest = item.segments
    clash = is_keyword(first.name) or first.name.lower() in reserved
    parts = [_segment(first, clash), *(_segment(segment, False) for segment in rest)]
    return "-" * item.negated + ".".join(parts)


def _segment(segment: leaves.Segment, clash: bool) -> str:
    name = segment.name
    if clash or not _NAME.fullmatch(name):
        name = _enclosed(name, "`")
    if segment.indices is None:
        return name
    if not segment.indices or not segment.name:
        raise ValueError(f"no text says this part of a name: {segment!r}")
    inner = ",".join("*" if isinstance(index, leaves.AnyIndex) else _label(index) for index in segment.indices)
    return f"{name}[{inner}]" if segment.bracket == "[" else f"{name}({inner})"


def _label(label: leaves.Label) -> str:
    if not label.quoted and _LABEL.fullmatch(label.text):
        return label.text
    return _quoted(label.text, label.quote)


def _quoted(text: str, wanted: str = "") -> str:
    return _enclosed(text, wanted or ('"' if "'" in text and '"' not in text else "'"))


def _enclosed(text: str, mark: str) -> str:
    """``text`` between two marks; a mark inside is doubled. Raises ``ValueError`` if ``text`` does not fit on a line."""
    if any(end in text for end in LINE_ENDS) or not (text or mark != "`"):
        raise ValueError(f"no text says this name or label: {text!r}")
    return mark + text.replace(mark, mark * 2) + mark


def _plain(name: str) -> str:
    """A name where the grammar takes no back-ticks."""
    if is_keyword(name):
        raise ValueError(f"there is no way to write this keyword as a name here: {name!r}")
    return _matching(_NAME, name, "name without back-ticks")


def _matching(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"this is no {what}: {text!r}")
    return text


_NAME = re.compile(r"[^\W\d]\w*")
_LABEL = re.compile(r"(?=[.+-]*\w)[\w.+-]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?", re.IGNORECASE)


# ---- A text laid out -------------------------------------------------------------------------------------------------


def format_text(text: str, name: str = "<annotation>") -> str:
    """``text`` laid out: one blank between items, statements at the left margin, what continues them indented by four.

    Comments, quotes, and the line breaks and blank lines of the author stay (several blank lines become one); keywords
    become lower-case; commas between items, semicolons and ``s.t.`` go. The text means the same as before, and laying
    it out again changes nothing. Raises :class:`EmpSyntaxError` if it cannot be read.
    """
    plain = parse(text, name).source.text
    layout = _Layout()
    before: Token | None = None
    words = tokens(plain)
    for token, after in zip(words, (*words[1:], None)):  # noqa: B905 - nothing at all has a longer tail
        layout.add(token, _gap(plain, _end(before), token.start_pos or 0), before, after)
        before = token
    layout.finish(_gap(plain, _end(before), len(plain)))
    return layout.text()


def _end(token: Token | None) -> int:
    return (token.end_pos or 0) if token else 0


@dataclass(slots=True)
class _Gap:
    """What stands between two words: a comment on the line of the first, then lines of comments or nothing."""

    trailing: str = ""
    lines: list[str] = field(default_factory=list)
    breaks: bool = False


def _gap(text: str, start: int, end: int) -> _Gap:
    gap = _Gap()
    content, empty = "", False  # of the line at hand: its comment, and whether nothing but blanks was on it
    for piece in (*pieces(text, start, end), Piece("newline", "", end)):
        if piece.kind in ("comment", "star_comment"):
            content = piece.text.strip()
        elif piece.kind == "newline":
            if content and start > 0 and not gap.breaks:
                gap.trailing = content
            elif content or (empty and piece.text):
                gap.lines.append(content)
            gap.breaks = gap.breaks or piece.text != ""
            content, empty = "", True
        empty = empty and piece.kind in ("blank", "newline")
    return gap


@dataclass(slots=True)
class _Line:
    indent: str
    words: list[str]
    comment: str = ""

    def text(self) -> str:
        return f"{self.indent}{' '.join(self.words)}  {self.comment}".rstrip()


class _Layout:
    """Lines in the making: the last one takes words until a break."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.line: _Line | None = None
        self.waiting: list[str] = []  # comments that stood inside a name and follow the line of that name

    def add(self, token: Token, gap: _Gap, before: Token | None, after: Token | None) -> None:
        """Put ``token`` behind what is there, with the comments of ``gap`` where they belong."""
        word = token.lower() if token.type in _KEYWORDS else str(token)
        starts = token.type in STATEMENT_TERMINALS and not (before and before.type == "COLON")
        if self.line is None or before is None:
            self._break(gap, starts, word)
        elif _glued(before, token):
            self.line.words[-1] += word
            self._keep_for_later(gap)
        elif token.type == "STAR" and gap.breaks:
            # First on a line it would make the line a comment.
            self.line.words.append(word)
            self._keep_for_later(gap)
        else:
            if after and after.type == "IN" and before.type != "FOR":
                self.line.words[-1] += ","
            if starts or gap.breaks:
                self._break(gap, starts, word)
            else:
                self.line.words.append(word)

    def finish(self, gap: _Gap) -> None:
        """Put the comments behind the last word."""
        self._break(gap, True, "")

    def text(self) -> str:
        """The lines, without blank ones at the ends or two in a row."""
        kept: list[str] = []
        for line in self.done:
            if line or (kept and kept[-1]):
                kept.append(line)
        while kept and not kept[-1]:
            kept.pop()
        return "".join(f"{line}\n" for line in kept)

    def _keep_for_later(self, gap: _Gap) -> None:
        self.waiting += [comment for comment in (gap.trailing, *gap.lines) if comment]

    def _break(self, gap: _Gap, starts: bool, word: str) -> None:
        indent = "" if starts else " " * 4
        if self.line:
            self.line.comment = gap.trailing
            self.done.append(self.line.text())
        self.done += [indent + line if line else "" for line in (*self.waiting, *gap.lines)]
        self.waiting = []
        self.line = _Line(indent, [word]) if word else None


def _glued(before: Token, token: Token) -> bool:
    return token.type in _GLUED_BEHIND or before.type in _GLUED_AHEAD


_KEYWORDS = STATEMENT_TERMINALS | {"IN", "ABS", "MAXZ", "SQR", "NOT", "ELSEIF", "ELSE", "CHULL", "BIGM", "INDIC", "DISCRETE"}
_GLUED_BEHIND = frozenset({"DOT", "LPAR", "LSQB", "RPAR", "RSQB", "COMMA", "COLON"})
_GLUED_AHEAD = frozenset({"DOT", "LPAR", "LSQB", "COMMA", "MINUS"})
