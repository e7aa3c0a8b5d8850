"""The syntax tree of an EMP annotation.

Nothing here knows a Pyomo model: whether ``x`` is a variable or a row is decided by the resolver.
Two trees are equal when they say the same; spans, the kind of bracket and the kind of quote do not count.
:mod:`.leaves` has what statements are made of, :mod:`.random_syntax` those about random data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bilevel_lang.errors import Source, Span
from bilevel_lang.grammar.leaves import NOWHERE, Item, Node, Number, Reference, Wildcard
from bilevel_lang.grammar.random_syntax import (
    Chance,
    Correlation,
    ExpectedValue,
    JRandVar,
    RandVar,
    RiskMeasure,
    Sample,
    Scenarios,
    SetSeed,
    Stage,
    StageDefault,
)


@dataclass(frozen=True, slots=True)
class Bilevel(Node):
    """``bilevel {var}``: the leader's variables; the followers come after."""

    variables: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Equilibrium(Node):
    """``equilibrium``: the agents that follow have no leader."""


@dataclass(frozen=True, slots=True)
class Optimise(Node):
    """``min|max objective {var|*} {[-]equ}``: an agent that optimises."""

    sense: Literal["min", "max"]
    objective: Reference
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class VariationalInequality(Node):
    """``vi {var|*} {[-]equ var} {equ}``: an agent that solves a variational inequality."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class QuasiVariationalInequality(Node):
    """``qvi {[-]equ var parameter-variable} {equ}``."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class DualVar(Node):
    """``dualvar {var [-]equ}``: the variable is the multiplier of the row."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class DualEqu(Node):
    """``dualequ {[-]equ var}``: a complementarity pair beside one optimiser."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Implicit(Node):
    """``implicit {var equ}``: state variables that rows determine."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class VISol(Node):
    """``visol {equ}``: one multiplier for all agents that share the row."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class SharedEqu(Node):
    """``sharedequ {equ}``: rows that several agents share, each with its own multiplier."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class ModelType(Node):
    """``modeltype mcp``: how a plain model is handed over."""

    name: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One soft row of ``adjustequ``: the row, its penalty (``abs``, ``maxz``, ``sqr``) and weights."""

    row: Reference
    penalty: str
    weights: tuple[Number, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AdjustEqu(Node):
    """``adjustequ {equ penalty {weight}}``: hard rows made soft."""

    adjustments: tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True)
class Reform:
    """How a disjunction is rewritten: ``chull [eps]``, ``bigm [M]`` or ``indic``."""

    name: str
    value: Number | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of a disjunction; ``indicator`` is None for the closing ``else``."""

    indicator: Reference | Wildcard | None
    negated: bool
    rows: tuple[Item, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Disjunction(Node):
    """``disjunction [reform] [not] (var|*) {equ} {elseif ...} [else {equ}]``."""

    reform: Reform | None
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Default(Node):
    """``default reform``: how disjunctions are rewritten unless they say otherwise."""

    reform: Reform


@dataclass(frozen=True, slots=True)
class Binding:
    """``s in S``: the index ``name`` runs over the members of ``set``."""

    name: str
    set: Reference
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ForEach(Node):
    """``for s in S[, t in T]: statement``: one such statement for every member (for every pair of members, ...)."""

    bindings: tuple[Binding, ...]
    statement: Statement


Statement: TypeAlias = (
    Bilevel
    | Equilibrium
    | Optimise
    | VariationalInequality
    | QuasiVariationalInequality
    | DualVar
    | DualEqu
    | Implicit
    | VISol
    | SharedEqu
    | ModelType
    | AdjustEqu
    | Disjunction
    | Default
    | RandVar
    | JRandVar
    | Stage
    | StageDefault
    | Sample
    | SetSeed
    | Correlation
    | Chance
    | ExpectedValue
    | RiskMeasure
    | Scenarios
    | ForEach
)


@dataclass(frozen=True, slots=True)
class EmpInfo:
    """A whole annotation, in the order in which it was written."""

    statements: tuple[Statement, ...]
    source: Source = field(default=Source("<annotation>", ""), compare=False)
