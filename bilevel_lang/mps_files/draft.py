"""An MPS file half read: what its sections have said so far."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bilevel_lang.mps_files.complaints import Complaints
from bilevel_lang.mps_files.instance import Column, MpsInstance, Row


@dataclass(slots=True)
class DraftColumn:
    """A column; None in ``lower`` or ``upper``: no bound of it was given. ``line`` is where its name stands first."""

    integer: bool
    line: int
    cost: float = 0.0
    lower: float | None = None
    upper: float | None = None
    upper_line: int = 0


@dataclass(slots=True)
class DraftRow:
    """A row: ``kind`` is E, L or G; ``entries`` are (column, coefficient)."""

    kind: str
    side: float | None = None
    span: float | None = None
    entries: list[tuple[int, float]] = field(default_factory=list)

    def sides(self) -> tuple[float, float]:
        """Lower and upper side. A range r of an equality goes up if r > 0, down if r < 0; the sign of others has no meaning."""
        side, span = self.side or 0.0, self.span
        if self.kind == "E":
            other = side + (span or 0.0)
            return min(side, other), max(side, other)
        if self.kind == "L":
            return (-math.inf if span is None else side - abs(span)), side
        return side, (math.inf if span is None else side + abs(span))


@dataclass(slots=True)
class DraftInstance:
    """All of it. ``objective`` is the first N row; ``free_rows`` are further ones, with their lines; ``side`` is the set of
    right-hand sides."""

    complaints: Complaints
    name: str = ""
    sense: int = 1
    constant: float | None = None
    objective: str | None = None
    side: str | None = None
    rows: dict[str, DraftRow] = field(default_factory=dict)
    free_rows: dict[str, int] = field(default_factory=dict)
    columns: dict[str, DraftColumn] = field(default_factory=dict)

    def knows_row(self, name: str) -> bool:
        """Whether ROWS has declared the name, with whatever kind."""
        return name in self.rows or name == self.objective or name in self.free_rows

    def finished(self) -> MpsInstance:
        """The instance; completes bounds by the rules of the format and says where those are not obvious."""
        columns = tuple(self._column(name, draft) for name, draft in self.columns.items())
        rows = tuple(Row(name, *d.sides(), tuple(sorted(e for e in d.entries if e[1]))) for name, d in self.rows.items())
        self._tell_defaults()
        for name, line in self.free_rows.items():
            self.complaints.remark(f"row `{name}` is a second N row: it binds nobody and is left out", line, name)
        return MpsInstance(
            self.name, self.sense, self.constant or 0.0, columns, rows, len(self.free_rows), self.objective, self.side
        )

    def _column(self, name: str, draft: DraftColumn) -> Column:
        if draft.lower is None and draft.upper is None and draft.integer:
            return Column(name, 0.0, 1.0, True, draft.cost)
        lower = 0.0 if draft.lower is None else draft.lower
        upper = math.inf if draft.upper is None else draft.upper
        if draft.lower is None and upper < 0:
            said = f"column `{name}` has the upper bound {upper:g} and no lower one: some readers take 0, others none"
            self.complaints.error(said, draft.upper_line, name, f"add ` MI BND {name}` for none, or ` LO BND {name} 0`")
        return Column(name, lower, upper, draft.integer, draft.cost)

    def _tell_defaults(self) -> None:
        bare = [(n, d.line) for n, d in self.columns.items() if d.integer and d.lower is None and d.upper is None]
        if bare:
            name, line = bare[0]
            which = f"integer column `{name}` has" if len(bare) == 1 else f"{len(bare)} integer columns (`{name}`, ...) have"
            self.complaints.remark(f"{which} no bounds: taken as 0 and 1, as most readers do", line, name)
