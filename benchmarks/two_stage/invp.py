"""The investment problem: Schultz, Stougie and van der Vlerk 1998, example 7.3, with the scenarios that Neur2SP gives it.

Names: INVP_B_E_36 is binary (B) or integer (I) recourse, technology matrix the identity (E) or [[2/3, 1/3], [1/3, 2/3]] (H), and
the number of scenarios, a square or 10,000: a grid on [5, 15]^2. Nothing is drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIZES = (4, 9, 36, 121, 441, 1681, 10000)
TECHNOLOGY = {"E": [[1.0, 0.0], [0.0, 1.0]], "H": [[2 / 3, 1 / 3], [1 / 3, 2 / 3]]}


def data(recourse: str, technology: str) -> dict[str, Any]:
    """As models/invp/model.py reads it."""
    return {"binary": recourse == "B", "technology": TECHNOLOGY[technology]}


def grid(scenarios: int) -> np.ndarray:
    """(K, 2): the capacities of all scenarios."""
    side = round(scenarios**0.5)
    axis = np.linspace(5, 15, side)
    return np.array([(a, b) for a in axis for b in axis])
