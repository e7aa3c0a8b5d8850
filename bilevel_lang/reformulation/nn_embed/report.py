"""What is told of the surrogate, besides the answer."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Any

from bilevel_lang.reformulation.nn_embed.fitted import Fitted


@dataclass
class Report:
    """Of one run, filled as it goes. ``drawn``: of the ``samples`` those that were solved now, in ``sampling_seconds``, and not
    read from a folder, as ``taken`` were; ``approximate``: what the last program said of the leader's objective, in its own
    sense; ``network_objective``: what the leader truly gets at that program's decision; ``best_from``: ``samples`` or
    ``network``, whichever led to the best point; ``error_at_answer``: of the network at that point, in units of the target;
    ``said``: what there is to say of the samples."""

    target: str
    samples: int = 0
    drawn: int = 0
    taken: int = 0
    sampling_seconds: float = 0.0
    training_seconds: float = 0.0
    rounds: int = 0
    fitted: Fitted | None = None
    binaries: int | None = None
    continuous: int | None = None
    approximate: float | None = None
    network_objective: float | None = None
    error_at_answer: float | None = None
    best_from: str | None = None
    said: list[str] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """As docs/json.md has it."""
        fitted = self.fitted
        return {
            "kind": None if fitted is None else fitted.kind,
            "layers": None if fitted is None else list(fitted.layers),
            "target": self.target,
            "samples": self.samples,
            "samples_from_folder": self.taken,
            "sampling_seconds": self.sampling_seconds,
            "solves_per_second": self.drawn / max(self.sampling_seconds, 1e-9),
            "training_seconds": None if fitted is None else self.training_seconds,
            "validation_mae": None if fitted is None or math.isnan(fitted.mae) else fitted.mae,
            "validation_max_error": None if fitted is None or math.isnan(fitted.max_error) else fitted.max_error,
            "binaries": self.binaries,
            "continuous": self.continuous,
            "rounds": self.rounds,
            "network_objective": self.network_objective,
            "error_at_answer": self.error_at_answer,
            "best_from": self.best_from,
        }


def tell_round(number: int, refinements: int, asked: int, objective: float | None) -> None:
    """A line on stderr at the end of the round ``number`` (0: the one before all ``refinements``), in the leader's own sense."""
    which = "first round" if number == 0 else f"refinement {number} of {refinements}"
    best = "no verified point yet" if objective is None else f"best verified point {objective:.8g}"
    print(f"{which}: {best}, {asked} decisions asked about", file=sys.stderr, flush=True)
