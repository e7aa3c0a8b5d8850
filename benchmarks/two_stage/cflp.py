"""Capacitated facility location after Cornuejols, Sridharan and Thizy 1991, as Neur2SP (arXiv:2205.12006) draws it.

numpy's legacy ``RandomState(7)`` draws, in this order: customers' and sites' coordinates, demands 5..35, capacities 10..160,
fixed costs; capacities are then scaled to twice the demand. A test set ``t`` of K scenarios is K draws of all demands by
``RandomState(K + t)``. These are the draws and the seeds of Neur2SP's and of ICNN-2SP's published code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 7
RATIO = 2.0
LEAST, MOST = 5, 35


@dataclass(frozen=True, eq=False)
class Cflp:
    """``fixed``, ``capacity`` (f,); ``transport`` (f, c) for the whole of a customer's demand; ``penalty`` of one not served."""

    fixed: np.ndarray
    capacity: np.ndarray
    transport: np.ndarray
    penalty: float

    def data(self, whole: bool) -> dict[str, Any]:
        """As models/cflp/model.py reads it; not ``whole``: customers may be served in parts, and the recourse is linear."""
        return {
            "whole": whole,
            "fixed": self.fixed.tolist(),
            "capacity": self.capacity.tolist(),
            "transport": self.transport.tolist(),
            "penalty": self.penalty,
        }


def cflp(facilities: int, customers: int) -> Cflp:
    """The instance of that size; there is one of each."""
    draw = np.random.RandomState(SEED)
    c_x, c_y = draw.rand(customers), draw.rand(customers)
    f_x, f_y = draw.rand(facilities), draw.rand(facilities)
    demand = draw.randint(LEAST, MOST + 1, size=customers)
    capacity = draw.randint(10, 161, size=facilities)
    fixed = (draw.randint(100, 111, size=facilities) * np.sqrt(capacity) + draw.randint(91, size=facilities)).astype(int)
    capacity = (capacity * RATIO * demand.sum() / capacity.sum()).astype(int)
    distance = np.sqrt((c_x[None, :] - f_x[:, None]) ** 2 + (c_y[None, :] - f_y[:, None]) ** 2)
    transport = distance * 10 * demand[None, :]
    return Cflp(fixed, capacity, transport, float(2 * max(fixed.max(), transport.max())))


def demands(customers: int, scenarios: int, test_set: int) -> np.ndarray:
    """A test set (K, c), with 0 <= ``test_set`` <= 9 for the published ones."""
    draw = np.random.RandomState(scenarios + test_set)
    return np.array([draw.randint(LEAST, MOST + 1, size=customers) for _ in range(scenarios)])
