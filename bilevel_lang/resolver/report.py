"""Collects every finding of a resolve, so that the user sees all mistakes at once."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from bilevel_lang.errors import Diagnostic, ResolutionError, Severity, Source, Span

# The names within a message; what is left is the kind of mistake.
NAMED = re.compile(r"`[^`]*`|\d+")

Kind = tuple[str, Severity, str, int]


class Report:
    """A growing list of diagnostics about one annotation.

    A mistake of one kind at one place is shown once, with the number of its repetitions: a slip inside ``for s in S`` comes back
    for every member, and a symbol listed twice for every element, yet it is one slip.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._found: dict[Kind, Diagnostic] = {}
        self._seen: Counter[Kind] = Counter()
        self._said: set[tuple[str, str, int]] = set()

    def error(self, code: str, message: str, span: Span | None, help: str = "") -> None:
        """Note a mistake; :meth:`raise_errors` raises them together."""
        self._add(code, message, span, help, "error")

    def warning(self, code: str, message: str, span: Span | None, help: str = "") -> None:
        """Note something that is probably not meant (an error under ``--strict``)."""
        self._add(code, message, span, help, "warning")

    def notice(self, code: str, message: str, span: Span | None = None, help: str = "") -> None:
        """Note something the user may want to know."""
        self._add(code, message, span, help, "notice")

    def absorb(self, other: Report) -> None:
        """Take over what was found in another text that this one names, such as a table; it keeps its own places, of what is said
        more than once the first."""
        for diagnostic in other.diagnostics:
            kind = (f"{diagnostic.code} {other.source.name}", diagnostic.severity, diagnostic.message, -1)
            self._found.setdefault(kind, diagnostic)
            self._seen[kind] += 1

    @property
    def has_errors(self) -> bool:
        """Whether something was found that stops the resolve."""
        return any(d.severity == "error" for d in self._found.values())

    @property
    def error_count(self) -> int:
        """How many kinds of mistakes were found so far."""
        return sum(d.severity == "error" for d in self._found.values())

    def has_error_at(self, code: str, span: Span) -> bool:
        """Whether an error of this class is noted at this place: a costly hint need not be worked out again."""
        return any(k[0] == code and k[1] == "error" and k[3] == span.start for k in self._found)

    def raise_errors(self, strict: bool = False) -> None:
        """Raise ResolutionError with every error (and, where ``strict``, every warning), in the order of the file."""
        grave = [d for d in self.diagnostics if d.severity == "error" or (strict and d.severity == "warning")]
        if grave:
            raise ResolutionError(sorted(grave, key=lambda d: d.span.start if d.span and d.source is self.source else -1))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found, in the order in which it came up."""
        return tuple(_counted(d, self._seen[kind]) for kind, d in self._found.items())

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        """The warnings and notices, in the order in which they came up."""
        return tuple(d for d in self.diagnostics if d.severity != "error")

    def _add(self, code: str, message: str, span: Span | None, help: str, severity: Severity) -> None:
        place = span.start if span else -1
        if (code, message, place) in self._said:
            return
        self._said.add((code, message, place))
        # Without a place nothing says that two messages of one kind are the same slip.
        kind = (code, severity, NAMED.sub("", message) if span else message, place)
        self._seen[kind] += 1
        if kind not in self._found:
            source = self.source if span is not None else None
            self._found[kind] = Diagnostic(code, message, help, span, source, severity)


def _counted(diagnostic: Diagnostic, times: int) -> Diagnostic:
    if times == 1:
        return diagnostic
    return replace(diagnostic, message=f"{diagnostic.message} (and {times - 1} more like this)")
