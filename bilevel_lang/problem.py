"""A hierarchical problem after names have become components: who decides what, under which rows.

All expressions refer to the modeller's own model, which stays as it was. Signs (``docs/signs.md`` has the table):

* a :class:`Row` is ``lower <= body <= upper`` exactly as Pyomo stores it;
* the *reported* multiplier of a row is d(optimal value)/d(right-hand side) of its agent: for a ``min`` agent it is >= 0 on
  a >= row, <= 0 on a <= row, free on an equality; for a ``max`` agent the signs are the opposite ones;
* a ``max`` agent is solved as ``min`` of the negated objective, and :attr:`Agent.sign` is the factor -1 that this takes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bilevel_lang.errors import Diagnostic, Source, Span

AgentKind = Literal["min", "max", "vi"]


class Structure(enum.Enum):
    """How the agents stand to each other."""

    BILEVEL = "bilevel"
    """A leader, and followers in Nash equilibrium among themselves."""
    EQUILIBRIUM = "equilibrium"
    """Agents without a leader."""
    SINGLE = "single level"
    """No agents: an ordinary model, or an MPEC written with ``pyomo.mpec``."""


@dataclass(frozen=True, eq=False)
class Row:
    """One row of an agent: ``lower <= body <= upper``, a side None where there is none.

    ``component`` is the ConstraintData it comes from, or the VarData of an objective variable whose bounds it states.
    ``body`` is the stored body with the agent's objective variable substituted.
    """

    name: str
    body: Any
    lower: float | None
    upper: float | None
    component: Any
    span: Span | None = None

    @property
    def is_equality(self) -> bool:
        """Whether both sides are the same number."""
        return self.lower is not None and self.lower == self.upper

    @property
    def cone(self) -> str:
        """The cone of the multiplier in a ``min`` agent, as ``--check`` prints it."""
        if self.is_equality or (self.lower is not None and self.upper is not None):
            return "free"
        return ">= 0" if self.lower is not None else "<= 0"


@dataclass(frozen=True, eq=False)
class AgentObjective:
    """What a ``min`` or ``max`` agent optimises.

    ``variable`` is the objective variable of the GAMS style (None for an Objective or Expression); ``definition`` is the row
    that defines it, already substituted into ``expression``, or None where the variable itself is the objective.
    """

    name: str
    expression: Any
    variable: Any = None
    definition: Any = None


@dataclass(frozen=True, eq=False)
class Function:
    """One component F_i of a VI, matched to ``variable``; ``expression`` None means F_i = 0."""

    name: str
    variable: Any
    expression: Any
    component: Any = None


@dataclass(frozen=True, eq=False)
class Agent:
    """One decision maker: an optimiser (``objective``) or a variational inequality (``functions``).

    ``variables`` are the unfixed variables it owns; everything else in its expressions is a constant to it.
    """

    name: str
    kind: AgentKind
    variables: tuple[Any, ...]
    rows: tuple[Row, ...]
    objective: AgentObjective | None = None
    functions: tuple[Function, ...] = ()
    span: Span | None = None

    @property
    def sign(self) -> int:
        """+1, or -1 for a ``max`` agent, which is solved as ``min`` of the negated objective."""
        return -1 if self.kind == "max" else 1


@dataclass(frozen=True, eq=False)
class Leader:
    """The leader: what it optimises, owns and is bound by. ``objective`` None: a feasibility problem."""

    objective: Any
    variables: tuple[Any, ...]
    rows: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class DualMap:
    """``dualvar``: ``variable`` = ``factor`` * (reported multiplier of ``row`` of ``agent``); ``factor`` is +1 or -1."""

    variable: Any
    row: Row
    agent: Agent
    factor: int
    span: Span | None = None


@dataclass(frozen=True, eq=False)
class BilevelProblem:
    """What :func:`bilevel_lang.resolve` gives: the model, its agents, and everything worth telling the user.

    ``definitions`` are the rows that define objective variables: they hold, but have no multiplier. ``consumed`` are rows that
    serve as VI functions and are no constraints. ``wildcards``: what each ``*`` stands for, by agent.
    """

    model: Any
    structure: Structure
    leader: Leader
    agents: tuple[Agent, ...]
    dual_maps: tuple[DualMap, ...] = ()
    definitions: tuple[Any, ...] = ()
    consumed: tuple[Any, ...] = ()
    notices: tuple[Diagnostic, ...] = ()
    summary: tuple[tuple[str, int], ...] = ()
    source: Source | None = None
    wildcards: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def check(self) -> None:
        """The invariants between resolve and rewrite; a broken one is a bug of ours (AssertionError)."""
        owned = [id(v) for agent in self.agents for v in agent.variables] + [id(v) for v in self.leader.variables]
        assert len(owned) == len(set(owned)), "a variable has two owners"
        for agent in self.agents:
            assert (agent.objective is None) == (agent.kind == "vi"), agent.name
            assert all(row.lower is not None or row.upper is not None for row in agent.rows), agent.name
        names = [agent.name for agent in self.agents]
        assert len(names) == len(set(names)), "two agents of one name"

    def dual_maps_of(self, agent: Agent) -> Iterator[DualMap]:
        """The ``dualvar`` maps onto rows of ``agent``."""
        return (m for m in self.dual_maps if m.agent is agent)
