"""The time file of SMPS: where the second stage begins (implicit form; Birge et al. 1987, Gassmann 2005)."""

from __future__ import annotations

from dataclasses import dataclass

from bilevel_lang.errors import Source
from bilevel_lang.mps_files.cards import cards
from bilevel_lang.mps_files.complaints import Complaints, near
from bilevel_lang.mps_files.instance import MpsInstance

WORDS = ("", "IMPLICIT", "LP", "IP", "MIP", "NLP")
"""What may stand behind PERIODS; only the order of the core's columns and rows counts."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The names of the two periods; columns and rows from these places (from 0, in the core's order) on are of the second."""

    periods: tuple[str, str]
    column: int
    row: int


def read_timing(text: str, name: str, core: MpsInstance) -> Timing:
    """The stages of ``text``; ``name`` is for messages. Raises MpsSyntaxError with all mistakes, RefusedError for other than
    two."""
    complaints = Complaints(Source(name, text))
    section = ""
    found: list[tuple[int, str, str, str]] = []
    for card in cards(complaints.lines, lambda _, line: (line.split(), "")):
        if card.header is not None:
            section = card.header.upper()
            if section == "PERIODS" and (card.fields[0].upper() if card.fields else "") not in WORDS:
                help = "the form that is read has a line for each period: its first column, its first row, its name"
                complaints.error(f"PERIODS {card.fields[0]} is not carried out", card.line, card.fields[0], help, code="R1")
            elif section not in ("TIME", "PERIODS", "ENDATA"):
                complaints.error(f"`{card.header}` is no section of a time file", card.line, card.header, "TIME, PERIODS, ENDATA")
        elif section != "PERIODS":
            complaints.error("a data line outside PERIODS", card.line)
        elif len(card.fields) != 3:
            complaints.error(
                "a period has its first column, its first row and a name", card.line, help="such as `    y1  c2  STAGE2`"
            )
        else:
            found.append((card.line, card.fields[0], card.fields[1], card.fields[2]))
    if section != "ENDATA":
        complaints.error("there is no section ENDATA", max(1, len(complaints.lines)), help="the file seems to be cut off")
    if len(found) != 2 and not complaints.errors:
        line = found[2][0] if len(found) > 2 else max(1, len(complaints.lines))
        said = f"the file has {len(found)} periods: two are carried out"
        complaints.error(said, line, help="stages after the second may be joined to it", code="R1")
    columns = {c.name: k for k, c in enumerate(core.columns)}
    rows = {r.name: k for k, r in enumerate(core.rows)}
    for line, column, row, _ in found:
        if column not in columns:
            complaints.error(f"the core has no column `{column}`", line, column, near(column, columns))
        if row not in rows and line != found[0][0]:  # the first period may begin with the objective
            complaints.error(f"the core has no row `{row}`", line, row, near(row, rows))
    if not complaints.errors and columns[found[1][1]] <= columns[found[0][1]]:
        help = "the periods stand in their order, and so do the columns and rows of the core"
        said = f"the second period begins at column `{found[1][1]}`, not after the first one's `{found[0][1]}`"
        complaints.error(said, found[1][0], found[1][1], help)
    if not complaints.errors and rows[found[1][2]] < rows.get(found[0][2], 0):
        said = f"the second period begins at row `{found[1][2]}`, before the first one's `{found[0][2]}`"
        complaints.error(said, found[1][0], found[1][2], "the rows of the core stand in the order of the periods")
    complaints.raise_errors()
    (_, _, _, first), (_, column, row, second) = found
    return Timing((first, second), columns[column], rows[row])
