"""The sections RHS, RANGES and BOUNDS."""

from __future__ import annotations

import math

from bilevel_lang.mps_files.cards import Card
from bilevel_lang.mps_files.complaints import LARGEST, bound_value, number
from bilevel_lang.mps_files.draft import DraftColumn, DraftInstance

VALUED = ("UP", "LO", "FX", "UI", "LI")
UNVALUED = ("FR", "MI", "PL", "BV")


class _OneSet:
    """Sections may hold several alternative sets, of which a run takes one: which one, nobody here can say."""

    def __init__(self, draft: DraftInstance, what: str) -> None:
        self._draft, self._what = draft, what
        self._name: str | None = None

    def _is_first(self, name: str, card: Card) -> bool:
        if self._name is None:
            self._name = name
        if name == self._name:
            return True
        said = f"`{name}` is a second set of {self._what}, after `{self._name}`"
        self._draft.complaints.error(said, card.line, name, "keep the set that is meant, and delete the others", code="R1")
        return False


class SideReader(_OneSet):
    """The lines of RHS, or of RANGES."""

    def __init__(self, draft: DraftInstance, is_range: bool) -> None:
        super().__init__(draft, "ranges" if is_range else "right-hand sides")
        self._is_range = is_range

    def read(self, card: Card) -> None:
        """One line: the name of the set and one or two pairs of row and number."""
        fields = card.fields
        if len(fields) not in (3, 5):
            said = "this line should have the name of a set and one or two pairs of row and number"
            self._draft.complaints.error(said, card.line, help="such as `    RHS  capacity  2.5`")
        elif self._is_first(fields[0], card):
            if not self._is_range:
                self._draft.side = fields[0]
            for row, text in zip(fields[1::2], fields[2::2], strict=True):
                self._pair(row, text, card)

    def _pair(self, row: str, text: str, card: Card) -> None:
        complaints = self._draft.complaints
        value = number(text)
        if value is None or abs(value) >= LARGEST:
            complaints.error(f"`{text}` is not a number below {LARGEST:g}", card.line, text)
        elif row in self._draft.rows:
            self._set(row, value, card)
        elif row == self._draft.objective and not self._is_range:
            if self._draft.constant is not None:
                complaints.error(f"row `{row}` has a second right-hand side", card.line, row)
            # The row means cost'z - constant = 0, so the format gives the constant with the other sign.
            self._draft.constant = -value
        elif not self._draft.knows_row(row):
            complaints.error(f"there is no row `{row}`", card.line, row, complaints.near(row, self._draft.rows))
        elif self._is_range:
            complaints.error(f"row `{row}` is an N row: it has no range", card.line, row)

    def _set(self, row: str, value: float, card: Card) -> None:
        found = self._draft.rows[row]
        if (found.span if self._is_range else found.side) is not None:
            what = "range" if self._is_range else "right-hand side"
            self._draft.complaints.error(f"row `{row}` has a second {what}", card.line, row)
        elif self._is_range:
            found.span = value
        else:
            found.side = value


class BoundReader(_OneSet):
    """The lines of BOUNDS."""

    def __init__(self, draft: DraftInstance) -> None:
        super().__init__(draft, "bounds")

    def read(self, card: Card) -> None:
        """One line: the kind, the name of the set, the column, and a number where the kind needs one."""
        complaints, kind = self._draft.complaints, card.fields[0]
        if kind in ("SC", "SI"):
            help = "write it with a binary column"
            complaints.error("semi-continuous columns are not carried out", card.line, kind, help, code="R1")
        elif kind not in VALUED + UNVALUED:
            help = "UP, LO, FX, UI, LI with a number; FR, MI, PL, BV without"
            complaints.error(f"`{kind}` is no kind of bound", card.line, kind, help)
        elif len(card.fields) not in ((4,) if kind in VALUED else (3, 4)):
            form = f" {kind} BND x" + (" 4" if kind in VALUED else "")
            complaints.error(f"a bound of the kind {kind} has another number of fields", card.line, help=f"such as `{form}`")
        elif self._is_first(card.fields[1], card):
            self._bound(card)

    def _bound(self, card: Card) -> None:
        complaints, (kind, _, name) = self._draft.complaints, card.fields[:3]
        text = card.fields[3] if len(card.fields) == 4 else None
        column = self._draft.columns.get(name)
        value = None if text is None else bound_value(text)
        if column is None:
            complaints.error(f"there is no column `{name}`", card.line, name, complaints.near(name, self._draft.columns))
        elif text is not None and value is None:
            complaints.error(f"`{text}` is not a number", card.line, text)
        else:
            self._apply(kind, name, column, value, card)

    def _apply(self, kind: str, name: str, column: DraftColumn, value: float | None, card: Card) -> None:
        lower, upper = _sides(kind, value)
        complaints = self._draft.complaints
        if (lower is not None and column.lower is not None) or (upper is not None and column.upper is not None):
            complaints.error(f"column `{name}` has this bound already", card.line, name, "keep one of the lines")
            return
        if lower == math.inf or upper == -math.inf:
            complaints.error(f"no value of `{name}` meets this bound", card.line, name)
            return
        if lower is not None:
            column.lower = lower
        if upper is not None:
            column.upper, column.upper_line = upper, card.line
        column.integer = column.integer or kind in ("UI", "LI", "BV")


def _sides(kind: str, value: float | None) -> tuple[float | None, float | None]:
    """The lower and the upper bound that a line sets, None for one that it leaves."""
    if kind == "FX":
        return value, value
    if kind in ("LO", "LI"):
        return value, None
    if kind in ("UP", "UI"):
        return None, value
    return {"FR": (-math.inf, math.inf), "MI": (-math.inf, None), "PL": (None, math.inf), "BV": (0.0, 1.0)}[kind]
