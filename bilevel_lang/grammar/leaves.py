"""What statements are made of: names with their indices, wildcards, numbers; and the base of all statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from bilevel_lang.errors import Span

NOWHERE = Span(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Label:
    """One index position that names an element: ``3``, ``a`` or ``'a b'`` (then ``quote`` is the quote used)."""

    text: str
    quoted: bool = False
    quote: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AnyIndex:
    """``*`` (or ``:``) as one index position: every element there."""

    span: Span = field(default=NOWHERE, compare=False)


Index: TypeAlias = Label | AnyIndex


@dataclass(frozen=True, slots=True)
class Segment:
    """One dotted part of a name with its indices: ``blk[1]`` of ``blk[1].x``. ``indices`` is None without brackets."""

    name: str
    indices: tuple[Index, ...] | None = None
    quoted: bool = field(default=False, compare=False)
    bracket: str = field(default="(", compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name in the model, perhaps flipped by a leading ``-``: ``-blk[1].x(3,'a')``."""

    segments: tuple[Segment, ...]
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A lone ``*``: everything not claimed elsewhere (``docs/language.md`` says precisely what)."""

    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written; ``value`` is its worth."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def value(self) -> float:
        """The number as a float."""
        return float(self.text)


Item: TypeAlias = Reference | Wildcard | Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Base of all statements: ``span`` covers the statement, ``keyword`` its first word."""

    span: Span = field(default=NOWHERE, compare=False)
    keyword: Span = field(default=NOWHERE, compare=False)
