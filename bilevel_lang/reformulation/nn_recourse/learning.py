"""Networks of the expected cost: trained, put into the first stage, solved, and their decisions evaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_recourse.archive import Known
from bilevel_lang.reformulation.nn_recourse.fitted import KINDS, fitted
from bilevel_lang.reformulation.nn_recourse.program import Learned, learned_program
from bilevel_lang.reformulation.nn_recourse.search_state import SearchState
from bilevel_lang.reformulation.nn_recourse.time_shares import TimeShares
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.surrogate.training.fitting import LEAST_SAMPLES
from bilevel_lang.surrogate.training.settings import Settings

LAYERS = (32, 32)

SOLVE_SECONDS = 10.0
"""For a program with a network, where there is no time limit: what it has by then is evaluated like anything else."""

TRAINING_SHARE = 0.5
"""Of the time that is left, for all networks of one round together."""


@dataclass(frozen=True, eq=False)
class Tried:
    """The last program of one kind, what it said of its decision, and what that costs in truth, or as well as it is known."""

    kind: str
    fitted: Fitted
    learned: Learned
    claim: float
    known: Known


class Learning:
    """``tried`` by kind; ``seconds`` of training. ``value`` of a decision (inputs,): what it costs, None where that is not found
    out; ``then`` goes on from it."""

    def __init__(self, state: SearchState) -> None:
        self.state = state
        self.tried: dict[str, Tried] = {}
        self.seconds = 0.0

    def learn(self, value: Callable[[Floats], Known | None], then: Callable[[Tried], None] | None = None) -> bool:
        """Train, solve and evaluate every kind that is wanted; whether there was something to train on.

        Raises KeyboardInterrupt where Ctrl-C ended the solver.
        """
        state = self.state
        fine = state.archive.chosen()
        if len(fine) < 2 * LEAST_SAMPLES:
            state.said.append(f"{len(fine)} decisions with an answer in every scenario are too few to train a network on")
            return False
        settings = Settings(layers=state.options.nn.layers or LAYERS, seed=state.options.seed)
        labels = state.archive.labels()
        rest = replace(labels, targets=labels.targets - state.cuts.expected(np.array([k.x for k in fine]))[:, None])
        kinds = self._kinds()
        for number, kind in enumerate(kinds):
            before = self.tried[kind].fitted if kind in self.tried else None
            until = state.time.until(TRAINING_SHARE / (len(kinds) - number))
            found = fitted(kind, rest if kind == "residual" else labels, settings, until, before)
            self.seconds += found.seconds
            tried = self._solved(kind, found, value)
            if tried is not None:
                self.tried[kind] = tried
                if then is not None:
                    then(tried)
        return True

    def _kinds(self) -> tuple[str, ...]:
        wanted = self.state.options.nn.network
        return tuple(k for k in KINDS if k != "residual" or self.state.cuts.slopes) if wanted == "auto" else (wanted,)

    def _solved(self, kind: str, found: Fitted, value: Callable[[Floats], Known | None]) -> Tried | None:
        """The first stage with the network; None where that, or the truth of its decision, was not found."""
        state = self.state
        learned = learned_program(state.cuts, state.decisions, found.network, kind == "residual", state.options.nn.embedding)
        run = solved(learned, state.options, state.time)
        if run.x is None or run.objective is None:
            return None
        known = value(run.x[state.decisions.seen])
        return None if known is None else Tried(kind, found, learned, run.objective, known)

    @property
    def best(self) -> Tried | None:
        """Of which the decision costs least; of equal ones, which is nearer to the truth at good decisions."""
        return min(self.tried.values(), key=lambda t: (t.known.total, t.fitted.near), default=None)


def solved(learned: Learned, options: Options, time: TimeShares) -> MatrixRun:
    """The first stage with a network, for :data:`SOLVE_SECONDS` at most.

    Raises KeyboardInterrupt where Ctrl-C ended the solver.
    """
    seconds = min(SOLVE_SECONDS, max(0.1, time.seconds()))
    run = Highs().run_matrix(learned.program, replace(options.for_solver(seconds), gap=options.gap or 1e-4, extra={}))
    if run.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    return run


def errors_of(tried: Tried) -> str:
    """A sentence about the network's errors."""
    return f"{tried.kind}: held-out error {tried.fitted.mae:.4g}, near good decisions {tried.fitted.near:.4g}"
