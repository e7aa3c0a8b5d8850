"""What a search in one tree is asked and told: points, parts of the tree, cuts, decisions.

A :class:`Judge` says which points of a relaxation are feasible, what follows from bounds of columns, and how a part of the tree
goes on from a point that is not; :func:`bilevel_lang.solvers.scip_tree.run_tree` asks it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


class BoundChange(Protocol):
    """A new bound of a column."""

    @property
    def column(self) -> int:
        """Its number."""

    @property
    def is_upper(self) -> bool:
        """Whether it is the upper bound."""

    @property
    def bound(self) -> float:
        """The new one."""


@dataclass(frozen=True, slots=True)
class Cut:
    """``lower <= coefficients'z[columns] <= upper``; ``local``: in this part of the tree only."""

    columns: Ints
    coefficients: Floats
    lower: float
    upper: float
    local: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of a part of the tree: the first of these that is not empty, in this order.

    ``feasible``: its relaxation's point is a solution. ``cut_off``: nothing is left to be found there. ``changes``, ``cuts``:
    it is narrowed and solved again. ``children``: it is divided; each child has the changes given.
    """

    feasible: bool = False
    cut_off: bool = False
    changes: Sequence[BoundChange] = ()
    cuts: Sequence[Cut] = ()
    children: Sequence[Sequence[BoundChange]] = ()


@dataclass(frozen=True, slots=True)
class Vertex:
    """The relaxation's LP at its optimum, for cuts from its basis. p columns, q rows.

    ``columns`` (p,) are the program's numbers; statuses are -1 at the lower bound or side, +1 at the upper one, 0 basic, 2 free
    and not basic. Sides have the rows' constants taken off.
    """

    columns: Ints
    x: Floats
    lower: Floats
    upper: Floats
    status: Ints
    matrix: Floats
    row_lower: Floats
    row_upper: Floats
    row_status: Ints


class StopSearch(Exception):  # noqa: N818
    """Raised by a judge whose time is up: the search ends with what it has found and proven."""


class Judge(Protocol):
    """What a tree asks. Points ``z`` have all columns of the program."""

    first: Ints
    """The columns that are branched on before all others."""

    watched: Ints
    """The columns whose bounds in the current part of the tree are handed over."""

    def admits(self, z: Floats) -> bool:
        """Whether ``z``, which satisfies the program, is a solution."""

    def consequences(self, lower: Floats, upper: Floats) -> Sequence[BoundChange]:
        """What follows from bounds of the watched columns."""

    def decide(self, z: Floats, lower: Floats, upper: Floats, vertex: Callable[[], Vertex | None]) -> Decision:
        """What is to be done about ``z``, a whole optimum of the relaxation between those bounds of the watched columns."""

    def separate(self, z: Floats, lower: Floats, upper: Floats, vertex: Callable[[], Vertex | None], depth: int) -> Sequence[Cut]:
        """Cuts that ``z``, an optimum of the relaxation that may be fractional, violates; ``depth`` 0 is the root of the tree."""

    def candidates(self) -> Sequence[Floats]:
        """Solutions found since the last call, to be handed to SCIP."""

    def progress(self, state: TreeState) -> None:
        """Called now and then; may write a line somewhere."""


@dataclass(frozen=True, slots=True)
class TreeState:
    """Where the search stands; objectives in the program's own sense."""

    seconds: float
    nodes: int
    left: int
    incumbent: float | None
    bound: float | None
