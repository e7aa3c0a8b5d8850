"""The time file of SMPS: where the second stage begins (implicit form; Birge et al. 1987, Gassmann 2005)."""

from __future__ import annotations

from dataclasses import dataclass, field

from bilevel_lang.errors import Source, Span
from bilevel_lang.mps_files.cards import Card, Cutter, cards
from bilevel_lang.mps_files.complaints import Complaints
from bilevel_lang.mps_files.instance import MpsInstance
from bilevel_lang.smps_files.words import at_blanks, at_columns

WORDS = ("", "IMPLICIT", "LP", "IP", "MIP", "NLP")
"""What may stand behind PERIODS; only the order of the core's columns and rows counts."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The names of the two periods; columns and rows from these places (from 0, in the core's order) on are of the second.

    ``span`` of ``source`` is the line of the second period.
    """

    periods: tuple[str, str]
    column: int
    row: int
    span: Span | None = field(default=None, compare=False)
    source: Source | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class _Period:
    line: int
    column: str
    row: str
    name: str


def read_timing(text: str, name: str, core: MpsInstance) -> Timing:
    """The stages of ``text``; ``name`` is for messages. Raises MpsSyntaxError with all mistakes, RefusedError for other than
    two."""
    source = Source(name, text)
    complaints, found = _read(source, core, at_blanks)
    if complaints.errors:  # names with blanks: as in cores
        others, again = _read(source, core, at_columns)
        if not others.errors:
            complaints, found = others, again
    complaints.raise_errors()
    first, second = found
    columns, rows = _places(core)
    periods = (first.name, second.name)
    return Timing(periods, columns[second.column], rows[second.row], complaints.place(second.line), source)


def _read(source: Source, core: MpsInstance, cut: Cutter) -> tuple[Complaints, list[_Period]]:
    complaints = Complaints(source)
    found = _periods(complaints, cut)
    if len(found) != 2 and not complaints.errors:
        line = found[2].line if len(found) > 2 else max(1, len(complaints.lines))
        said = f"the file has {len(found)} periods: two are carried out"
        complaints.error(said, line, help="stages after the second may be joined to it", code="R1")
    _check_names(found, core, complaints)
    if not complaints.errors:
        _check_order(found[0], found[1], core, complaints)
    return complaints, found


def _periods(complaints: Complaints, cut: Cutter) -> list[_Period]:
    found: list[_Period] = []
    section = ""
    for card in cards(complaints.lines, cut):
        if section == "ENDATA":
            complaints.error("text after ENDATA", card.line, help="a time file ends there")
            break
        if card.header is not None:
            section = card.header.upper()
            _check_header(section, card, complaints)
        elif section not in ("TIME", "PERIODS", ""):
            continue  # of a section that is none, which was told
        elif section != "PERIODS":
            complaints.error("a data line outside PERIODS", card.line, help="periods stand behind a line `PERIODS`")
        elif card.misfit or len(card.fields) != 3:
            said = "a period has its first column, its first row and a name"
            complaints.error(said, card.line, help="such as `    y1  c2  STAGE2`")
        else:
            found.append(_Period(card.line, *card.fields))
    if section != "ENDATA":
        complaints.error("there is no section ENDATA", max(1, len(complaints.lines)), help="the file seems to be cut off")
    return found


def _check_header(section: str, card: Card, complaints: Complaints) -> None:
    word = card.fields[0] if card.fields else ""
    if section == "PERIODS" and word.upper() not in WORDS:
        help = "the form that is read has a line for each period: its first column, its first row, its name"
        complaints.error(f"PERIODS {word} is not carried out", card.line, word, help, code="R1")
    elif section not in ("TIME", "PERIODS", "ENDATA"):
        said, help = f"`{card.header}` is no section of a time file", "sections are TIME, PERIODS, ENDATA"
        complaints.error(said, card.line, card.header or "", help)


def _places(core: MpsInstance) -> tuple[dict[str, int], dict[str, int]]:
    return {c.name: k for k, c in enumerate(core.columns)}, {r.name: k for k, r in enumerate(core.rows)}


def _check_names(found: list[_Period], core: MpsInstance, complaints: Complaints) -> None:
    columns, rows = _places(core)
    for number, period in enumerate(found):
        if period.column not in columns:
            said = f"the core has no column `{period.column}`"
            complaints.error(
                said, period.line, period.column, complaints.near(period.column, columns) or "name it as the core does"
            )
        if period.row not in rows and (number or period.row != core.objective):  # the first period may begin with the objective
            said = f"the core has no row `{period.row}`"
            complaints.error(said, period.line, period.row, complaints.near(period.row, rows) or "name it as the core does")
        if any(period.name == other.name for other in found[:number]):
            said, help = f"a second period is called `{period.name}`", "give each period its own name"
            complaints.error(said, period.line, period.name, help)


def _check_order(first: _Period, second: _Period, core: MpsInstance, complaints: Complaints) -> None:
    columns, rows = _places(core)
    opening = rows.get(first.row, 0)
    if columns[first.column] > 0:
        said = f"column `{core.columns[0].name}` of the core stands before the first period, which begins at `{first.column}`"
        complaints.error(said, first.line, first.column, "the first period begins at the first column of the core")
    if opening > 0 and rows[second.row] >= opening:
        said = f"row `{core.rows[0].name}` of the core stands before the first period, which begins at `{first.row}`"
        complaints.error(said, first.line, first.row, "the first period begins at the first row of the core, or its objective")
    if columns[second.column] <= columns[first.column]:
        help = "the periods stand in their order, and so do the columns and rows of the core"
        said = f"the second period begins at column `{second.column}`, not after the first one's `{first.column}`"
        complaints.error(said, second.line, second.column, help)
    if rows[second.row] < opening:
        said = f"the second period begins at row `{second.row}`, before the first one's `{first.row}`"
        complaints.error(said, second.line, second.row, "the rows of the core stand in the order of the periods")
