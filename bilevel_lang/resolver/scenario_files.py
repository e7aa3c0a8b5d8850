"""``scenarios 'file.csv'``: a table with one scenario in each row.

The first line names the columns: parameters as they are written in an annotation (in quotes where they hold commas), and, if
wanted, ``probability`` and ``scenario`` (a name). Without probabilities all scenarios are equally likely.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pyomo.environ import Param

from bilevel_lang.errors import BilevelError, Source, Span
from bilevel_lang.grammar.leaves import NOWHERE, Reference
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.random_syntax import Scenarios, Stage
from bilevel_lang.resolver.names import Found, Names
from bilevel_lang.resolver.report import Report
from bilevel_lang.uncertainty.laws import Floats
from bilevel_lang.uncertainty.scenario_set import wrong_probability

LARGEST_FILE = 500_000_000
"""Bytes."""


@dataclass(frozen=True, eq=False)
class ScenarioTable:
    """``parameters`` (K) are ParamData, ``values`` (S, K), ``probabilities`` (S,); ``names`` empty where the file has none."""

    parameters: tuple[Any, ...]
    values: Floats
    probabilities: Floats
    names: tuple[str, ...]


Mutable = Callable[[Found, Report], "list[Any]"]


def read_table(statement: Scenarios, report: Report, model: Any, mutable: Mutable) -> ScenarioTable | None:
    """The table of the file, or None after mistakes (E26) were reported, each with its place in the file.

    The file has to lie in the folder of the annotation or below it. ``mutable`` gives the parameters that a name stands for.
    """
    path = _inside(statement, report)
    if path is None:
        return None
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise OSError(f"it is larger than {LARGEST_FILE:,} bytes")
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        said = error.strerror or str(error)
        report.error(
            "E26", f"cannot read `{statement.file}`: {said}", statement.span, "the name counts from the annotation's folder"
        )
        return None
    except UnicodeDecodeError as error:
        report.error("E26", f"`{statement.file}` is not UTF-8 text (byte {error.start})", statement.span, "save it as UTF-8")
        return None
    found = Report(Source(str(path), text))
    table = _Table(found, model, mutable).read(text)
    report.absorb(found)
    return None if found.has_errors else table


def _inside(statement: Scenarios, report: Report) -> Path | None:
    """The file's path, if it stays in the folder of the annotation by whatever links."""
    folder = Path(report.source.name).parent if report.source.name[:1] != "<" else Path()
    path = folder / statement.file
    if "\0" in statement.file:
        report.error("E26", "a file's name cannot hold a NUL character", statement.span, "write the name of a file")
        return None
    if Path(statement.file).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        help = "put the file beside the annotation, or in a folder below it"
        report.error("E26", f"`{statement.file}` leaves the annotation's folder", statement.span, help)
        return None
    return path


