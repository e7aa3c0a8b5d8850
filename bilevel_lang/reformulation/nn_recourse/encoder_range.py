"""Where a network of scenario sets is asked about what it was not trained on: scenarios, decisions, and what the truth tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.uncertainty.scenario_set import ScenarioSet

OUTSIDE, NAMED = 0.02, 3
"""Share of a range by which it may be left without a word, since samples of one law end in different places; and names that one
warning tells."""


def outside_of_range(
    path: Path, least: Floats, largest: Floats, scenarios: ScenarioSet, parameters: tuple[str, ...]
) -> tuple[str, ...]:
    """A warning with numbers where ``scenarios`` lie outside of ``least`` to ``largest`` (p,), which were seen in training; those
    of probability zero count for nothing."""
    possible = scenarios.values[scenarios.probabilities > 0]
    low, up = possible.min(axis=0), possible.max(axis=0)
    found = _outside(low, up, least, largest, parameters)
    if not found:
        return ()
    said = f"scenarios lie outside of the range that {path} was trained in, where its network extrapolates"
    return (f"{said}: {found}",)


def outside_of_box(least: Floats, largest: Floats, inputs: InputSet) -> tuple[str, ...]:
    """A warning with numbers where decisions in ``inputs`` are possible outside of ``least`` to ``largest`` (n,)."""
    found = _outside(inputs.lower, inputs.upper, least, largest, inputs.names)
    if not found:
        return ()
    return (f"decisions are possible outside of the box that the network was trained in, where it extrapolates: {found}",)


def unlike_training(off: float, max_error: float) -> tuple[str, ...]:
    """A warning where a network is wrong by ``off`` at its decision, and was by ``max_error`` at most on sets that were held out
    in training (NaN: unknown)."""
    if not off > max_error:
        return ()
    said = f"the network is {off:.4g} off the truth at its decision, on sets held out in training {max_error:.4g} at most"
    return (f"{said}: these scenarios are unlike those of its training, train one with them or take `--method extensive-form`",)


def _outside(low: Floats, up: Floats, least: Floats, largest: Floats, names: tuple[str, ...]) -> str:
    """``low`` to ``up`` against ``least`` to ``largest``, for the first of those that leave it; empty where none does."""
    slack = OUTSIDE * (largest - least) + 1e-9 * np.maximum(np.abs(least), np.abs(largest))
    out = np.flatnonzero((low < least - slack) | (up > largest + slack))
    low, up, least, largest = (array + 0.0 for array in (low, up, least, largest))  # no -0
    some = [f"`{names[k]}` is {low[k]:g} to {up[k]:g}, and was {least[k]:g} to {largest[k]:g}" for k in out[:NAMED].tolist()]
    more = [f"and {out.size - NAMED} more"] if out.size > NAMED else []
    return "; ".join([", ".join(some), *more]) if some else ""
