"""From the end points of a relaxation to points of the MPEC: pieces of decided pairs, and better pieces next to them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.reformulation.complementarity.relaxed_model import RelaxedModel, Side
from bilevel_lang.reformulation.complementarity.sharpening import may_be_flat, sharpened
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.ipopt import FEASIBLE, NlpResult, compile_nlp
from bilevel_lang.solvers.program_reading import sense_of
from bilevel_lang.solvers.solver import SolverRun, Termination, load_values

PIECES = 4
"""How many of the best end points are finished exactly."""

GRACE = 1.0
"""Seconds to finish the best end point where the time limit or Ctrl-C came first."""

RESERVE = 0.2
"""The part of a time limit in which no further start is begun once there is an end point to finish."""

DISTINCT = 1e-4
"""End points closer than this in every variable are one."""

COMPLEMENTARY = 2e-4
"""Largest min(left, right) of an end point that is handed on without a piece; whether it is good enough verification says."""

FLIPS = 32
"""How many neighbouring pieces of the best one are tried, pairs in the order of their names: one pair decided the other way."""

FLIP_SECONDS = 5.0
"""What trying them may take, a third of the time left where that is less."""

BETTER = 1e-6
"""By how much a neighbouring piece has to be better, relative to max(1, |objective|)."""


class Budget:
    """A time limit in seconds (None: none) that runs from now."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Spent so far."""
        return time.perf_counter() - self._began

    def left(self, least: float | None = None) -> float | None:
        """What is left, at least ``least``; None without a limit."""
        if self._limit is None:
            return None
        left = self._limit - self.seconds
        return left if least is None else max(left, least)

    @property
    def running_out(self) -> bool:
        """Whether what is left should go into finishing what there is."""
        left = self.left()
        return left is not None and self._limit is not None and left <= RESERVE * self._limit

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        left = self.left()
        return left is not None and left <= 0


@dataclass(frozen=True, eq=False)
class EndPoint:
    """Where a descent ended. ``objective`` is the model's own, ``residual`` the largest min(left, right) of a pair."""

    values: ComponentMap
    objective: float
    residual: float
    result: NlpResult


class Finish:
    """Finishes end points of one run."""

    def __init__(self, relaxed: RelaxedModel, solver: str, options: Options, budget: Budget) -> None:
        self._relaxed = relaxed
        self._solver = solver
        self._options = options
        self._budget = budget
        self._sense = sense_of(relaxed.model)
        self._flat = may_be_flat(relaxed.model)

    def runs(self, ends: list[EndPoint], stopped: Termination | None, only_pieces: bool = False) -> list[SolverRun]:
        """The best end points finished, at least one of them whatever the time; of the best one also its neighbours."""
        runs: list[SolverRun] = []
        for end in self._distinct(ends)[:PIECES]:
            left = self._budget.left()
            late = stopped is not None or (left is not None and left < GRACE)
            if late and runs:
                break
            run = self._finish(end, GRACE if late else left, only_pieces)
            if run is not None:
                runs.append(run)
        if ends and stopped is None and (self._relaxed.objective is not None or not runs):
            best = min(runs, key=self._rank) if runs else None
            better = self._neighbours(best, best.values if best and best.values else self._distinct(ends)[0].values)
            runs += [better] if better is not None else []
        return runs

    def _rank(self, run: SolverRun) -> float:
        return self._sense * (run.objective or 0.0)

    def _distinct(self, ends: list[EndPoint]) -> list[EndPoint]:
        """End points by objective, near copies left out."""
        kept: list[EndPoint] = []
        for end in sorted(ends, key=lambda e: self._sense * e.objective):
            if all(np.max(np.abs(end.result.x - k.result.x), initial=0.0) > DISTINCT for k in kept):
                kept.append(end)
        return kept

    def _finish(self, end: EndPoint, seconds: float | None, only_pieces: bool) -> SolverRun | None:
        """Pin the smaller side of every pair to 0 and solve that piece; where it has no solution, the end point as it is."""
        load_values(end.values)
        run = self._piece(self._relaxed.smaller_sides(), end.values, seconds)
        if run is not None:
            return run
        if only_pieces or not end.result.solved or end.result.violation > FEASIBLE or end.residual > COMPLEMENTARY:
            return None
        return SolverRun(end.result.termination, self._solver, end.values, end.objective, iterations=end.result.iterations)

    def _piece(self, zeros: Sequence[Side], start: ComponentMap, seconds: float | None) -> SolverRun | None:
        with self._relaxed.piece(zeros):
            piece = compile_nlp(self._relaxed.model)
            result = piece.solve(options=self._options.for_solver(seconds))
            result = sharpened(piece, result, self._options) if self._flat else result
        if not result.solved or result.violation > FEASIBLE:
            return None
        values = ComponentMap(start.items())
        values.update(zip(piece.variables, map(float, result.x), strict=True))
        return SolverRun(result.termination, self._solver, values, result.objective, iterations=result.iterations)

    def _neighbours(self, best: SolverRun | None, origin: ComponentMap) -> SolverRun | None:
        """The best of the pieces that differ from that of ``origin`` in one pair, and on from there as long as it gets better.

        ``best``: the run at ``origin``, None where its own piece has no solution.
        """
        left = self._budget.left()
        patience = Budget(FLIP_SECONDS if left is None else min(FLIP_SECONDS, left / 3))
        flips = 0
        improved = True
        while improved:
            improved = False
            for place in range(len(self._relaxed.sides)):
                if flips >= FLIPS or patience.spent:
                    return best
                flips += 1
                run = self._flipped(origin, place, patience.left(0.1))
                if run is not None and run.values is not None and self._improves(run, best):
                    best, origin, improved = run, run.values, True
        return best

    def _improves(self, run: SolverRun, best: SolverRun | None) -> bool:
        return best is None or self._rank(run) < self._rank(best) - BETTER * max(1.0, abs(best.objective or 0.0))

    def _flipped(self, origin: ComponentMap, place: int, seconds: float | None) -> SolverRun | None:
        load_values(origin)
        zeros = self._relaxed.smaller_sides()
        left, right = self._relaxed.sides[place]
        zeros[place] = right if zeros[place] is left else left
        return self._piece(zeros, origin, seconds)
