"""Drives a sequence of NLPs with a shrinking parameter, from several starts, and finishes on one exact piece."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.reformulation.complementarity.piece import pinned
from bilevel_lang.reformulation.rewrite import Options
from bilevel_lang.solvers.ipopt import FEASIBLE, CompiledNlp, NlpResult, compile_nlp
from bilevel_lang.solvers.program import sense_of
from bilevel_lang.solvers.solver import Solver, SolverOptions, SolverRun, Termination, load_values

MU = (1.0, 1e-2, 1e-4, 1e-6, 1e-8)
"""Each step starts from the answer of the one before."""

ENTRIES = (0, 4, 1, 2, 4, 0, 2, 4)
"""With which step of ``MU`` start number k begins (in turn). A large mu forgets the start and finds what many starts find; a
small one stays near it, and finds what the relaxed problem would have walked away from."""

ITERATIONS = 500
"""Ipopt iterations a step, unless the user asks for others: a start that needs more is better left for another one."""

PIECES = 4
"""How many of the best end points are finished exactly."""

GRACE = 1.0
"""Seconds to finish the best end point where the time limit or Ctrl-C came first."""

Starter = Callable[[int], None]
"""Writes the k-th start into the model's variables; the first one (0) is the model as it is."""


@dataclass(frozen=True, eq=False)
class Homotopy:
    """``model`` with its parameter ``mu`` (a fixed variable) and the sides of its pairs as variables >= 0."""

    model: Any
    mu: Any
    sides: tuple[tuple[Any, Any], ...]
    starter: Starter

    def run(self, solver: Solver, options: Options) -> SolverRun:
        """Solve from ``options.starts`` starts; the best end point that is complementary and feasible."""
        began = time.perf_counter()
        nlp = compile_nlp(self.model, parameters=(self.mu,))
        ends: list[NlpResult] = []
        stopped: Termination | None = None
        last: NlpResult | None = None
        for k in range(max(1, options.starts)):
            left = _left(options, began)
            if left is not None and left <= 0:
                stopped = Termination.LIMIT
                break
            self.starter(k)
            steps = MU[ENTRIES[k % len(ENTRIES)] :]
            reached, last = self._descend(nlp, steps, options, began)
            stopped = _cut_short(last, options, began)
            if reached is not None and (stopped is None or not ends):
                # Cut short in its first descent, a run still gives the best point it has.
                ends.append(reached)
            if stopped is not None:
                break
            if reached is not None and not self._has_objective():
                break  # any point will do
        return self._best(nlp, ends, last, stopped, options, began)

    def _descend(
        self, nlp: CompiledNlp, steps: tuple[float, ...], options: Options, began: float
    ) -> tuple[NlpResult | None, NlpResult]:
        """The end point, None where the descent failed too early to have one, and the last step taken."""
        result: NlpResult | None = None
        start = nlp.start()
        for mu in steps:
            left = _left(options, began)
            step = nlp.solve(start, np.array([mu]), _patient(options).for_solver(None if left is None else max(left, 0.1)))
            if not step.solved:
                # A later, harder step may fail although the earlier ones are good enough to finish from.
                enough = mu < 1e-4 or _cut_short(step, options, began) is not None
                return (result if enough else None), step
            result, start = step, step.x
        return result, step

    def _best(
        self,
        nlp: CompiledNlp,
        ends: list[NlpResult],
        last: NlpResult | None,
        stopped: Termination | None,
        options: Options,
        began: float,
    ) -> SolverRun:
        runs = self._finished(nlp, ends, stopped, options, began)
        seconds = time.perf_counter() - began
        said = f"{len(ends)} of {options.starts} starts converged"
        if runs:
            best = min(runs, key=lambda r: sense_of(self.model) * (r.objective or 0.0))
            termination = stopped or Termination.LOCALLY_OPTIMAL
            return replace(best, termination=termination, seconds=seconds, message=said)
        if stopped is None and last is not None:
            stopped = last.termination if not last.solved else Termination.FAILED
            said = f"{said}; {last.message}"
        return SolverRun(stopped or Termination.FAILED, nlp.solver, seconds=seconds, message=said)

    def _finished(
        self, nlp: CompiledNlp, ends: list[NlpResult], stopped: Termination | None, options: Options, began: float
    ) -> list[SolverRun]:
        """The best end points finished, at least one of them whatever the time."""
        runs: list[SolverRun] = []
        for end in self._distinct(nlp, ends)[:PIECES]:
            left = _left(options, began)
            late = stopped is not None or (left is not None and left < GRACE)
            if late and runs:
                break
            run = self._finish(nlp, end, _patient(options).for_solver(GRACE if late else left))
            if run is not None:
                runs.append(run)
        return runs

    def _distinct(self, nlp: CompiledNlp, ends: list[NlpResult]) -> list[NlpResult]:
        """End points by objective, near copies left out."""
        ordered = sorted(ends, key=lambda e: sense_of(self.model) * e.objective)
        kept: list[NlpResult] = []
        for end in ordered:
            if all(np.max(np.abs(end.x - k.x), initial=0.0) > 1e-4 for k in kept):
                kept.append(end)
        return kept

    def _has_objective(self) -> bool:
        return next(self.model.component_data_objects(pyo.Objective, active=True), None) is not None

    def _finish(self, nlp: CompiledNlp, end: NlpResult, options: SolverOptions) -> SolverRun | None:
        """Pin the smaller side of every pair to 0 and solve that piece; where it has no solution, the end point as it is.

        An end point is complementary up to ``left * right <= mu`` only; whether that is good enough is for verification to say.
        """
        values = ComponentMap(zip(nlp.variables, map(float, end.x), strict=True))
        load_values(values)
        product = self.mu.parent_block().product
        product.deactivate()
        with pinned(self.sides):
            piece = compile_nlp(self.model)
            result = piece.solve(options=options)
        product.activate()
        if result.solved and result.violation <= FEASIBLE:
            values.update(zip(piece.variables, map(float, result.x), strict=True))
            return SolverRun(result.termination, nlp.solver, values, result.objective, iterations=result.iterations)
        if end.violation > FEASIBLE:
            return None
        return SolverRun(end.termination, nlp.solver, values, end.objective, iterations=end.iterations)


def _cut_short(step: NlpResult, options: Options, began: float) -> Termination | None:
    """INTERRUPTED or LIMIT where Ctrl-C or the time limit ended the step; None for a step that ended by itself."""
    if step.termination is Termination.INTERRUPTED:
        return Termination.INTERRUPTED
    left = _left(options, began)
    return Termination.LIMIT if step.termination is Termination.LIMIT and left is not None and left <= 0 else None


def _patient(options: Options) -> Options:
    return replace(options, solver_options={"max_iter": ITERATIONS, **options.solver_options})


def _left(options: Options, began: float) -> float | None:
    return None if options.time_limit is None else options.time_limit - (time.perf_counter() - began)
