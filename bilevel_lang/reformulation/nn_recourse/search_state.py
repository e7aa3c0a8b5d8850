"""What all steps of one run know and add to, and what it ends with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive, Known
from bilevel_lang.reformulation.nn_recourse.bounding import Bounded, Bounding
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.nn_recourse.time_shares import TimeShares
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.surrogate.bounds.input_set import InputSet

SAMPLES = 200

LISTED = 5000
"""Binary or whole decisions up to which all of them are gone through, where the engine chooses."""

LABEL_GAP = 1e-3
"""Relative gap of the second stage's MILPs where decisions are compared; what is proven of them is kept beside."""

CLOSED = 1e-6
"""Relative gap at which nothing is left to look for, where none is asked for."""


@dataclass(eq=False)
class SearchState:
    """``every`` (k, inputs): all decisions, where they are few enough. ``said``: what to tell the user. ``bounded``: what cuts
    have proven so far, ``interrupted``: by Ctrl-C."""

    arrays: TwoStageArrays
    options: Options
    time: TimeShares
    decisions: Decisions
    cuts: Cuts
    archive: Archive
    every: Floats | None
    said: list[str]
    bounded: Bounded = field(init=False)
    interrupted: bool = False

    def __post_init__(self) -> None:
        nothing = np.zeros((0, len(self.cuts.cost)))
        self.bounded = Bounded(Termination.LIMIT, None, np.inf, -np.inf, nothing, 0, 0.0)

    @classmethod
    def begun(
        cls, arrays: TwoStageArrays, domain: InputSet, options: Options, bounding: Bounding, time: TimeShares
    ) -> SearchState:
        """Nothing is known yet. ``domain``: the box of the first stage; ``bounding`` has the cuts."""
        decisions = Decisions(arrays, bounding.cuts.cost, domain, options.seed)
        stage = SecondStage(arrays, relaxed=False, deadline=time.deadline, gap=options.gap or LABEL_GAP)
        archive = Archive(decisions, bounding.cuts, stage, bounding.stage)
        every = decisions.all(max(options.nn.samples or SAMPLES, LISTED if options.nn.network == "auto" else 0))
        return cls(arrays, options, time, decisions, bounding.cuts, archive, every, [])

    @property
    def wanted(self) -> int:
        """Decisions of the samples where each one takes a solver's time."""
        return self.options.nn.samples or (SAMPLES if self.every is None else len(self.every))

    @property
    def auto(self) -> bool:
        """Whether the engine chooses what to do, a network or something else."""
        return self.options.nn.network == "auto"

    def visited(self) -> Floats:
        """(k, inputs): where cuts were made, the last ones first."""
        visited = self.bounded.visited[:, self.decisions.seen]
        return np.asarray(np.where(self.decisions.inputs.integer, np.rint(visited), visited)[::-1])


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one run: ``best`` is None without a decision. ``bound`` as a minimisation; ``closed``: the two meet.

    ``y`` (S, n2): the second stage at the best decision, where it is listed or was kept, solved ``within`` a relative gap; None
    otherwise.
    """

    best: Known | None
    bound: float
    termination: Termination
    closed: bool
    approximate: float | None
    surrogate: dict[str, Any]
    said: tuple[str, ...] = ()
    y: Floats | None = None
    within: float = 0.0
