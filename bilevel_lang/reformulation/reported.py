"""Where the multipliers of rows are in a rewritten model, kept small: a large model has one for each row."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.rewrite import Multiplier

Terms = tuple[tuple[float, Any], ...]
"""A multiplier as the sum of factor * variable."""


class Reported:
    """Collects where the multipliers are, each name once."""

    def __init__(self, problem: BilevelProblem) -> None:
        self.problem = problem
        self.by_name: dict[str, Multiplier] = {}
        self.agents = array("q")
        self.rows = array("q")

    def add(self, name: str, terms: Terms, agent: int, row: int) -> None:
        """Where the multiplier ``name`` is, unless that is known; agent and row by their numbers."""
        if name not in self.by_name:
            self.by_name[name] = Multiplier(name, terms, self.problem.agents[agent].rows[row].component)
            self.agents.append(agent)
            self.rows.append(row)

    def all(self) -> tuple[Multiplier, ...]:
        """In the order in which they were added."""
        return tuple(self.by_name.values())

    def places(self) -> Sequence[tuple[int, int]]:
        """Agent number and row number of each."""
        return Places(self.agents, self.rows)


class Places(Sequence[tuple[int, int]]):
    """Two columns of numbers as pairs."""

    def __init__(self, first: array[int], second: array[int]) -> None:
        self._columns = first, second

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, place: Any) -> Any:
        return tuple(column[place] for column in self._columns)
