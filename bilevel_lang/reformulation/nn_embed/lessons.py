"""From verdicts to what a network is trained on: the target's values, gradients where they are known, weights towards good x."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bilevel_lang.reformulation.nn_embed.judge import Verdict
from bilevel_lang.reformulation.nn_embed.target import value_factor
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.training.labels import Labels

EVERYWHERE, SHARPNESS = 0.2, 5.0
"""Weight of the worst decisions, and how fast weights fall with the rank of the leader's objective."""


def usable(verdicts: Sequence[Verdict], target: str) -> list[Verdict]:
    """Those that have a label: the value needs the follower's answer, everything else a point that satisfies all rows."""
    return [v for v in verdicts if (v.answered if target == "value" else v.point is not None)]


def lessons(used: Sequence[Verdict], target: str, source: BilevelProgram, inputs: Ints, domain: InputSet) -> Labels:
    """The labels of verdicts that are :func:`usable`; what is learned is a minimisation's."""
    objectives = np.array([v.objective for v in used])
    rank = np.argsort(np.argsort(objectives, kind="stable"), kind="stable")
    return Labels(
        np.array([v.x for v in used]),
        truths(used, target, source),
        domain.lower,
        domain.upper,
        gradients=_gradients(used, target, source, inputs),
        weights=EVERYWHERE + np.exp(-SHARPNESS * rank / len(used)),
    )


def truths(used: Sequence[Verdict], target: str, source: BilevelProgram) -> Floats:
    """(k, outputs): the truth of verdicts that are :func:`usable`, as a minimisation: what a network should say of them."""
    if target == "value":
        return np.array([[v.value] for v in used])
    if target == "leader":
        return np.array([[v.objective] for v in used])
    return np.array([v.point[source.follower] for v in used if v.point is not None])


def _gradients(used: Sequence[Verdict], target: str, source: BilevelProgram, inputs: Ints) -> Floats | None:
    """Of the value; of what the leader gets only where that is the value up to a factor and its own terms."""
    if target == "response" or any(v.gradient is None for v in used):
        return None
    gradients = np.array([v.gradient for v in used])
    if target == "value":
        return gradients
    factor = value_factor(source)
    program = source.relaxation
    free = np.flatnonzero(~source.follower)
    if factor is None or len(np.setdiff1d(free[program.cost[free] != 0], inputs)):
        return None
    return np.asarray(factor * gradients + program.sense * program.cost[inputs])
