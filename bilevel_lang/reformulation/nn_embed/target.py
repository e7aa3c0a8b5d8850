"""What the network stands for: the follower's value, or what the leader gets; and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, slots=True)
class Target:
    """``name`` ``value``, ``leader`` or ``response``, and the reason in words."""

    name: str
    reason: str


def choose_targets(source: BilevelProgram, asked: str) -> tuple[Target, ...]:
    """The target that was ``asked`` for, or what the engine tries, in this order."""
    if asked != "auto":
        return (Target(asked, "asked for"),)
    coupled = coupling_rows(source)
    if coupled:
        return (Target("value", f"{coupled} rows of the leader hold the follower's variables: they are kept as they are"),)
    if value_factor(source) is not None:
        return (Target("leader", "the leader's objective is the follower's value, up to a factor and the leader's own terms"),)
    if not (source.relaxation.integer & source.follower).any():
        return (Target("value", "the value of an LP follower is continuous and convex, its answers jump"),)
    return (
        Target("leader", "no row of the leader holds the follower's variables: what the leader gets is a function of its own"),
        Target("value", "it may be easier to learn than what the leader gets: the better verified point decides"),
    )


def coupling_rows(source: BilevelProgram) -> int:
    """How many rows of the leader hold columns of the follower."""
    rows = source.relaxation.matrix[np.flatnonzero(~source.follower_rows)]
    return int((np.asarray((rows != 0).astype(np.int64) @ source.follower.astype(np.int64)) > 0).sum())


def value_factor(source: BilevelProgram) -> float | None:
    """a with "leader's cost = a * follower's cost" on the follower's columns, both as minimisations; None where there is none."""
    program, own = source.relaxation, source.follower
    leader: Floats = program.sense * program.cost[own]
    follower: Floats = source.follower_cost[own]
    size = float(follower @ follower)
    if size == 0.0 or not leader.any():
        return None
    factor = float(leader @ follower) / size
    same = np.abs(leader - factor * follower).max() <= 1e-12 * max(1.0, float(np.abs(leader).max()))
    return factor if same else None


def indifferent(source: BilevelProgram, inputs: Ints) -> bool:
    """Whether the leader gets the same from all optimal answers of the follower to a decision: ``inputs`` are all its columns,
    and what it gets depends on them and on the follower's value alone."""
    program, own = source.relaxation, source.follower
    if len(inputs) + int(own.sum()) < program.columns:
        return False
    return not program.cost[own].any() or value_factor(source) is not None
