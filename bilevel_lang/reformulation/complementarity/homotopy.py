"""Drives a sequence of NLPs with a shrinking parameter, from several starts, and finishes on one exact piece.

Every encoding of ``relaxation.py`` is solved here; they differ in the rows of their pairs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.reformulation.complementarity.elastic import elastic
from bilevel_lang.reformulation.complementarity.feasible_start import FeasibleStart
from bilevel_lang.reformulation.complementarity.finish import Budget, EndPoint, Finish
from bilevel_lang.reformulation.complementarity.relaxed_model import RelaxedModel
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.ipopt import FEASIBLE, CompiledNlp, NlpResult, compile_nlp
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.program_reading import sense_of
from bilevel_lang.solvers.solver import Solver, SolverRun, Termination, load_values

MU = (1.0, 1e-2, 1e-4, 1e-6, 1e-8)
"""Each step starts from the answer of the one before."""

ENTRIES = (0, 4, 1, 2, 4, 0, 2, 4)
"""With which step of the sequence start number k begins (in turn). A large mu forgets the start and finds what many starts find;
a small one stays near it, and finds what the relaxed problem would have walked away from."""

ITERATIONS = 500
"""Ipopt iterations a step, unless the user asks for others: a start that needs more is better left for another one."""

ORDINARY = 1
"""After how many descents that led nowhere further starts are led to a feasible point first."""

LED = 3
"""How many feasible points are enough then."""

ELASTIC_STARTS = 3
"""From how many starts the elastic problem is solved where every ordinary descent has failed."""

Starter = Callable[[int], None]
"""Writes the k-th start into the model's variables; the first one (0) is the model as it is."""


@dataclass(frozen=True, eq=False)
class Homotopy:
    """A relaxed model and where its starts come from."""

    relaxed: RelaxedModel
    starter: Starter

    def run(self, solver: Solver, options: Options) -> SolverRun:
        """Solve from ``options.starts`` starts; the best end point that is complementary and feasible."""
        return _Search(self.relaxed, self.starter, options).run()


