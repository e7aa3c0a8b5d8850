"""Entries of the core that a stochastic file may name."""

from __future__ import annotations

from dataclasses import dataclass

from bilevel_lang.mps_files.complaints import Complaints
from bilevel_lang.mps_files.instance import MpsInstance
from bilevel_lang.smps_files.timing import Timing

AS_THE_CORE = "name it as the core does"


@dataclass(frozen=True, slots=True)
class Entry:
    """A coefficient: ``column`` None is the right-hand side, ``row`` None the objective (both by place, from 0)."""

    column: int | None
    row: int | None
    label: tuple[str, str]

    def __str__(self) -> str:
        return f"({self.label[0]}, {self.label[1]})"


class Core:
    """The core file, by the names of its columns (``columns``: name to place) and rows."""

    def __init__(self, instance: MpsInstance) -> None:
        self.instance = instance
        self.columns = {c.name: k for k, c in enumerate(instance.columns)}
        self._rows = {r.name: k for k, r in enumerate(instance.rows)}
        self._terms = [dict(r.terms) for r in instance.rows]

    def find(self, column: str, row: str, line: int, complaints: Complaints) -> Entry | None:
        """The entry of that name; None after a complaint about ``line``."""
        objective = self.instance.objective
        if row != objective and row not in self._rows:
            complaints.error(f"the core has no row `{row}`", line, row, complaints.near(row, self._rows) or AS_THE_CORE)
            return None
        place = None if row == objective else self._rows[row]
        if column in self.columns:
            return Entry(self.columns[column], place, (column, row))
        if column.upper() != "RHS" and column != self.instance.side:
            complaints.error(
                f"the core has no column `{column}`", line, column, complaints.near(column, self.columns) or AS_THE_CORE
            )
            return None
        if place is None:
            said = "the right-hand side of the objective is a constant; a random one changes no decision"
            complaints.error(said, line, row, "take it out")
            return None
        found = self.instance.rows[place]
        if found.lower != found.upper and abs(found.lower) < float("inf") and abs(found.upper) < float("inf"):
            said = f"row `{row}` has a range: its right-hand side cannot be random here"
            complaints.error(said, line, row, "write the row as two, one for each side")
            return None
        return Entry(None, place, ("RHS", row))

    def value(self, entry: Entry) -> float:
        """What the core itself has there."""
        if entry.row is None:
            return self.instance.columns[entry.column or 0].cost
        if entry.column is not None:
            return self._terms[entry.row].get(entry.column, 0.0)
        row = self.instance.rows[entry.row]
        return row.upper if abs(row.upper) < float("inf") else row.lower

    def is_early(self, entry: Entry, timing: Timing) -> bool:
        """Whether an entry belongs to the first stage."""
        if entry.row is None:
            return False  # a random cost of a first-stage column is paid when it is known
        return entry.row < timing.row
