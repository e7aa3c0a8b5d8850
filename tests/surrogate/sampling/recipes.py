"""What labels points in tests of runs: importable by workers, without a solver."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bilevel_lang.surrogate.dataset import DataSet, Floats


def labelled(points: Floats, slope: float = 1.0) -> DataSet:
    """slope * |x|^2 with its gradient; infeasible where the first input is above 0.9."""
    feasible = points[:, 0] <= 0.9
    nothing = np.where(feasible, slope, np.nan)
    names = tuple(f"x{k}" for k in range(points.shape[1]))
    return DataSet(points, feasible, (points**2).sum(axis=1) * nothing, 2 * points * nothing[:, None], input_names=names)


@dataclass(frozen=True)
class Square:
    """``slow`` seconds a shard; every built labeller leaves a file in ``trace``; ``deadly`` ends its process."""

    slope: float = 1.0
    slow: float = 0.0
    trace: Path | None = None
    deadly: bool = False
    wrong: bool = False

    def fingerprint(self) -> str:
        return f"square {self.slope}"

    def build(self) -> Callable[[Floats], DataSet]:
        if self.trace is not None:
            (self.trace / f"built-{os.getpid()}-{time.monotonic_ns()}").touch()
        return self._label

    def _label(self, points: Floats) -> DataSet:
        time.sleep(self.slow)
        if self.deadly:
            os._exit(9)
        if self.wrong:
            raise ValueError("no labels here")
        return labelled(points, self.slope)
