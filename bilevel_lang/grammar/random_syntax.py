"""The statements about stages, random data and what is asked of their results; :mod:`.syntax` has the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bilevel_lang.grammar.leaves import Item, Node, Number, Reference


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
