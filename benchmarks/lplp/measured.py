"""What one contender needs for one instance."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """``seconds``: what the table compares. ``proven``: the contender itself claims ``objective`` to be optimal."""

    contender: str
    instance: str
    seconds: float
    proven: bool
    objective: float | None
    bound: float | None = None
    total: float | None = None
    """With everything: of ours, resolving and verification too; of the others, building the model."""
    said: str = ""


def shifted_mean(values: Iterable[float], shift: float) -> float:
    """The shifted geometric mean: ``(prod (v + shift))^(1/n) - shift``."""
    logs = [math.log(value + shift) for value in values]
    return math.exp(sum(logs) / len(logs)) - shift


def disagreement(results: Iterable[Measured], tolerance: float = 1e-5) -> str | None:
    """Where two contenders claim different optima of one instance, relative to max(1, |objective|); None where none do."""
    claims = [r for r in results if r.proven and r.objective is not None]
    for first in claims:
        for second in claims:
            if abs(first.objective - second.objective) > tolerance * max(1.0, abs(first.objective)):
                one, other = f"{first.contender} {first.objective:.8g}", f"{second.contender} {second.objective:.8g}"
                return f"{first.instance}: {one}, {other}"
    return None
