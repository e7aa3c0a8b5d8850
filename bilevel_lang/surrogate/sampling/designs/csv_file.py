"""Samples of the user's own: a CSV file with one column for each input."""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bilevel_lang.errors import Diagnostic, SampleFileError, Source, Span
from bilevel_lang.surrogate.dataset import Floats
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace

MOST_BYTES = 1 << 30
"""A larger file is refused before it is read."""

COMPLAINTS = 20
"""Mistakes that are reported at once, at most."""


@dataclass(frozen=True)
class CsvFile:
    """Points in the order of the file; a run takes as many of its rows as it has samples."""

    text: str
    path: str
    name = "csv"

    @classmethod
    def read(cls, path: Path) -> CsvFile:
        """Read the file's text, not yet its numbers. Raises SampleFileError."""
        try:
            if path.stat().st_size > MOST_BYTES:
                raise SampleFileError(f"{path} is larger than {MOST_BYTES} bytes", "split it")
            return cls(path.read_text(encoding="utf-8-sig"), str(path))
        except OSError as error:
            raise SampleFileError(f"cannot read {path}: {error.strerror}", "look at the path") from error
        except UnicodeDecodeError as error:
            raise SampleFileError(f"{path} is no UTF-8 text (byte {error.start})", "save it as UTF-8") from error

    def key(self) -> dict[str, Any]:
        """A hash of the text."""
        return {"name": self.name, "text": hashlib.sha256(self.text.encode()).hexdigest()}

    def points(self, space: InputSpace, shard: Shard) -> Floats:
        """See :class:`~bilevel_lang.surrogate.sampling.designs.design.Design`. Raises SampleFileError with every mistake."""
        found = self.numbers(space)
        if shard.start + shard.count > len(found):
            raise SampleFileError(f"{self.path} has {len(found)} samples, fewer than asked for", f"ask for {len(found)}")
        return found[shard.start : shard.start + shard.count]

    def numbers(self, space: InputSpace) -> Floats:
        """All samples (k, n), columns in the order of ``space``. Raises SampleFileError with every mistake of the file."""
        return _Reader(self, space).read()


class _Reader:
    """Reads strictly: every input once, every number finite, inside the box, whole where it has to be."""

    def __init__(self, file: CsvFile, space: InputSpace) -> None:
        self.space = space
        self.source = Source(file.path, file.text)
        self.wrong: list[Diagnostic] = []

    def read(self) -> Floats:
        reader = csv.reader(self.source.text.splitlines(), strict=True, skipinitialspace=True)
        rows: list[list[float]] = []
        places: list[int] | None = None
        try:
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if places is None:
                    places = self._header([cell.strip() for cell in cells], reader.line_num)
                    if self.wrong:
                        break
                else:
                    rows.append(self._row(cells, places, reader.line_num))
                if len(self.wrong) >= COMPLAINTS:
                    break
        except csv.Error as error:
            self._say(f"this is no CSV: {error}", "look at the quotes", reader.line_num)
        if not rows and not self.wrong:
            self._say("there is no sample in the file", "write the names of the inputs, then one line for each sample", 1)
        if self.wrong:
            raise SampleFileError(self.wrong)
        return np.array(rows, dtype=float)

    def _header(self, cells: list[str], line: int) -> list[int]:
        """Where in a row each input stands."""
        names = self.space.names
        for name in sorted(set(cells)):
            if cells.count(name) > 1:
                self._say(f"column `{name}` is there twice", "leave one of them", line)
            if name not in names:
                self._say(f"`{name}` is no input", f"the inputs are {', '.join(names)}", line)
        for name in names:
            if name not in cells:
                self._say(f"there is no column for `{name}`", "every input needs a column of its name", line)
        return [cells.index(name) for name in names if name in cells]

    def _row(self, cells: list[str], places: list[int], line: int) -> list[float]:
        width = len(self.space)
        if len(cells) != width:
            self._say(f"{len(cells)} cells for {width} columns", "one number for each column", line)
            return []
        return [self._number(cells[place].strip(), j, line) for j, place in enumerate(places)]

    def _number(self, cell: str, j: int, line: int) -> float:
        space, name = self.space, self.space.names[j]
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self._say(f"`{cell}` is no number, for `{name}`", "write a finite number with a decimal point", line)
        elif not space.lower[j] - 1e-9 <= number <= space.upper[j] + 1e-9:
            self._say(f"{number:g} is outside [{space.lower[j]:g}, {space.upper[j]:g}], the bounds of `{name}`", "", line)
        elif space.integer[j] and abs(number - round(number)) > 1e-9:
            self._say(f"{number:g} is not whole, as `{name}` has to be", "", line)
        return number

    def _say(self, message: str, help: str, line: int) -> None:
        self.wrong.append(Diagnostic(SampleFileError.code, message, help, Span(0, 1, max(1, line), 1), self.source))
