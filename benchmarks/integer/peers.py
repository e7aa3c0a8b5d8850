"""What MibS 1.2.2 did with the same instances: one thread, 60 s, its own defaults, a machine like that of README.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SHIFT = 1.0
"""Seconds that are added before the geometric mean is taken, and taken off again."""


@dataclass(frozen=True)
class Peer:
    """``solved`` of ``of`` instances; ``seconds``: the shifted geometric mean of those, NaN where it was not noted."""

    solved: int
    of: int
    seconds: float


MIBS = {
    "denegre": Peer(24, 25, 0.46),
    "xuwang": Peer(18, 18, 0.52),
    "miplib3": Peer(4, 10, 3.3),
    "misc": Peer(4, 4, math.nan),
    "inter-assig": Peer(12, 12, 0.35),
    "inter-kp-10": Peer(9, 9, 0.03),
    "inter-kp-20": Peer(10, 10, 0.9),
    "inter-kp-30": Peer(3, 9, 9.8),
}
"""By family. Knapsack interdiction with 40 and 50 items was not run."""


def shifted_mean(seconds: Sequence[float]) -> float:
    """The geometric mean of ``seconds + SHIFT``, less the shift; NaN of nothing."""
    if not seconds:
        return math.nan
    return math.exp(sum(math.log(s + SHIFT) for s in seconds) / len(seconds)) - SHIFT
