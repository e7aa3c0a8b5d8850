"""Where networks come from: trained on what the judge knows, or read from a file that was given."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bilevel_lang.reformulation.nn_embed.fitted import Effort, Fitted, best_fit
from bilevel_lang.reformulation.nn_embed.target import value_factor
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.training.fitting import LEAST_SAMPLES
from bilevel_lang.surrogate.training.halving import drawn, halved
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import Settings

LAYERS, STEPS = (32, 32), 600
"""Widths of a network, and steps of its training at most, where nothing else is asked for: begun with the least-squares line, it
is as near after them as after 2000 from a start at random."""

SOBOLEV = 1.0
"""Weight of exact gradients where all inputs are continuous; on binary ones they say nothing of the next point."""


@dataclass
class Supplier:
    """``supply`` gives a network for a target; ``said`` collects what decided, ``states`` the files of all trainings."""

    source: BilevelProgram
    domain: InputSet
    options: Options
    given: Fitted | None = None
    said: list[str] = field(default_factory=list)
    states: list[Path] = field(default_factory=list)
    _last: dict[str, Fitted] = field(default_factory=dict)
    _chosen: dict[str, Settings] = field(default_factory=dict)

    @property
    def samples_needed(self) -> bool:
        """Whether a network has to be trained."""
        return self.given is None or self.options.nn.refine > 0

    def supply(self, labels: Labels | None, target: str, deadline: float | None) -> Fitted | None:
        """The network to embed; None where there are too few samples to train one."""
        if self.given is not None:
            return self.given
        if labels is None or len(labels) < LEAST_SAMPLES:
            self.said.append(f"{0 if labels is None else len(labels)} samples are too few to train on: nothing was embedded")
            return None
        curvature, free = self._curvature(target), self._free(target)
        previous = self._last.get(target)
        effort = Effort(deadline, self.options.nn.folder, _tell if self.options.verbose else None, self.states)
        settings = self._searched(target, labels, self._settings(labels), effort)
        fitted, said = best_fit(labels, self.options.nn.network, settings, curvature, free, effort, previous)
        self.said += [f"{target} by {line}" for line in said] if previous is None else []
        self._last[target] = fitted
        return fitted

    def _searched(self, target: str, labels: Labels, base: Settings, effort: Effort) -> Settings:
        """``base`` with what successive halving chose, in the first round of the target, where a search was asked for."""
        nn = self.options.nn
        if not nn.search or nn.network == "cuts":
            return base
        if target not in self._chosen:
            kind = "icnn" if nn.network == "icnn" else "relu"
            start = replace(base, kind=kind, curvature=self._free(target) or self._curvature(target) or 1)
            candidates = drawn(start, nn.search, layers=nn.layers is None)
            best, tried = halved(candidates, lambda settings, start: effort.fit(labels, settings, start))
            self._chosen[target] = best
            widths = "x".join(map(str, best.layers))
            self.said.append(
                f"{target}: {len(candidates)} settings searched in {len(tried)} short trainings: {widths}, "
                f"L1 {best.l1:.2g}, rate {best.rate:.2g}"
            )
        best = self._chosen[target]
        return replace(base, layers=best.layers, l1=best.l1, rate=best.rate)

    def _settings(self, labels: Labels) -> Settings:
        smooth = labels.gradients is not None and not self.domain.integer.any()
        layers = self.options.nn.layers or LAYERS
        sobolev = SOBOLEV if smooth else 0.0
        return Settings(layers=layers, steps=STEPS, seed=self.options.seed, sobolev=sobolev, linear_start=True)

    def _curvature(self, target: str) -> int | None:
        """+1 where what is learned is convex, -1 concave: the value of an LP follower, and multiples of it."""
        if (self.source.relaxation.integer & self.source.follower).any():
            return None
        if target == "value":
            return 1
        factor = value_factor(self.source) if target == "leader" else None
        return None if not factor else int(np.sign(factor))

    def _free(self, target: str) -> int | None:
        """Which curvature costs no binaries, where it can represent what is learned: on binary inputs every function has both."""
        side = {"leader": 1, "value": -1}.get(target)
        binary = bool(self.domain.integer.all() and (self.domain.upper - self.domain.lower <= 1).all())
        return side if side is not None and (binary or self._curvature(target) == side) else None


def _tell(step: int, steps: int, loss: float, error: float) -> None:
    """A line that is written over itself."""
    end = "\n" if step >= steps else ""
    print(
        f"\rtraining {100 * step // steps:3d} %   loss {loss:.3e}   held-out error {error:.4g}  ",
        end=end,
        file=sys.stderr,
        flush=True,
    )
