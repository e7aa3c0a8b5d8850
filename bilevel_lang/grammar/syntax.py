"""The syntax tree of an EMP annotation.

Nothing here knows a Pyomo model: whether ``x`` is a variable or a row is decided by the resolver.
Two trees are equal when they say the same; spans, the kind of bracket and the kind of quote do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bilevel_lang.errors import Source, Span

NOWHERE = Span(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Label:
    """One index position that names an element: ``3``, ``a`` or ``'a b'`` (then ``quote`` is the quote used)."""

    text: str
    quoted: bool = False
    quote: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AnyIndex:
    """``*`` (or ``:``) as one index position: every element there."""

    span: Span = field(default=NOWHERE, compare=False)


Index: TypeAlias = Label | AnyIndex


@dataclass(frozen=True, slots=True)
class Segment:
    """One dotted part of a name with its indices: ``blk[1]`` of ``blk[1].x``. ``indices`` is None without brackets."""

    name: str
    indices: tuple[Index, ...] | None = None
    quoted: bool = field(default=False, compare=False)
    bracket: str = field(default="(", compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name in the model, perhaps flipped by a leading ``-``: ``-blk[1].x(3,'a')``."""

    segments: tuple[Segment, ...]
    negated: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A lone ``*``: everything not claimed elsewhere (``docs/language.md`` says precisely what)."""

    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written; ``value`` is its worth."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def value(self) -> float:
        """The number as a float."""
        return float(self.text)


Item: TypeAlias = Reference | Wildcard | Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Base of all statements: ``span`` covers the statement, ``keyword`` its first word."""

    span: Span = field(default=NOWHERE, compare=False)
    keyword: Span = field(default=NOWHERE, compare=False)


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
class RandVar(Node):
    """``randvar par distribution {number}``; ``discrete`` takes pairs probability value."""

    parameter: Reference
    distribution: str
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class JRandVar(Node):
    """``jrandvar par par {par} {probability value value ...}``: a joint discrete law."""

    parameters: tuple[Reference, ...]
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Stage(Node):
    """``stage k {par|var|equ}``: what belongs to stage k."""

    number: Number
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class StageDefault(Node):
    """``stagedefault k``: the stage of everything not listed."""

    number: Number


@dataclass(frozen=True, slots=True)
class Sample(Node):
    """``sample {par} size {option}``: a continuous law replaced by a sample."""

    parameters: tuple[Reference, ...]
    size: Number
    options: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class SetSeed(Node):
    """``setseed n``."""

    seed: Number


@dataclass(frozen=True, slots=True)
class Correlation(Node):
    """``correlation par par rho``."""

    first: Reference
    second: Reference
    value: Number


@dataclass(frozen=True, slots=True)
class Chance(Node):
    """``chance equ {equ} [count] probability [weight|var]``."""

    rows: tuple[Reference, ...]
    arguments: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class ExpectedValue(Node):
    """``expectedvalue var [var]``."""

    variable: Reference
    result: Reference | None = None


@dataclass(frozen=True, slots=True)
class RiskMeasure(Node):
    """``cvarlo|cvarup|varlo|varup var [var] level``."""

    kind: Literal["cvarlo", "cvarup", "varlo", "varup"]
    variables: tuple[Reference, ...]
    level: Number


@dataclass(frozen=True, slots=True)
class Scenarios(Node):
    """``scenarios 'file.csv'``: a row a scenario, columns are parameters and an optional probability."""

    file: str


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
