"""How much of what is missing to whole numbers of penalties is paid in truth: by the bounds of patterns in some scenarios."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from bilevel_lang.reformulation.nn_recourse.scout import Scouted
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


def true_share(scouted: Sequence[Scouted], numbers: Ints, least: Callable[[int, Floats], float | None]) -> float | None:
    """From 0 to 1: the slope of what bounds are above the relaxation, over the rounding (Law, "Simulation Modeling and Analysis",
    chapter 11, the coefficient of a control variate). ``scouted`` has the whole rounding.

    ``least``: the bound of a scenario, of ``numbers``, at a decision; None: no time. None where there are no bounds.
    """
    premiums, roundings = [], []
    for number in numbers.tolist():
        for one in scouted:
            bound = least(number, one.x)
            if bound is None or bound == -math.inf:
                return None
            # A scenario without a whole answer says nothing of rounding.
            if math.isfinite(bound) and one.rounding is not None:
                premiums.append(bound - one.relaxed[number])
                roundings.append(float(one.rounding[number]))
    if not roundings:
        return 0.0 if scouted else None
    about = np.array(roundings) - np.mean(roundings)
    return float(np.clip(about @ np.array(premiums) / (about @ about), 0.0, 1.0)) if about.any() else 0.0
