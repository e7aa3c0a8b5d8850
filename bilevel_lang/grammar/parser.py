"""Text to syntax tree. Whatever the text is, the only exception is :class:`EmpSyntaxError`, with every mistake in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast

from bilevel_lang.errors import Diagnostic, EmpSyntaxError, Source
from bilevel_lang.grammar.mistakes import MAX_CHARACTERS, MAX_TOKENS, TooManyWords, explain, too_long, too_many_words
from bilevel_lang.grammar.scanner import STATEMENT_TERMINALS, blank_out, plain_lines
from bilevel_lang.grammar.syntax import EmpInfo, Statement

if TYPE_CHECKING:
    from lark import Lark, Token

MAX_MISTAKES = 20

_HOME = {
    "ABS": "ADJUSTEQU",
    "MAXZ": "ADJUSTEQU",
    "SQR": "ADJUSTEQU",
    "DISCRETE": "JRANDVAR",
    "ELSE": "DISJUNCTION",
    "ELSEIF": "DISJUNCTION",
}


def parse(text: str, name: str = "<annotation>") -> EmpInfo:
    """The syntax tree of ``text``; ``name`` is what messages call it, usually a path.

    Raises :class:`EmpSyntaxError` with all mistakes (at most ``MAX_MISTAKES``) if the text is not in the language.
    """
    source = Source(name, plain_lines(text))
    if len(source.text) > MAX_CHARACTERS:
        raise EmpSyntaxError(too_long(source))
    read = _read(source, source.text)
    if isinstance(read, Mistake):
        raise EmpSyntaxError(_mistakes(source, read))
    return EmpInfo(read, source)


@dataclass(frozen=True, slots=True)
class Mistake:
    """The first mistake of a text, and the offset at which reading can go on."""

    diagnostic: Diagnostic
    resume: int


def _read(source: Source, text: str) -> tuple[Statement, ...] | Mistake:
    """The statements of ``text``, which is the text of ``source`` or what is left of it after a mistake."""
    from lark.exceptions import UnexpectedInput

    try:
        return cast("tuple[Statement, ...]", _lark().parse(text))
    except TooManyWords:
        return Mistake(too_many_words(source), len(text))
    except UnexpectedInput as error:
        return Mistake(*explain(source, text, error))


def _mistakes(source: Source, first: Mistake) -> Iterator[Diagnostic]:
    """Every mistake: after each one, reading goes on at the next statement, with what came before made blank."""
    read: tuple[Statement, ...] | Mistake = first
    text = source.text
    for _ in range(MAX_MISTAKES):
        if not isinstance(read, Mistake):
            return
        yield read.diagnostic
        text = blank_out(text, read.resume)
        read = _read(source, text)


def tokens(text: str) -> list[Token]:
    """The words of an annotation that ``parse`` has accepted, as the grammar sees them: without noise and comments."""
    return _lark().parse_interactive(text).exhaust_lexer()


@cache
def _lark() -> Lark:
    """The parser, built when it is first needed and kept."""
    from lark import Lark

    from bilevel_lang.grammar.builder import TreeBuilder

    grammar = files("bilevel_lang.grammar").joinpath("emp.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", postlex=WordFilter(), transformer=TreeBuilder())


class WordFilter:
    """What happens to words between lexer and grammar: noise goes, and words far from their statement become names."""

    always_accept = ("COMMA", "NOISE", *STATEMENT_TERMINALS)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens of ``stream`` that the grammar is to see; raises :class:`TooManyWords` past ``MAX_TOKENS``."""
        depth, statement = 0, ""
        for count, token in enumerate(stream):
            if count >= MAX_TOKENS:
                raise TooManyWords
            depth += (token.type in ("LPAR", "LSQB")) - (token.type in ("RPAR", "RSQB"))
            if depth == 0 and token.type in ("COMMA", "NOISE"):
                continue
            if token.type in STATEMENT_TERMINALS:
                statement = token.type
            elif _HOME.get(token.type, statement) != statement:
                token = token.update(type="NAME")
            yield token