class _Search:
    """One run: its budget, its end points, and why it stopped."""

    def __init__(self, relaxed: RelaxedModel, starter: Starter, options: Options) -> None:
        self._relaxed = relaxed
        self._starter = starter
        self._options = replace(options, solver_options={"max_iter": ITERATIONS, **options.solver_options})
        self._budget = Budget(options.time_limit)
        self._ends: list[EndPoint] = []
        self._stopped: Termination | None = None
        self._last: NlpResult | None = None
        self._converged = 0
        self._led = 0
        self._before = [(v, v.value) for v in relaxed.model.component_data_objects(pyo.Var)]

    def run(self) -> SolverRun:
        nlp = compile_nlp(self._relaxed.model, parameters=(self._relaxed.mu,))
        self._descend_from(nlp, range(max(1, self._options.starts)))
        finish = Finish(self._relaxed, nlp.solver, self._options, self._budget)
        runs = finish.runs(self._ends, self._stopped)
        how = ""
        if not runs and self._stopped is None and self._relaxed.rows:
            runs = self._elastically(finish)
            how = "; the point comes from the elastic problem" if runs else "; neither did the elastic problem"
        return self._answer(runs, nlp.solver, f"{self._converged} of {self._options.starts} starts converged{how}")

    def _descend_from(self, nlp: CompiledNlp, starts: Sequence[int]) -> None:
        feasible: FeasibleStart | None = None
        for k in starts:
            if self._budget.spent:
                self._stopped = Termination.LIMIT
                return
            if self._led >= LED or (self._ends and self._budget.running_out):
                return
            self._begin(k)
            start, steps = nlp.start(), self._steps(k)
            if k >= ORDINARY and (self._converged == 0 or self._led):
                feasible = feasible or FeasibleStart(self._relaxed, nlp)
                start, steps = self._lead(nlp, feasible, start, steps)
                if self._led and self._relaxed.objective is None:
                    return
            reached, self._last = self._descend(nlp, start, steps)
            self._stopped = self._cut_short(self._last)
            self._converged += self._last.solved
            if reached is not None and (self._stopped is None or not self._ends):
                # Cut short in its first descent, a run still gives the best point it has.
                self._ends.append(self._end(nlp, reached))
            if self._stopped is not None or (reached is not None and self._relaxed.objective is None):
                return  # without an objective any point will do

    def _lead(
        self, nlp: CompiledNlp, feasible: FeasibleStart, start: Floats, steps: tuple[float, ...]
    ) -> tuple[Floats, tuple[float, ...]]:
        """``start`` led to a feasible point, which is an end point already, and the last step; else both as they are."""
        led = feasible.lead(start, self._budget)
        if led is None:
            return start, steps
        self._led += 1
        self._ends.append(self._end(nlp, self._at(nlp, led)))
        return led, steps[-1:]

    def _at(self, nlp: CompiledNlp, point: Floats) -> NlpResult:
        """A feasible point as a result: converged where any point will do, else good for its piece only."""
        ended = Termination.LOCALLY_OPTIMAL if self._relaxed.objective is None else Termination.LIMIT
        none = np.zeros(0)
        objective = self._relaxed.own_objective()
        return NlpResult(ended, "a feasible point", point, objective, FEASIBLE, none, none, 0, 0.0)

    def _begin(self, number: int) -> None:
        """Start ``number``, whatever earlier ones have left in the model; slacks where their rows want them."""
        for variable, value in self._before:
            if not variable.fixed:
                variable.set_value(value, skip_validation=True)
        self._starter(number)
        self._relaxed.settle_slacks()

    def _steps(self, number: int) -> tuple[float, ...]:
        steps = self._relaxed.steps
        return steps if self._relaxed.whole else steps[min(ENTRIES[number % len(ENTRIES)], len(steps) - 1) :]

    def _descend(self, nlp: CompiledNlp, start: Floats, steps: tuple[float, ...]) -> tuple[NlpResult | None, NlpResult]:
        """The end point, None where the very first step failed, and the last step taken.

        A step that stops before it converged, but at a point of the relaxed problem, is good enough to go on from.
        """
        result: NlpResult | None = None
        for mu in steps:
            step = nlp.solve(start, np.array([mu]), self._options.for_solver(self._budget.left(0.1)))
            if not step.solved and (self._cut_short(step) is not None or not step.violation <= FEASIBLE):
                # A later, harder step may fail although the earlier ones are good enough to finish from.
                return result, step
            result, start = step, step.x
        return result, step

    def _end(self, nlp: CompiledNlp, reached: NlpResult) -> EndPoint:
        values = ComponentMap(zip(nlp.variables, map(float, reached.x), strict=True))
        load_values(values)
        return EndPoint(values, self._relaxed.own_objective(), self._relaxed.residual(), reached)

    def _elastically(self, finish: Finish) -> list[SolverRun]:
        """Where every start fails: rows of pairs with a slack that costs. Only what ends without, on an exact piece, counts."""
        ends: list[EndPoint] = []
        with elastic(self._relaxed) as stretched:
            nlp = compile_nlp(self._relaxed.model, parameters=(self._relaxed.mu,))
            for k in range(min(ELASTIC_STARTS, max(1, self._options.starts))):
                if self._budget.spent or self._stopped is not None:
                    break
                self._begin(k)
                reached, last = self._descend(nlp, nlp.start(), self._relaxed.steps)
                self._stopped = self._cut_short(last)
                if reached is None:
                    continue
                end = self._end(nlp, reached)
                if stretched.slack() <= stretched.none:
                    ends.append(stretched.without_slacks(end))
        return finish.runs(ends, self._stopped, only_pieces=True)

    def _answer(self, runs: list[SolverRun], solver: str, said: str) -> SolverRun:
        seconds, stopped, last = self._budget.seconds, self._stopped, self._last
        if runs:
            sense = sense_of(self._relaxed.model)
            ended = stopped or Termination.LOCALLY_OPTIMAL
            ranked = sorted(runs, key=lambda r: sense * (r.objective or 0.0))
            best, *rest = (replace(r, termination=ended, seconds=seconds, message=said) for r in ranked)
            return replace(best, others=tuple(rest))
        if stopped is None and last is not None:
            stopped = last.termination if not last.solved else Termination.FAILED
            said = f"{said}; {last.message}"
        return SolverRun(stopped or Termination.FAILED, solver, seconds=seconds, message=said)

    def _cut_short(self, step: NlpResult) -> Termination | None:
        """INTERRUPTED or LIMIT where Ctrl-C or the time limit ended the step; None for a step that ended by itself."""
        if step.termination is Termination.INTERRUPTED:
            return Termination.INTERRUPTED
        return Termination.LIMIT if step.termination is Termination.LIMIT and self._budget.spent else None
