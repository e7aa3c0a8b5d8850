"""From the place where parsing stopped to a message: what is wrong, where exactly, and how to mend it.

``RULES`` is the table: each rule looks at the :class:`Situation` and answers with a :class:`Finding` or None; the first
answer counts. To teach the parser a new message, add a function to the module whose kind of mistake it is, and to the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bilevel_lang.errors import Diagnostic, Source, Span
from bilevel_lang.grammar.bracket_mistakes import INSIDE_BRACKETS, stray_bracket
from bilevel_lang.grammar.keyword_mistakes import keyword_as_name, no_keyword, node_label, second_else, unless_name
from bilevel_lang.grammar.missing_words import dangling_sign, for_head, missing_name, missing_number, missing_word
from bilevel_lang.grammar.scanner import next_keyword
from bilevel_lang.grammar.situation import Finding, Rule, Situation, show, situation_of
from bilevel_lang.grammar.stray_characters import look_alike, misplaced_sign, number_as_name, odd_number, open_quote, quoted_name

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


def anything_else(s: Situation) -> Finding:
    """What no other rule knows."""
    after = f" in `{s.statement}`" if s.keyword else ""
    if s.at_end or s.found_keyword:
        return s.blame(f"the `{s.statement}` statement is not complete, {s.found}", "complete the statement" + unless_name(s))
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
