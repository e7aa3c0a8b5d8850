"""From the place where parsing stopped to a message: what is wrong, where exactly, and how to mend it.

``RULES`` is the table: each rule looks at the :class:`Situation` and answers with a :class:`Finding` or None; the first
answer counts. To teach the parser a new message, add a function to the table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from bilevel_lang.errors import Diagnostic, Source, Span
from bilevel_lang.grammar.scanner import STATEMENT_KEYWORDS, Piece, is_keyword, next_keyword, pieces

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput

MAX_CHARACTERS = 1_000_000
MAX_TOKENS = 200_000


class TooManyWords(Exception):  # noqa: N818 - it never leaves this package
    """The annotation has more words than ``MAX_TOKENS``."""


def too_long(source: Source) -> Diagnostic:
    """The annotation has more characters than ``MAX_CHARACTERS``."""
    size = f"{len(source.text):,} characters, and {MAX_CHARACTERS:,} is the limit"
    return Diagnostic("S1", f"the annotation is too long: it has {size}", _SHORTER, source=source)


def too_many_words(source: Source) -> Diagnostic:
    """The annotation has more words than ``MAX_TOKENS``."""
    return Diagnostic("S1", f"the annotation has more than {MAX_TOKENS:,} words and signs", _SHORTER, source=source)


_SHORTER = "name whole symbols (`x`) instead of their elements, or use `for s in S: ...`"


def explain(source: Source, text: str, error: UnexpectedInput) -> tuple[Diagnostic, int]:
    """The message for ``error``, and the offset of the statement at which reading can go on.

    ``text`` is what was parsed: the text of ``source``, perhaps with a blank beginning. The offset is always
    behind the start of the statement that failed.
    """
    situation = _situation(text, error)
    finding = next(found for rule in RULES if (found := rule(situation)))
    diagnostic = Diagnostic("S1", finding.message, finding.help, _span(text, finding.start, finding.end), source)
    if situation.found_keyword:
        return diagnostic, situation.at
    return diagnostic, next_keyword(text, min(situation.at + 1, len(text)), depth=int(situation.bracket is not None))


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
        return next((piece for piece in reversed(self.inside) if piece.kind not in _UNSEEN), Piece("start", "", 0))

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


_UNSEEN = ("blank", "newline", "comment", "star_comment")


def show(text: str) -> str:
    """``text`` as a message quotes it: control characters and their like by their number and name."""
    if text == "`":
        return "a back-tick"
    if text.isprintable():
        return f"`{text}`"
    return f"the character U+{ord(text[0]):04X} ({unicodedata.name(text[0], 'it has no name')})"


def ticked(name: str) -> str:
    """``name`` in back-ticks, as a message shows it."""
    return f"`` `{name}` ``"


def _situation(text: str, error: UnexpectedInput) -> Situation:
    state: Any = error.interactive_parser
    tokens = [value for value in state.parser_state.value_stack if hasattr(value, "type")]
    keyword = next((t for t in reversed(tokens) if t.type.lower() in STATEMENT_KEYWORDS), None)
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


def _span(text: str, start: int, end: int) -> Span:
    line = text.count("\n", 0, start) + 1
    return Span(start, max(end, start + 1), line, start - text.rfind("\n", 0, start))


# ---- Quotes and characters that are wrong anywhere -------------------------------------------------------------------


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


# ---- Brackets --------------------------------------------------------------------------------------------------------


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
    head = [piece for piece in pieces(s.text, s.keyword.start if s.keyword else 0, s.bracket) if piece.kind not in _UNSEEN]
    return show(head[-1].text) if head[-1].kind != "ticked" else f"`{head[-1].text}`"


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


# ---- Keywords --------------------------------------------------------------------------------------------------------


def keyword_as_name(s: Situation) -> Finding | None:
    """``min.x``, ``stage(3)``: a keyword that is written as names are written."""
    if s.culprit.text not in (".", "(", "[") or s.before.end != s.at or not is_keyword(s.before.text):
        return None
    word = s.before.text
    return Finding(f"`{word}` is a keyword and cannot be a name as it is", _as_name(word), s.before.start, s.before.end)


def _as_name(word: str) -> str:
    return f"if `{word}` is a name of the model, write it in back-ticks: {ticked(word)}"


def node_label(s: Situation) -> Finding | None:
    """``lower: min obj x`` and ``n(i): min obj(i)``: problems with labels, as a sister language has them."""
    if s.statement == "for" and not s.complete:
        return None
    if s.culprit.text == ":" and (s.before.kind == "word" or s.before.text in (")", "]")):
        label = s.before if s.before.kind == "word" else s.culprit
    elif s.culprit.kind == "word" and s.keyword is None and re.compile(r"\w+\s*([(\[][^()\[\]]*[)\]])?\s*:").match(s.text, s.at):
        label = s.culprit
    else:
        return None
    message = "this looks like the label of a problem, and there are no labels"
    mend = "write `for i in I: min obj(i) ...`" if _is_family(s.text, label) else _HIERARCHY
    return Finding(message, f"take the label away; {mend}", label.start, label.end)


def _is_family(text: str, label: Piece) -> bool:
    return label.text == ":" or text[label.end :].lstrip()[:1] in ("(", "[")


_HIERARCHY = "`bilevel` or `equilibrium`, and then `min`, `max` or `vi` for each agent, say who is who"


def no_keyword(s: Situation) -> Finding | None:
    """A word where only a statement can begin."""
    if s.at_end or s.found_keyword or "BILEVEL" not in s.accepts or "NAME" in s.accepts or s.culprit.kind not in _WORDS:
        return None
    if s.keyword is None:
        message = f"expected a keyword such as `bilevel`, `min` or `equilibrium`, {s.found}"
        return s.blame(message, _meant(s.culprit.text) or f"every statement begins with its keyword: put it before {show(s.culprit.text)}")
    if s.statement == "equilibrium":
        mend = _meant(s.culprit.text) or "list variables and rows with the agents: `min obj x row`"
        return s.blame(f"`equilibrium` stands alone, {s.found} after it", mend)
    message = f"the `{s.statement}` statement is complete, {s.found} after it"
    return s.blame(message, _meant(s.culprit.text) or f"take {show(s.culprit.text)} away, or begin a new statement with a keyword")


_WORDS = ("word", "ticked", "number", "quoted")
_SYNONYMS = {
    **dict.fromkeys(("minimize", "minimise", "minimum", "minimization", "minimisation"), "min"),
    **dict.fromkeys(("maximize", "maximise", "maximum", "maximization", "maximisation"), "max"),
    **dict.fromkeys(("leader", "upper", "stackelberg"), "bilevel"),
    **dict.fromkeys(("nash", "mopec", "game"), "equilibrium"),
    **dict.fromkeys(("foreach", "forall", "loop"), "for"),
    **dict.fromkeys(("dual", "multiplier"), "dualvar"),
    "seed": "setseed",
    "random": "randvar",
    "variational": "vi",
}


def _meant(word: str) -> str:
    """The question whether another keyword was meant; empty if none is near."""
    lower = word.lower()
    near = [_SYNONYMS[lower]] if lower in _SYNONYMS else get_close_matches(lower, STATEMENT_KEYWORDS, 1, 0.7)
    return f"did you mean `{near[0]}`?" if near else ""


# ---- What a statement still needs ------------------------------------------------------------------------------------


def for_head(s: Situation) -> Finding | None:
    """``for`` without index, ``in``, set, ``:`` or with a statement that it cannot govern."""
    if s.statement != "for":
        return None
    if s.accepts <= _AGENTS and s.culprit.text.lower() == "for":
        mend = "write one `for` with all indices: `for s in S, t in T: ...`"
        return Finding("one `for` cannot govern another", mend, s.at, s.culprit.end)
    if s.accepts <= _AGENTS and s.found_keyword:
        return Finding(f"`for` cannot govern `{s.culprit.text.lower()}`", _GOVERNED, s.at, s.culprit.end)
    if s.accepts <= _AGENTS:
        return s.blame(f"expected the statement that `for` governs, {s.found}", _meant(s.culprit.text) or _GOVERNED)
    if "IN" in s.accepts and s.before.text.lower() == "in":
        mend = "write the index between `for` and `in`: `for s in S: ...`"
        return Finding("expected the name of an index after `for`, found `in`", mend, s.before.start, s.before.end)
    if "IN" in s.accepts:
        return s.blame(f"expected `in` after the index `{s.before.text}`, {s.found}", f"write `for {s.before.text} in S: ...`")
    if s.complete or "COLON" not in s.accepts:
        need = "the set after `in`" if s.before.text.lower() == "in" else "the name of an index after `for`"
        return s.blame(f"expected {need}, {s.found}", "write `for s in S: ...`" + _unless_name(s))
    return s.blame(f"expected `:` before the statement that `for` governs, {s.found}", "write `for s in S: min obj(s) x(s)`")


_AGENTS = frozenset({"MIN", "MAX", "VI", "QVI", "DUALVAR", "DUALEQU"})
_GOVERNED = "after `for ...:` stands one statement with `min`, `max`, `vi`, `qvi`, `dualvar` or `dualequ`"


def missing_word(s: Situation) -> Finding | None:
    """A penalty, a reformulation, a type, a distribution or a file name is missing."""
    if s.complete:
        return None
    if "ABS" in s.accepts:
        message = f"expected the penalty of the row {show(s.before.text)}, {s.found}"
        return s.blame(message, "write `abs`, `maxz` or `sqr` after the row")
    if s.statement == "default":
        return s.blame(f"expected a reformulation after `default`, {s.found}", "write `chull`, `bigm` or `indic`" + _unless_name(s))
    if s.statement == "scenarios":
        mend = "write its name in quotes: scenarios 'demand.csv'"
        return s.blame(f"expected the file of the scenarios, {s.found}", mend + _unless_name(s))
    if s.statement == "modeltype":
        return s.blame(f"expected the type of the model, {s.found}", "write it after `modeltype`: `modeltype mcp`" + _unless_name(s))
    if s.statement == "randvar" and s.before is not s.keyword and s.before.text.lower() != "randvar":
        mend = "write a law and its numbers: `randvar d normal 45 10`"
        return s.blame(f"expected the distribution of the parameter {show(s.before.text)}, {s.found}", mend)
    return None


def dangling_sign(s: Situation) -> Finding | None:
    """``-`` or ``.`` with no name after it."""
    if s.before.text == "-" and s.culprit.text == "*":
        return s.blame("the wildcard `*` cannot be flipped", "list the rows that are to be flipped: `-row1 -row2`")
    if s.before.text == "-" and s.culprit.text == "-":
        return s.blame("one `-` is enough", "take one `-` away; if this is to be a comment, begin it with # or //")
    if s.before.text == "-":
        message = f"expected the name of a row after `-`, {s.found}"
        return Finding(message, "write the row after the `-`, or take the `-` away", s.before.start, s.before.end)
    if s.before.text == ".":
        mend = "write the name of the component after the dot: `blk.x`"
        return Finding(f"expected a name after `.`, {s.found}", mend, s.before.start, s.before.end)
    return None


def missing_name(s: Situation) -> Finding | None:
    """The statement needs a name: an objective, a parameter, an indicator, a row."""
    if s.complete or "NAME" not in s.accepts or "NUMBER" in s.accepts:
        return None
    if s.culprit.kind in ("other", "quoted") and s.culprit.text != "*":
        return None
    need, mend = _NAMES.get(s.statement, ("a name", "write the name here"))
    mend += _unless_name(s)
    if s.culprit.text == "*":
        return s.blame(f"expected {need}, found the wildcard `*`", mend)
    return s.blame(f"expected {need}, {s.found}", mend)


_NAMES = {
    "min": ("the objective after `min`", "write what is minimised first: `min obj x row`"),
    "max": ("the objective after `max`", "write what is maximised first: `max obj x row`"),
    "disjunction": ("an indicator variable or `*`", "write the variable that switches these rows on: `disjunction b row1 else row2`"),
    "randvar": ("the parameter that is random", "write `randvar d normal 45 10`"),
    "jrandvar": ("two or more parameters", "write `jrandvar d r 0.5 10 1 0.5 20 2`; one parameter takes `randvar`"),
    "correlation": ("two parameters", "write `correlation d r 0.3`"),
    "chance": ("the rows that hold with a probability", "write `chance row 0.95`"),
    "expectedvalue": ("a variable after `expectedvalue`", "write `expectedvalue r`"),
    "expected_value": ("a variable after `expected_value`", "write `expected_value r`"),
    **{
        kind: (f"a variable after `{kind}`", f"write `{kind} r 0.1`") for kind in ("cvarlo", "cvarup", "varlo", "varup")
    },
}


def missing_number(s: Situation) -> Finding | None:
    """The statement needs a number: a stage, a size, a seed, a probability."""
    if s.complete or "NUMBER" not in s.accepts or s.culprit.kind == "number":
        return None
    need, mend = _NUMBERS.get(s.statement, ("a number", "write the number here"))
    return s.blame(f"expected {need}, {s.found}", mend + _unless_name(s))


_NUMBERS = {
    "stage": ("the number of the stage", "write `stage 2 x row`"),
    "stagedefault": ("the number of a stage", "write `stagedefault 2`"),
    "sample": ("the size of the sample, a number", "write `sample d 100`"),
    "setseed": ("a number after `setseed`", "write `setseed 42`"),
    "correlation": ("the correlation, a number", "write `correlation d r 0.3`"),
    "chance": ("the probability, a number", "write `chance row 0.95`"),
    **{kind: ("the level, a number", f"write `{kind} r 0.1`") for kind in ("cvarlo", "cvarup", "varlo", "varup")},
}


def _unless_name(s: Situation) -> str:
    """What to add if the keyword of the statement, or the one found, may be a name of the model."""
    if s.found_keyword and s.bracket is None and not s.first_on_line:
        own = s.keyword is not None and s.before.start == s.keyword.start and _starts_inside_line(s.text, s.keyword.start)
        return f"; {_as_name(s.keyword.text if own and s.keyword else s.culprit.text)}"
    return ""


def _starts_inside_line(text: str, at: int) -> bool:
    return bool(text[text.rfind("\n", 0, at) + 1 : at].strip())


# ---- Characters and numbers that do not belong where they are --------------------------------------------------------


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
    return s.blame(f"`{s.statement}` takes names, found the number `{text}`", f"if it is an index, write it in brackets: `x({text})`")


def second_else(s: Situation) -> Finding | None:
    """``else`` or ``elseif`` after the closing ``else``."""
    word = s.culprit.text.lower()
    if s.statement != "disjunction" or word not in ("else", "elseif"):
        return None
    mend = "`else` is the last branch: write `elseif` before it" + (", and `else` once" if word == "else" else "")
    return s.blame(f"found `{word}` after the `else` of this disjunction", mend)


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
    if not mend or s.culprit.kind in _WORDS and s.culprit.kind != "number":
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


def anything_else(s: Situation) -> Finding:
    """What no other rule knows."""
    after = f" in `{s.statement}`" if s.keyword else ""
    if s.at_end or s.found_keyword:
        return s.blame(f"the `{s.statement}` statement is not complete, {s.found}", "complete the statement" + _unless_name(s))
    if s.culprit.kind == "other":
        return s.blame(f"{show(s.culprit.text)} has no meaning here", "take it away; a name with odd characters goes in back-ticks")
    return s.blame(f"{show(s.culprit.text)} does not fit here{after}", "take it away, or begin a new statement with a keyword")


RULES: tuple[Callable[[Situation], Finding | None], ...] = (
    open_quote,
    look_alike,
    star_line_in_bracket,
    empty_index,
    wrong_closer,
    slice_with_ends,
    bracket_in_bracket,
    open_bracket,
    missing_comma,
    odd_label,
    keyword_as_name,
    stray_bracket,
    node_label,
    dangling_sign,
    no_keyword,
    for_head,
    missing_word,
    odd_number,
    missing_name,
    missing_number,
    number_as_name,
    second_else,
    quoted_name,
    misplaced_sign,
    anything_else,
)