class _Table:
    """One pass over the lines of a file."""

    def __init__(self, report: Report, model: Any, mutable: Mutable) -> None:
        self._report, self._model, self._mutable = report, model, mutable
        self._names = Names(model, report)
        self._seen: set[str] = set()

    def read(self, text: str) -> ScenarioTable | None:
        reader = csv.reader(io.StringIO(text), skipinitialspace=True)
        self._lines = text.split("\n")
        header: list[str] | None = None
        numbers: list[list[float]] = []
        names: list[str] = []
        places: list[int] = []
        for row in self._rows(reader):
            if not any(field.strip() for field in row):
                continue
            if header is None:
                if self._other_separator(row, reader.line_num):
                    return None
                header, columns = row, self._header(row, reader.line_num)
                continue
            if len(row) != len(header):
                said = f"this line has {len(row)} fields, the first one {len(header)}"
                self._report.error("E26", said, self._span(reader.line_num, row, None), "a row has a field for each column")
                continue
            numbers.append(self._row(row, columns, reader.line_num))
            names += self._name(row, columns, reader.line_num)
            places.append(reader.line_num)
        if header is None or not numbers:
            self._report.error(
                "E26", "the table has no scenario", Span(0, 1, 1, 1), "a line of column names, then a line for each scenario"
            )
            return None
        return self._finished(columns, np.array(numbers), tuple(names), places)

    def _other_separator(self, row: list[str], line: int) -> bool:
        """Whether the first line has semicolons or tabs between its columns. They are not guessed at: with them commas may be
        decimal ones."""
        found = next((s for s in (";", "\t") if s in ",".join(row)), None)
        if found is None:
            return False
        said = f"the columns stand between {'semicolons' if found == ';' else 'tabs'}"
        mend = "save the table with commas between its columns, and numbers with a decimal point"
        self._report.error("E26", said, self._span(line, [], None), mend)
        return True

    def _rows(self, reader: Any) -> Iterator[list[str]]:
        """The rows, up to what is no table."""
        try:
            yield from reader
        except csv.Error as error:
            place = self._span(min(reader.line_num, len(self._lines)), [], None)
            self._report.error("E26", f"this is no table: {error}", place, "numbers with commas between them")

    def _finished(self, columns: list[Any], values: Floats, names: tuple[str, ...], places: list[int]) -> ScenarioTable | None:
        kinds = [c for c in columns if c != "scenario"]
        parameters = tuple(data for c in kinds if isinstance(c, list) for data in c)
        at = kinds.index("probability") if "probability" in kinds else None
        if self._report.has_errors:
            return None
        if not parameters:
            self._report.error("E26", "no column is a parameter", Span(0, 1, 1, 1), "name the columns as in an annotation")
            return None
        probabilities = np.full(len(values), 1.0 / len(values)) if at is None else values[:, at]
        wrong = wrong_probability(probabilities)
        if wrong is not None:
            first = int(np.argmin(probabilities)) if (probabilities < 0).any() else 0
            self._report.error(
                "E26", wrong, self._span(places[first], [], None), "probabilities are >= 0 and sum to 1 (within 1e-6)"
            )
            return None
        return ScenarioTable(parameters, values if at is None else np.delete(values, at, axis=1), probabilities, names)

    def _header(self, row: list[str], line: int) -> list[Any]:
        """For each column ``probability``, ``scenario``, or the list of its one parameter."""
        columns: list[Any] = []
        for place, field in enumerate(row):
            word = field.strip().lower()
            if word in ("probability", "scenario"):
                if word in columns:
                    self._report.error("E26", f"a second column `{word}`", self._span(line, row, place), "keep one of them")
                self._tell_namesake(field.strip(), self._span(line, row, place))
                columns.append(word)
                continue
            columns.append(self._parameter(field.strip(), self._span(line, row, place)))
        return columns

    def _tell_namesake(self, text: str, span: Span) -> None:
        """The table's own columns go before a parameter that is called alike: it stays as it is in the model."""
        if isinstance(self._model.component(text), Param):
            said = f"this column is the table's own, not the model's parameter `{text}`"
            self._report.warning("E26", said, span, "give the parameter another name, should it be random")

    def _parameter(self, text: str, span: Span) -> list[Any]:
        reference = _reference(text)
        if reference is None:
            help = 'such as `d`, or `"d[1,a]"` in quotes'
            self._report.error("E26", f"`{text}` is no name of a parameter", span, help)
            return []
        found = self._names.find(_placed(reference, span), {})
        elements = [] if found is None else self._mutable(found, self._report)
        if len(elements) > 1:
            said = f"`{text}` has {len(elements)} elements, a column holds one"
            self._report.error("E26", said, span, f"a column for each, such as `{elements[0].name}`")
        return elements[:1]

    def _row(self, row: list[str], columns: list[Any], line: int) -> list[float]:
        found = []
        for place, (field, kind) in enumerate(zip(row, columns, strict=True)):
            if kind == "scenario":
                continue
            try:
                value = float(field) if "_" not in field else np.nan
            except ValueError:
                value = np.nan
            if not np.isfinite(value):
                said = f"`{field.strip()}` is not a finite number" if field.strip() else "a field is empty"
                mend = "write digits with a decimal point, such as 1250.5"
                self._report.error("E26", said, self._span(line, row, place), mend)
            found.append(value)
        return found

    def _name(self, row: list[str], columns: list[Any], line: int) -> list[str]:
        """The scenario's name, where there is a column of names."""
        found = [(place, row[place].strip()) for place, kind in enumerate(columns) if kind == "scenario"]
        for place, name in found:
            if name in self._seen:
                self._report.error(
                    "E26", f"scenario `{name}` comes a second time", self._span(line, row, place), "give each its own name"
                )
            self._seen.add(name)
        return [name for _, name in found]

    def _span(self, line: int, row: list[str], place: int | None) -> Span:
        """The place of one field of a line, or the line."""
        text = self._lines[line - 1]
        start = sum(len(before) + 1 for before in self._lines[: line - 1])
        column, width = 0, len(text)
        if place is not None:
            for number, field in enumerate(row[: place + 1]):
                column = max(column, text.find(field, column))
                width = len(field)
                # Past the field and its comma, so that an equal or empty field after it is looked for behind it.
                column += 0 if number == place else width + 1
        return Span(start + column, start + column + max(1, width), line, column + 1)


def _reference(text: str) -> Reference | None:
    """A column's name, read as an annotation would be."""
    try:
        statements = parse(f"stage 2 {text}", "<column>").statements
    except BilevelError:
        return None
    items = statements[0].items if len(statements) == 1 and isinstance(statements[0], Stage) else ()
    return items[0] if len(items) == 1 and isinstance(items[0], Reference) else None


def _placed(reference: Reference, span: Span) -> Reference:
    segments = tuple(replace(s, span=NOWHERE) for s in reference.segments)
    return replace(reference, segments=segments, span=span)
