"""A mixed-integer linear bilevel problem as its two files state it.

    min or max  constant + cost'z   subject to   rows, bounds, integrality,   and the follower's columns solve
    min or max  costs'z             subject to   the follower's rows and the bounds of its columns, for the leader's columns given

(MibS, "Input File Format"): the MPS file is the problem without the follower's optimality, its objective the leader's.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Column:
    """A variable: ``lower <= z <= upper`` (infinities where there is no bound), whole if ``integer``; ``cost``: the leader's."""

    name: str
    lower: float
    upper: float
    integer: bool
    cost: float


@dataclass(frozen=True, slots=True)
class Row:
    """``lower <= sum of coefficient * column <= upper``; ``terms`` are (column from 0, coefficient), by column, without zeros."""

    name: str
    lower: float
    upper: float
    terms: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class MpsInstance:
    """What an MPS file holds; ``sense`` is +1 for min, -1 for max. Free rows are only counted.

    ``objective`` is the name of the first N row, ``side`` of the set of right-hand sides; None where no file says them.
    """

    name: str
    sense: int
    constant: float
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    free_rows: int = field(default=0, compare=False)
    objective: str | None = field(default=None, compare=False)
    side: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Follower:
    """What an ``.aux`` file adds: the follower's columns and rows (from 0, in the order of the file), its objective.

    ``costs[k]`` belongs to ``columns[k]``; ``sense`` is +1 for min, -1 for max.
    """

    columns: tuple[int, ...]
    costs: tuple[float, ...]
    rows: tuple[int, ...]
    sense: int = 1


@dataclass(frozen=True, slots=True)
class BilevelInstance:
    """Both files together."""

    mps: MpsInstance
    follower: Follower
