"""What can go wrong, where it went wrong, and how to mend it.

The exception tree (every leaf has a documented exit code, see ``docs/exit-codes.md``)::

    BilevelError
     +-- UsageError            2   the call itself makes no sense
     +-- EmpSyntaxError        2   the annotation cannot be read
     +-- MpsSyntaxError        2   an MPS or .aux file cannot be read
     +-- ModelFileError        3   the user's model raised, or holds no model
     +-- OnnxFileError         3   an ONNX file is damaged, or holds what cannot be embedded
     +-- ResolutionError       3   model and annotation do not fit
     +-- RefusedError          3   no method, or not the wanted one, takes this problem
     +-- SampleFileError       3   a file of samples is damaged, or belongs to another problem
     +-- SolverFailedError     5   the solver broke down
     +-- SolverMissingError    6   a solver or its licence is missing

A :class:`Diagnostic` is one fact with its place and its mend; an error carries one or several.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text: offsets ``start`` (inclusive) to ``end`` (exclusive), place of ``start``.

    ``line`` and ``column`` count from 1, as editors do.
    """

    start: int
    end: int
    line: int
    column: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of ``other``."""
        return Span(self.start, max(self.end, other.end), self.line, self.column)


@dataclass(frozen=True, slots=True)
class Source:
    """A text and the name that messages give it (a path, or ``<annotation>``)."""

    name: str
    text: str

    def line(self, number: int) -> str:
        """Line ``number`` (from 1) without its line end; empty past the end of the text."""
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""


WINDOW = 160
"""Characters of a long line that an excerpt shows."""


def _printable(text: str) -> str:
    """Control characters as a visible stand-in: an excerpt must not move the cursor of a terminal."""
    return "".join(ch if ch.isprintable() or ch == "\t" else "\N{REPLACEMENT CHARACTER}" for ch in text)


def _window(text: str, column: int) -> tuple[str, int]:
    """The part of a long line around ``column`` (from 1), and the column within it."""
    if len(text) <= WINDOW:
        return text, column
    start = max(0, min(column - 1 - WINDOW // 2, len(text) - WINDOW))
    before, after = ("..." if start else ""), ("..." if start + WINDOW < len(text) else "")
    return before + text[start : start + WINDOW] + after, column - start + len(before)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: what, where, and what to do about it.

    ``code`` is ``E1`` ... ``E28`` for the classes of ``docs/errors.md``, ``S1`` and ``S2`` for syntax, ``U1`` usage,
    ``M1`` the user's model, ``O1`` an ONNX file, ``R1`` a refused method, ``F1`` a file of samples, ``X1`` a solver.
    """

    code: str
    message: str
    help: str = ""
    span: Span | None = None
    source: Source | None = None
    severity: Severity = "error"

    @property
    def place(self) -> str:
        """``file:line:column``, or as much of it as is known."""
        parts = [self.source.name] if self.source else []
        if self.span:
            parts += [str(self.span.line), str(self.span.column)]
        return ":".join(parts)

    def render(self) -> str:
        """The message as a user reads it: place, fact, line with caret, mend."""
        lines = [f"{self.place}: {self._label()}" if self.place else self._label()]
        lines += self._excerpt()
        if self.help:
            lines.append(f"help: {self.help}")
        return "\n".join(lines)

    def _label(self) -> str:
        return f"{self.severity}[{self.code}]: {self.message}"

    def _excerpt(self) -> list[str]:
        if not (self.span and self.source):
            return []
        text, column = _window(_printable(self.source.line(self.span.line)), self.span.column)
        # A tab under a tab keeps the caret below its letter whatever the tab width.
        pad = "".join("\t" if ch == "\t" else " " for ch in text[: column - 1])
        width = max(1, min(self.span.end - self.span.start, len(text) - column + 1))
        gutter = f"{self.span.line:>5} | "
        return [gutter + text, " " * (len(gutter) - 2) + "| " + pad + "^" * width]


class BilevelError(Exception):
    """Base of all errors that are the input's or the machine's fault. By itself, in an error object, it is a bug of ours."""

    exit_code = 1
    code = "B1"

    def __init__(self, diagnostics: str | Diagnostic | Iterable[Diagnostic], help: str = "") -> None:
        if isinstance(diagnostics, str):
            diagnostics = Diagnostic(self.code, diagnostics, help)
        if isinstance(diagnostics, Diagnostic):
            diagnostics = (diagnostics,)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(render_all(self.diagnostics))


class UsageError(BilevelError):
    """The call makes no sense: unknown option, missing file, argument of the wrong kind."""

    exit_code = 2
    code = "U1"


class EmpSyntaxError(BilevelError):
    """The annotation is not in the EMP language; carries every mistake found."""

    exit_code = 2
    code = "S1"


class MpsSyntaxError(BilevelError):
    """An MPS file or its ``.aux`` file is not in its format; carries every mistake found."""

    exit_code = 2
    code = "S2"


class ModelFileError(BilevelError):
    """The user's model file raised, or holds no Pyomo model."""

    exit_code = 3
    code = "M1"


class OnnxFileError(BilevelError):
    """An ONNX file is damaged, refers to other files, or holds an operator or a number that cannot be embedded."""

    exit_code = 3
    code = "O1"


class ResolutionError(BilevelError):
    """The annotation does not fit the model; carries every mistake found."""

    exit_code = 3
    code = "E1"


class RefusedError(BilevelError):
    """No registered method takes this problem, or the one asked for does not."""

    exit_code = 3
    code = "R1"


class SampleFileError(BilevelError):
    """A file of samples is damaged, belongs to another problem or another run, or holds what is no sample."""

    exit_code = 3
    code = "F1"


class SolverFailedError(BilevelError):
    """A solver stopped without an answer for a reason of its own."""

    exit_code = 5
    code = "X2"


class SolverMissingError(BilevelError):
    """A solver, or a licence for it, is not installed."""

    exit_code = 6
    code = "X1"


def render_all(diagnostics: Sequence[Diagnostic]) -> str:
    """All messages, each as :meth:`Diagnostic.render` gives it, with a blank line between."""
    return "\n\n".join(d.render() for d in diagnostics)
