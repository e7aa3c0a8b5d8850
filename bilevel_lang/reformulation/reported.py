"""Where the multipliers of rows are in a rewritten model, kept small: a large model has one for each row."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.rewrite import Multiplier

Terms = tuple[tuple[float, Any], ...]
"""A multiplier as the sum of factor * variable."""


class Reported(Sequence[Multiplier]):
    """The multipliers in the order in which they were added; each record is made when it is read."""

    def __init__(self, problem: BilevelProblem) -> None:
        self._problem = problem
        self._taken: set[str] | None = set() if len(problem.agents) > 1 else None  # the rows of one agent have names of their own
        self._names: list[str] = []
        self._terms: list[Any] = []
        self._agents = array("q")
        self._rows = array("q")

    def add(self, name: str, terms: Terms, agent: int, row: int) -> None:
        """Where the multiplier ``name`` is, unless that is known; agent and row by their numbers."""
        if self._taken is not None:
            if name in self._taken:
                return
            self._taken.add(name)
        alone = len(terms) == 1 and terms[0][0] == 1
        self._names.append(name)
        self._terms.append(terms[0][1] if alone else terms)
        self._agents.append(agent)
        self._rows.append(row)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return tuple(self[k] for k in range(*place.indices(len(self))))
        agent, row = self.place(place)
        terms = self._terms[place]
        stated = terms if terms.__class__ is tuple else ((1.0, terms),)
        return Multiplier(self._names[place], stated, self._problem.agents[agent].rows[row].component)

    def place(self, place: int) -> tuple[int, int]:
        """Agent number and row number of one of them."""
        return self._agents[place], self._rows[place]

    def placed(self) -> Iterator[tuple[str, Terms, int, int]]:
        """(name, terms, agent number, row number) of each."""
        return ((m.name, m.expression, *self.place(k)) for k, m in enumerate(self))
