"""Parts of what is left of a time limit."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TimeShares:
    """``deadline``: a reading of ``time.perf_counter``; None without a limit."""

    deadline: float | None

    @classmethod
    def of(cls, limit: float | None) -> TimeShares:
        """``limit``: seconds from now on."""
        return cls(None if limit is None else time.perf_counter() + limit)

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def seconds(self, part: float = 1.0) -> float:
        """This ``part`` of what is left, not less than 0; infinite without a limit."""
        return np.inf if self.deadline is None else max(0.0, part * (self.deadline - time.perf_counter()))

    def until(self, part: float) -> float | None:
        """When this ``part`` of what is left is over, a reading of ``time.perf_counter``; None without a limit."""
        return None if self.deadline is None else time.perf_counter() + self.seconds(part)
