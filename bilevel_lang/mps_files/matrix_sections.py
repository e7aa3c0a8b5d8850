"""The sections ROWS and COLUMNS."""

from __future__ import annotations

from bilevel_lang.mps_files.cards import Card
from bilevel_lang.mps_files.complaints import number
from bilevel_lang.mps_files.draft import DraftColumn, DraftInstance, DraftRow


def read_row(card: Card, draft: DraftInstance) -> None:
    """One line of ROWS: kind and name."""
    complaints = draft.complaints
    if len(card.fields) != 2:
        complaints.error("a line of ROWS has a kind and a name", card.line, help="such as ` L  capacity`")
        return
    kind, name = card.fields
    if not name:
        complaints.error("this row has no name", card.line)
    elif draft.knows_row(name):
        complaints.error(f"row `{name}` is declared twice", card.line, name, "give each row its own name")
    elif kind == "N" and draft.objective is None:
        draft.objective = name
    elif kind == "N":
        draft.free_rows[name] = card.line
    elif kind in ("E", "L", "G"):
        draft.rows[name] = DraftRow(kind)
    else:
        help = "N (objective), E (=), L (<=) or G (>=)"
        complaints.error(f"`{kind}` is no kind of row", card.line, kind, help)


class ColumnReader:
    """The lines of COLUMNS: entries column by column, and the markers around integer columns."""

    def __init__(self, draft: DraftInstance) -> None:
        self._draft = draft
        self._integer = False
        self._marker_line = 0
        self._current = ""
        self._met: set[str] = set()

    def read(self, card: Card) -> None:
        """One line: a column with one or two entries, or a marker."""
        fields = card.fields
        if "'MARKER'" in fields:
            self._marker(card)
            return
        if len(fields) not in (3, 5) or not fields[0]:
            said = "a line of COLUMNS has a column and one or two pairs of row and number"
            self._draft.complaints.error(
                said, card.line, help="such as `    x  capacity  2.5`; names hold no blanks in free format"
            )
            return
        self._open(fields[0], card)
        for row, text in zip(fields[1::2], fields[2::2], strict=True):
            self._entry(row, text, card)

    def close(self) -> None:
        """The end of the section: no marker may be open."""
        if self._integer:
            help = "end the integer columns with `    M  'MARKER'  'INTEND'`"
            self._draft.complaints.error("the marker 'INTORG' has no 'INTEND'", self._marker_line, "'INTORG'", help)

    def _marker(self, card: Card) -> None:
        wanted = "'INTEND'" if self._integer else "'INTORG'"
        if len(card.fields) != 3 or card.fields[1] != "'MARKER'":
            self._draft.complaints.error("a marker is a name, 'MARKER', and 'INTORG' or 'INTEND'", card.line)
        elif card.fields[2] in ("'SOSORG'", "'SOSEND'"):
            help = "write the set with binary columns"
            self._draft.complaints.error("special ordered sets are not carried out", card.line, card.fields[2], help, code="R1")
        elif card.fields[2] != wanted:
            said = f"{card.fields[2]} stands where only {wanted} can"
            self._draft.complaints.error(said, card.line, card.fields[2], "'INTORG' and 'INTEND' come in turn")
        else:
            self._integer, self._marker_line = not self._integer, card.line

    def _open(self, name: str, card: Card) -> None:
        if name == self._current:
            return
        self._current, self._met = name, set()
        if name in self._draft.columns:
            help = "all entries of a column stand together; another column needs another name"
            self._draft.complaints.error(f"column `{name}` comes a second time", card.line, name, help)
        else:
            self._draft.columns[name] = DraftColumn(self._integer, card.line)

    def _entry(self, row: str, text: str, card: Card) -> None:
        draft = self._draft
        value = number(text)
        if value is None:
            draft.complaints.error(f"`{text}` is not a finite number", card.line, text)
            return
        if not draft.knows_row(row):
            draft.complaints.error(f"there is no row `{row}`", card.line, row, draft.complaints.near(row, draft.rows))
        elif row in self._met:
            said = f"column `{self._current}` has two entries in row `{row}`"
            draft.complaints.error(said, card.line, row, "add them up in one entry")
        elif row == draft.objective:
            draft.columns[self._current].cost = value
        elif row in draft.rows:
            place = len(draft.columns) - 1
            draft.rows[row].entries.append((place, value))
        self._met.add(row)
