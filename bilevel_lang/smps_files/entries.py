"""Entries of the core that a stochastic file may name."""

from __future__ import annotations

from dataclasses import dataclass

from bilevel_lang.mps_files.cards import cards, free
from bilevel_lang.mps_files.complaints import near
from bilevel_lang.mps_files.instance import MpsInstance
from bilevel_lang.smps_files.timing import Timing


@dataclass(frozen=True, slots=True)
class Entry:
    """A coefficient: ``column`` None is the right-hand side, ``row`` None the objective (both by place, from 0)."""

    column: int | None
    row: int | None
    label: tuple[str, str]

    def __str__(self) -> str:
        return f"({self.label[0]}, {self.label[1]})"


class Core:
    """The core file, by the names of its columns and rows."""

    def __init__(self, instance: MpsInstance, text: str) -> None:
        self.instance = instance
        self._columns = {c.name: k for k, c in enumerate(instance.columns)}
        self._rows = {r.name: k for k, r in enumerate(instance.rows)}
        self._terms = [dict(r.terms) for r in instance.rows]
        self._objective, self._side = _names(text)

    def find(self, column: str, row: str) -> tuple[Entry | None, str]:
        """The entry of that name, or None and what is wrong."""
        if row != self._objective and row not in self._rows:
            hint = near(row, self._rows)
            return None, f"the core has no row `{row}`" + (f"; {hint}" if hint else "")
        place = None if row == self._objective else self._rows[row]
        if column in self._columns:
            return Entry(self._columns[column], place, (column, row)), ""
        if column.upper() != "RHS" and column != self._side:
            hint = near(column, self._columns)
            return None, f"the core has no column `{column}`" + (f"; {hint}" if hint else "")
        if place is None:
            return None, "the right-hand side of the objective is a constant; a random one changes no decision: take it out"
        found = self.instance.rows[place]
        if found.lower != found.upper and abs(found.lower) < float("inf") and abs(found.upper) < float("inf"):
            return None, f"row `{row}` has a range: its right-hand side cannot be random here"
        return Entry(None, place, ("RHS", row)), ""

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


def _names(text: str) -> tuple[str | None, str | None]:
    """The names of the objective (the first N row) and of the set of right-hand sides."""
    section, objective, side = "", None, None
    for card in cards(text.splitlines(), free):
        if card.header is not None:
            section = card.header
        elif section == "ROWS" and objective is None and card.fields[:1] == ["N"]:
            objective = card.fields[1]
        elif section == "RHS" and side is None and card.fields:
            side = card.fields[0]
    return objective, side
