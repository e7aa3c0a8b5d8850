"""What is wrong with a file, collected with its places; and the numbers of a file, read strictly."""

from __future__ import annotations

import difflib
import functools
import itertools
import math
import re
from collections.abc import Iterable

from bilevel_lang.errors import BilevelError, Diagnostic, MpsSyntaxError, RefusedError, ResolutionError, Severity, Source, Span

SHOWN = 20
"""Mistakes of one file that are shown; one missing section may cause thousands."""

LARGEST = 1e20
"""From here on a bound means: none (the same line as in solvers)."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITY = re.compile(r"([+-]?)inf(?:inity)?", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")


@functools.lru_cache(maxsize=4096)
def number(field: str) -> float | None:
    """A finite number, or None. Nothing that only Python takes for a number, such as ``1_000`` or ``nan``.

    Large files repeat a few numbers, which are read once.
    """
    if not _NUMBER.fullmatch(field):
        return None
    value = float(field)
    return value if math.isfinite(value) else None


def bound_value(field: str) -> float | None:
    """The value of a bound: a number, an infinity from 1e20 on or written as ``inf``; None for anything else."""
    infinite = _INFINITY.fullmatch(field)
    if infinite:
        return -math.inf if infinite[1] == "-" else math.inf
    if not _NUMBER.fullmatch(field):
        return None
    value = float(field)
    return math.copysign(math.inf, value) if abs(value) >= LARGEST else value


def whole(field: str) -> int | None:
    """A whole number, or None."""
    return int(field) if _WHOLE.fullmatch(field) else None


def near(name: str, known: Iterable[str]) -> str:
    """A mend that tells what is spelled nearly so, or nothing. Only the first thousands are looked at: the search is slow."""
    found = difflib.get_close_matches(name, list(itertools.islice(known, 2000)), 1)
    return f"did you mean `{found[0]}`?" if found else ""


class Complaints:
    """Collects the findings about one file; ``S2`` is syntax, ``R1`` what is not carried out, ``E25`` files that do not fit."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.splitlines()
        self.errors: list[Diagnostic] = []
        self.notices: list[Diagnostic] = []
        self._more = 0
        self._codes: set[str] = set()
        self._starts = [0, *itertools.accumulate(len(line) + 1 for line in self.lines)]

    def error(self, message: str, line: int, field: str = "", help: str = "", code: str = "S2") -> None:
        """A mistake at the last place where ``field`` is a word of line ``line`` (from 1), or on the whole line.

        ``errors`` holds as many as are shown, the others are counted: a wrong word may stand in every line of a large file.
        """
        self._codes.add(code)
        if len(self.errors) < SHOWN:
            self.errors.append(self._finding(code, message, line, field, help, "error"))
        else:
            self._more += 1

    def near(self, name: str, known: Iterable[str]) -> str:
        """:func:`near` for a mistake that will be shown; nothing for others."""
        return near(name, known) if len(self.errors) < SHOWN else ""

    def remark(self, message: str, line: int, field: str = "", help: str = "") -> None:
        """What is worth knowing, and no mistake."""
        self.notices.append(self._finding("S2", message, line, field, help, "notice"))

    def doubt(self, message: str, line: int, field: str = "", help: str = "") -> None:
        """What makes it doubtful that the files belong together: an error under ``--strict``."""
        self.notices.append(self._finding("E25", message, line, field, help, "warning"))

    def raise_errors(self) -> None:
        """MpsSyntaxError, RefusedError or ResolutionError with all mistakes, if there are any."""
        if not self.errors:
            return
        kind: type[BilevelError] = RefusedError if "R1" in self._codes else ResolutionError
        shown = self.errors
        if self._more:
            shown = [*shown, Diagnostic(shown[-1].code, f"{self.source.name}: {self._more} more mistakes are not shown")]
        raise (MpsSyntaxError if "S2" in self._codes else kind)(shown)

    def _finding(self, code: str, message: str, line: int, field: str, help: str, severity: Severity) -> Diagnostic:
        return Diagnostic(code, message, help, self.place(line, field), self.source, severity)

    def place(self, line: int, field: str = "") -> Span:
        """Where a message about ``field`` of line ``line`` (from 1) points; without a field at the whole line."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        found = [m.start() for m in re.finditer(rf"(?<!\S){re.escape(field)}(?!\S)", text)] if field else []
        column = found[-1] if found else len(text) - len(text.lstrip())
        width = len(field) if found else len(text.strip())
        start = self._starts[min(line - 1, len(self.lines))] + column
        return Span(start, start + max(1, width), line, column + 1)
