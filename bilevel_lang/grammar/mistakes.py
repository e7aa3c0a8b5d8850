"""From the place where parsing stopped to a message: what is wrong, where exactly, and how to mend it.

``RULES`` is the table: each rule looks at the :class:`Situation` and answers with a :class:`Finding` or None; the first
answer counts. To teach the parser a new message, add a function to the table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import takewhile
from typing import TYPE_CHECKING

from bilevel_lang.errors import Diagnostic, Source, Span
from bilevel_lang.grammar.bracket_mistakes import INSIDE_BRACKETS, stray_bracket
from bilevel_lang.grammar.scanner import STATEMENT_KEYWORDS, Piece, is_keyword, next_keyword, pieces
from bilevel_lang.grammar.situation import Finding, Rule, Situation, show, situation_of, ticked

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
    situation = situation_of(text, error)
    finding = next(found for rule in RULES if (found := rule(situation)))
    diagnostic = Diagnostic("S1", finding.message, finding.help, _span(text, finding.start, finding.end), source)
    if situation.found_keyword:
        return diagnostic, situation.at
    return diagnostic, next_keyword(text, min(situation.at + 1, len(text)), depth=int(situation.bracket is not None))


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
    word = s.culprit.text
    if s.keyword is None:
        message = f"expected a keyword such as `bilevel`, `min` or `equilibrium`, {s.found}"
        return s.blame(message, _meant(word) or f"every statement begins with its keyword: put it before {show(word)}")
    if s.statement == "equilibrium":
        mend = _meant(word) or "list variables and rows with the agents: `min obj x row`"
        return s.blame(f"`equilibrium` stands alone, {s.found} after it", mend)
    message = f"the `{s.statement}` statement is complete, {s.found} after it"
    return s.blame(message, _meant(word) or f"take {show(word)} away, or begin a new statement with a keyword")


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
    near = [_SYNONYMS[lower]] if lower in _SYNONYMS else get_close_matches(lower, STATEMENT_KEYWORDS, 1, 0.65)
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
        mend = "write `chull`, `bigm` or `indic`" + _unless_name(s)
        return s.blame(f"expected a reformulation after `default`, {s.found}", mend)
    if s.statement == "scenarios":
        mend = "write its name in quotes: scenarios 'demand.csv'"
        return s.blame(f"expected the file of the scenarios, {s.found}", mend + _unless_name(s))
    if s.statement == "modeltype":
        mend = "write it after `modeltype`: `modeltype mcp`" + _unless_name(s)
        return s.blame(f"expected the type of the model, {s.found}", mend)
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
    "disjunction": ("an indicator variable or `*`", "write what switches these rows on: `disjunction b row1 else row2`"),
    "randvar": ("the parameter that is random", "write `randvar d normal 45 10`"),
    "jrandvar": ("two or more parameters", "write `jrandvar d r 0.5 10 1 0.5 20 2`; one parameter takes `randvar`"),
    "correlation": ("two parameters", "write `correlation d r 0.3`"),
    "chance": ("the rows that hold with a probability", "write `chance row 0.95`"),
    "expectedvalue": ("a variable after `expectedvalue`", "write `expectedvalue r`"),
    "expected_value": ("a variable after `expected_value`", "write `expected_value r`"),
    **{kind: (f"a variable after `{kind}`", f"write `{kind} r 0.1`") for kind in ("cvarlo", "cvarup", "varlo", "varup")},
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
    if s.keyword and s.before.start == s.keyword.start and _starts_inside_line(s.text, s.keyword.start):
        return f"; {_as_name(s.keyword.text)}"
    if s.found_keyword and not s.first_on_line:
        return f"; {_as_name(s.culprit.text)}"
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
    mend = f"if it is an index, write it in brackets: `x({text})`"
    return s.blame(f"`{s.statement}` takes names, found the number `{text}`", mend)


def second_else(s: Situation) -> Finding | None:
    """``else`` or ``elseif`` after the closing ``else``."""
    word = s.culprit.text.lower()
    if s.statement != "disjunction" or word not in ("else", "elseif"):
        return None
    mend = "`else` comes last: move this branch before it"
    if word == "else":
        mend = "there is one `else`, and it comes last; the branches before it are written `elseif b row`"
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
    if not mend or (s.culprit.kind in _WORDS and s.culprit.kind != "number"):
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
        mend = "take it away" + ("; a name with odd characters goes in back-ticks" if s.culprit.text.isprintable() else "")
        return s.blame(f"{show(s.culprit.text)} has no meaning here", mend)
    return s.blame(f"{show(s.culprit.text)} does not fit here{after}", "take it away, or begin a new statement with a keyword")


RULES: tuple[Rule, ...] = (
    open_quote,
    look_alike,
    *INSIDE_BRACKETS,
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
