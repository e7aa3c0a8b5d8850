"""Collects every finding of a resolve, so that the user sees all mistakes at once."""

from __future__ import annotations

from collections import Counter

from bilevel_lang.errors import Diagnostic, ResolutionError, Severity, Source, Span

# A mistake inside `for s in S:` comes once per member; the first ones tell the story.
REPEATS_SHOWN = 3


class Report:
    """A growing list of diagnostics about one annotation."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self._seen: Counter[tuple[str, int]] = Counter()
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

    def raise_errors(self, strict: bool = False) -> None:
        """Raise ResolutionError with every error (and, where ``strict``, every warning), in the order of the file."""
        grave = [d for d in self.diagnostics if d.severity == "error" or (strict and d.severity == "warning")]
        if grave:
            raise ResolutionError(sorted(grave, key=lambda d: d.span.start if d.span else -1))

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        """The warnings and notices, in the order in which they came up."""
        return tuple(d for d in self.diagnostics if d.severity != "error")

    def _add(self, code: str, message: str, span: Span | None, help: str, severity: Severity) -> None:
        place = span.start if span else -1
        if (code, message, place) in self._said:
            return
        self._said.add((code, message, place))
        self._seen[code, place] += 1
        if span is not None and self._seen[code, place] > REPEATS_SHOWN:
            return
        source = self.source if span is not None else None
        self.diagnostics.append(Diagnostic(code, message, help, span, source, severity))
