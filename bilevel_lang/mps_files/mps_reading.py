"""An MPS text becomes an instance, or every mistake with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from bilevel_lang.errors import Diagnostic, Source
from bilevel_lang.mps_files.cards import HEADERS, SENSES, Card, Cutter, cards, fixed, free
from bilevel_lang.mps_files.complaints import Complaints
from bilevel_lang.mps_files.draft import DraftInstance
from bilevel_lang.mps_files.instance import MpsInstance
from bilevel_lang.mps_files.matrix_sections import ColumnReader, read_row
from bilevel_lang.mps_files.side_sections import BoundReader, SideReader

REFUSED = {
    **dict.fromkeys(("QUADOBJ", "QMATRIX", "QSECTION", "QCMATRIX", "CSECTION"), "quadratic and conic terms"),
    **dict.fromkeys(("SOS", "SOS1", "SOS2", "SETS"), "special ordered sets"),
    **dict.fromkeys(("INDICATORS", "GENCONS", "PWLOBJ"), "indicator, general and piecewise-linear constraints"),
    **dict.fromkeys(("LAZYCONS", "USERCUTS"), "lazy constraints and user cuts"),
    **dict.fromkeys(("OBJNAME", "OBJECTIVE", "REFROW", "SCENARIOS", "MULTIOBJ"), "the choice among several objectives"),
}
"""Sections that other programs write, and what they are for: a problem without them would be another one."""


def read_mps(text: str, name: str = "<mps>") -> tuple[MpsInstance, tuple[Diagnostic, ...]]:
    """The instance of ``text``, and what is worth knowing; ``name`` is for messages.

    Free format is tried first; a file that cannot be read so, but without any mistake in fixed format, has blanks in its names.
    Raises MpsSyntaxError with all mistakes; RefusedError for what is understood and not carried out.
    """
    source = Source(name, text)
    instance, complaints = _Reader(source, free).read()
    if complaints.errors:
        other, others = _Reader(source, fixed).read()
        if not others.errors:
            others.remark("read in fixed format: its names hold blanks", 1)
            instance, complaints = other, others
    complaints.raise_errors()
    return instance, tuple(complaints.notices)


class _Reader:
    """One pass over the cards of a file."""

    def __init__(self, source: Source, cut: Cutter) -> None:
        self._complaints = Complaints(source)
        self._cut = cut
        self._draft = DraftInstance(self._complaints)
        self._columns = ColumnReader(self._draft)
        self._readers = {
            "ROWS": lambda card: read_row(card, self._draft),
            "COLUMNS": self._columns.read,
            "RHS": SideReader(self._draft, is_range=False).read,
            "RANGES": SideReader(self._draft, is_range=True).read,
            "BOUNDS": BoundReader(self._draft).read,
            "OBJSENSE": self._sense,
        }
        self._met: list[str] = []
        self._section = ""

    def read(self) -> tuple[MpsInstance, Complaints]:
        self._take(cards(self._complaints.lines, self._cut))
        self._check_sections()
        self._columns.close()
        return self._draft.finished(), self._complaints

    def _take(self, found: Iterable[Card]) -> None:
        for card in found:
            if self._section == "ENDATA":
                self._complaints.error("text after ENDATA", card.line, help="one file holds one problem")
                return
            if card.header is not None:
                self._open(card)
            elif card.misfit:
                self._complaints.error(card.misfit, card.line)
            elif self._section in self._readers:
                self._readers[self._section](card)
            elif self._section in ("", "NAME"):
                self._complaints.error("a data line before any section", card.line, help="section names begin in column 1")

    def _open(self, card: Card) -> None:
        header = self._section = card.header or ""
        if header in REFUSED:
            help = f"{REFUSED[header]} are not carried out"
            self._complaints.error(f"section {header} cannot be left out", card.line, header, help, code="R1")
        elif header not in HEADERS:
            close = difflib.get_close_matches(header.upper(), HEADERS, 1)
            help = f"did you mean {close[0]}? " if close else ""
            help += "data lines begin with a blank, sections are " + ", ".join(HEADERS)
            self._complaints.error(f"`{header}` is no section", card.line, header, help)
        elif header in self._met:
            self._complaints.error(f"section {header} comes a second time", card.line, header)
        elif header in ("COLUMNS", "RHS", "RANGES", "BOUNDS"):
            self._after({"COLUMNS": "ROWS"}.get(header, "COLUMNS"), card)
        self._met.append(header)
        if header == "NAME":
            self._draft.name = " ".join(card.fields[0].split())
        elif header == "OBJSENSE" and card.fields:
            self._sense(card)
        elif card.fields:
            self._complaints.error(f"text behind the section name {header}", card.line, help="data lines begin with a blank")

    def _after(self, needed: str, card: Card) -> None:
        if needed not in self._met:
            self._complaints.error(f"section {card.header} comes before {needed}", card.line, card.header or "")

    def _sense(self, card: Card) -> None:
        word = card.fields[0].upper()
        if len(card.fields) != 1 or word not in SENSES:
            self._complaints.error(f"`{' '.join(card.fields)}` is no sense", card.line, card.fields[0], "MIN or MAX")
        else:
            self._draft.sense = SENSES[word]

    def _check_sections(self) -> None:
        last = max(1, len(self._complaints.lines))
        for needed in ("ROWS", "COLUMNS", "ENDATA"):
            if needed not in self._met:
                help = "the file seems to be cut off" if needed == "ENDATA" else ""
                self._complaints.error(f"there is no section {needed}", last, help=help)
        if "ROWS" in self._met and self._draft.objective is None:
            self._complaints.error("there is no N row, the objective", last, help="add ` N  obj` under ROWS")
