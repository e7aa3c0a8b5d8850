"""A hierarchical problem after names have become components: who decides what, under which rows.

All expressions refer to the modeller's own model, which stays as it was (with soft rows: to a clone of it). Signs
(``docs/signs.md`` has the table):

* a :class:`Row` is ``lower <= body <= upper`` exactly as Pyomo stores it;
* the *reported* multiplier of a row is d(optimal value)/d(right-hand side) of its agent: for a ``min`` agent it is >= 0 on
  a >= row, <= 0 on a <= row, free on an equality; for a ``max`` agent the signs are the opposite ones;
* a ``max`` agent is solved as ``min`` of the negated objective, and :attr:`Agent.sign` is the factor -1 that this takes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import Diagnostic, Source, Span
from bilevel_lang.uncertainty.program import StochasticProgram

AgentKind = Literal["min", "max", "vi"]


class Structure(enum.Enum):
    """How the agents stand to each other."""

    BILEVEL = "bilevel"
    """A leader, and followers in Nash equilibrium among themselves."""
    EQUILIBRIUM = "equilibrium"
    """Agents without a leader."""
    SINGLE = "single level"
    """No agents: an ordinary model, or an MPEC written with ``pyomo.mpec``."""


@dataclass(frozen=True, eq=False, slots=True)
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

    ``variables`` are the unfixed variables it owns; everything else in its expressions is a constant to it. A state variable
    (:class:`StateVariable`) and its row are in every agent that lists it.
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
class Link:
    """``qvi``: ``twin`` stands for ``variable`` in the rows of ``agent`` (its name), is data to it, and equal at a solution."""

    variable: Any
    twin: Any
    agent: str
    span: Span | None = None


@dataclass(frozen=True, eq=False)
class SharedRow:
    """``visol`` and ``sharedequ``: a row of several agents. ``common``: one multiplier for all, else one for each.

    The common multiplier is that of the agents' ``min`` problems; a ``max`` agent reports it with the other sign.
    """

    component: Any
    common: bool
    span: Span | None = None


@dataclass(frozen=True, eq=False)
class StateVariable:
    """``implicit``: ``variable`` is what the equality ``row`` makes of the agents' decisions, in every agent that lists it."""

    variable: Any
    row: Any
    span: Span | None = None


@dataclass(frozen=True, eq=False)
class Disjunct:
    """One alternative of a :class:`Disjunction`: its rows hold if it is chosen, and bind nobody otherwise.

    ``indicator`` is the binary variable that is 1 (``negated``: 0) exactly if it is chosen; None for a choice that no variable of
    the model tells (``*`` or ``else``).
    """

    name: str
    indicator: Any
    negated: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True, eq=False)
class Disjunction:
    """``disjunction``: exactly one of the ``disjuncts`` is chosen, by the leader or, without agents, by the model itself.

    ``reform`` is ``chull``, ``bigm`` or ``indic``; ``value`` its number (epsilon or M), None where the annotation gives none.
    """

    name: str
    disjuncts: tuple[Disjunct, ...]
    reform: str
    value: float | None = None
    span: Span | None = None


@dataclass(frozen=True, eq=False)
class SoftRow:
    """``adjustequ``: a row that may be violated at a price. ``row`` and ``slacks`` are in :attr:`BilevelProblem.model`.

    The penalty is ``weight`` times the sum of the slacks, or of their squares for ``sqr``. ``slacks`` are (variable, side):
    ``below`` is what the body lacks of its lower side, ``above`` what it has beyond the upper one, ``deviation`` body - side.
    """

    name: str
    row: Any
    penalty: str
    weight: float
    owner: str
    slacks: tuple[tuple[Any, str], ...]
    span: Span | None = None


@dataclass(frozen=True, eq=False)
class Softening:
    """What leads from a problem with soft rows, whose model is a changed clone, back to the modeller's own ``original``.

    ``components`` maps every variable and row of the clone to the modeller's.
    """

    original: Any
    components: Any
    rows: tuple[SoftRow, ...] = ()


@dataclass(frozen=True, eq=False)
class BilevelProblem:
    """What :func:`bilevel_lang.resolve` gives: the model, its agents, and everything worth telling the user.

    ``definitions`` are the rows that define objective variables: they hold, but have no multiplier. ``consumed`` are rows that
    serve as VI functions and are no constraints. ``wildcards``: what each ``*`` stands for, by agent. ``disjunctions`` hold rows
    that are in nobody's ``rows``. With ``softening`` the ``model`` is a clone of the modeller's in which the rows of
    ``adjustequ`` are soft; everything else in this record refers to that clone. With ``stochastic`` the model is that of one
    scenario.
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
    disjunctions: tuple[Disjunction, ...] = ()
    softening: Softening | None = None
    links: tuple[Link, ...] = ()
    shared_rows: tuple[SharedRow, ...] = ()
    state_variables: tuple[StateVariable, ...] = ()
    stochastic: StochasticProgram | None = None

    def check(self) -> None:
        """The invariants between resolve and rewrite; a broken one is a bug of ours (AssertionError)."""
        names = [agent.name for agent in self.agents]
        assert len(names) == len(set(names)), "two agents of one name"
        states = {id(s.variable) for s in self.state_variables}
        owned = [id(v) for agent in self.agents for v in agent.variables if id(v) not in states]
        owned += [id(v) for v in (*self.leader.variables, *(link.twin for link in self.links))]
        assert len(owned) == len(set(owned)), "a variable has two owners"
        declared = {id(s.component) for s in self.shared_rows} | {id(s.row) for s in self.state_variables}
        rows = [id(row.component) for agent in self.agents for row in agent.rows if id(row.component) not in declared]
        assert len(rows) == len(set(rows)), "a row that is not declared as shared is in two agents"
        for agent in self.agents:
            assert (agent.objective is None) == (agent.kind == "vi"), agent.name
            assert all(row.lower is not None or row.upper is not None for row in agent.rows), agent.name

    def dual_maps_of(self, agent: Agent) -> Iterator[DualMap]:
        """The ``dualvar`` maps onto rows of ``agent``."""
        return (m for m in self.dual_maps if m.agent is agent)

    @property
    def shares_rows(self) -> bool:
        """Whether any row may be in several agents."""
        return bool(self._sharers)

    def has_common_multiplier(self, row: Row) -> bool:
        """Whether ``visol`` gives all agents of ``row`` one multiplier."""
        return bool(self._sharers) and row.component in self._sharers and self._sharers[row.component][0]

    def multiplier_name(self, agent: Agent, row: Row) -> str:
        """What the multiplier of ``row`` in ``agent`` is called: by the row, after the agent where others report another.

        They do where each agent has its own, and where one is common to ``min`` and ``max`` agents, which report it with
        different signs.
        """
        if not self._sharers or row.component not in self._sharers:
            return row.name
        common, signs = self._sharers[row.component]
        return row.name if common and len(signs) == 1 else f"{agent.name}.{row.name}"

    @cached_property
    def _sharers(self) -> ComponentMap:
        """Shared row -> (whether the multiplier is common, the signs of its agents)."""
        found: ComponentMap = ComponentMap((s.component, (s.common, set())) for s in self.shared_rows)
        found.update((s.row, (False, set())) for s in self.state_variables)
        if found:
            for agent in self.agents:
                for row in agent.rows:
                    if row.component in found:
                        found[row.component][1].add(agent.sign)
        return found
