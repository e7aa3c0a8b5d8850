"""How long each stage took."""

from __future__ import annotations

import time

STAGES = ("parse", "resolve", "reformulate", "solve", "verify")


class Clock:
    """Seconds a stage took, from tick to tick; a stage that was never ticked took none."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._seconds = dict.fromkeys(STAGES, 0.0)

    def tick(self, stage: str) -> None:
        """The time since the last tick was spent on ``stage``."""
        now = time.perf_counter()
        self._seconds[stage] += now - self._last
        self._last = now

    def skip(self) -> None:
        """The time since the last tick was spent on something that is not ours (the modeller's own file)."""
        self._last = time.perf_counter()

    @property
    def seconds(self) -> dict[str, float]:
        """Stage -> seconds, and their total."""
        return {**self._seconds, "total": sum(self._seconds.values())}
