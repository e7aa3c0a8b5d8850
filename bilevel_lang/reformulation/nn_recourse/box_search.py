"""The rewrite ``boxes``: a branch and bound over boxes of first-stage decisions, for integer second stages that can be listed.

Formulation: :mod:`bilevel_lang.reformulation.stochastic.arrays`; search: :mod:`.boxes`. Accepts: programs of expected costs with
a second stage that is all whole and has few answers in each of its parts, and a first stage in a finite box. Exactness: exact, to
the gap: every box is bounded by the answers that its loosest sides allow. Source: Ahmed, Tawarmalani and Sahinidis 2004, "A
finite branch-and-bound algorithm for two-stage stochastic integer programs", Mathematical Programming 100:355.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.boxes import Boxes
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of, seen_columns
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.stochastic.answer_parts import listed_answers
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.reformulation.stochastic.method import ExtensiveForm, StochasticRun, TwoStageReformulation, apart
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.program import is_integer
from bilevel_lang.solvers.solver import Termination

WORTH, OF_FEW = 2_000, 400
"""Integers in the extensive form from which on `auto` takes this method, and those from which on it does where the second stage
sees no more than :data:`FEW` columns: it mostly ends in a second there."""

FEW, MOST_SEEN = 3, 6
"""Columns of the first stage that the second sees. Boxes of more than the latter may be too many: `auto` does not try."""

GAP = 1e-4
"""Relative, where none is asked for: as MILP solvers have it."""

REMEDY = "use `--method extensive-form`"


class BoxSearch:
    """Boxes of decisions until the best one is proven."""

    name = "boxes"
    _asked = f"ask for it: --method {name}"

    def accepts(self, problem: BilevelProblem, options: Options) -> Verdict:
        """A whole second stage and expected costs; for `auto`, where it is likely to pay."""
        base = apart(self.name, ExtensiveForm().accepts(problem, options), problem, REMEDY)
        program = problem.stochastic
        if isinstance(base, Refusal) or program is None:
            return base
        other = next((v.name for v in program.second_variables if not is_integer(v)), None)
        if other is not None:
            return Refusal(f"`{other}` of the second stage is not whole", REMEDY)
        if options.solver not in (None, "highs"):
            return Refusal(f"it works with HiGHS, not with {options.solver}", "leave --solver out")
        if options.encoding not in (None, "", "none"):
            return Refusal("there are no conditions to encode", "leave --encoding out")
        if options.method.lower() == "auto" and (too_small := self._not_worth_it(problem, options)) is not None:
            return too_small
        return Accepted(f"two stages, {len(program.second_variables)} whole variables in the second, whose answers are listed")

    def _not_worth_it(self, problem: BilevelProblem, options: Options) -> Refusal | None:
        """Why the extensive form goes first; None where it does not."""
        program = problem.stochastic
        assert program is not None
        try:
            scenarios = program.scenarios(options.scenarios, options.seed)
            integers = scenarios.size * len(program.second_variables)
            if integers < OF_FEW:
                # Known before the arrays are made, which takes longest.
                return Refusal(f"the extensive form, with {integers:,} integers, goes first", self._asked)
            arrays = compile_program(problem, scenarios).arrays
            why = _why_not(arrays)
        except RefusedError as error:
            return Refusal(str(error).splitlines()[0], REMEDY)
        if why is not None:
            return Refusal(why, REMEDY)
        seen = len(seen_columns(arrays))
        if (integers < WORTH and seen > FEW) or seen > MOST_SEEN:
            said = f"the extensive form, with {integers:,} integers in a second stage that sees {seen} columns, goes first"
            return Refusal(said, self._asked)
        return None

    def prepare(self, problem: BilevelProblem, options: Options) -> TwoStageReformulation:
        """The arrays, ready to be searched.

        Raises RefusedError as the extensive form does, and where answers cannot be listed.
        """
        made = ExtensiveForm().prepare(problem, options)
        if (why := _why_not(made.arrays)) is not None:
            raise RefusedError(f"{self.name}: {why}", REMEDY)
        domain_of(made.arrays, tuple(v.name for v in made.compiled.first), self.name)
        said = (made.why[0], "chosen    arrays, the answers of the second stage listed")
        return replace(made, method=self.name, solver="highs", run=_Run(made), why=said)

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """The extensive form as a Pyomo model: the search itself has none."""
        return ExtensiveForm().apply(problem, options)

    def encode(self, reformulation: Reformulation, options: Options) -> Reformulation:
        """There is nothing to encode."""
        return ExtensiveForm().encode(reformulation, options)


def _why_not(arrays: TwoStageArrays) -> str | None:
    """Why boxes cannot be bounded, or halved; None where they can."""
    if listed_answers(arrays) is None:
        return "the second stage has too many answers to list, or the coefficients of decisions in its rows are random"
    return None if len(seen_columns(arrays)) else "the second stage sees no decision"


@dataclass(frozen=True, eq=False)
class _Run:
    made: TwoStageReformulation

    def __call__(self, options: Options) -> StochasticRun:
        began, arrays = time.perf_counter(), self.made.arrays
        deadline = math.inf if options.time_limit is None else began + options.time_limit
        gap = GAP if options.gap is None else options.gap
        domain = domain_of(arrays, tuple(v.name for v in self.made.compiled.first), BoxSearch.name)
        cuts = Cuts(arrays)
        decisions = Decisions(arrays, cuts.cost, domain, options.seed)
        stage = SecondStage(arrays, relaxed=False, deadline=deadline)
        archive = Archive(decisions, cuts, stage)
        boxes = Boxes(Neighbourhood(arrays, archive, options), gap, options.verbose)
        interrupted = False
        try:
            boxes.run(deadline)
        except KeyboardInterrupt:
            interrupted = True
        best = archive.best
        ended = Termination.INTERRUPTED if interrupted else _ended(boxes, gap)
        solver, seconds = f"{boxes.looked_at:,} of them looked at", time.perf_counter() - began
        bound = arrays.sense * boxes.bound if np.isfinite(boxes.bound) else None
        if best is None:
            return StochasticRun(ended, solver, bound=bound, seconds=seconds, nodes=boxes.looked_at)
        return StochasticRun(
            ended,
            solver,
            values=ComponentMap(zip(self.made.compiled.first, best.x.tolist(), strict=True)),
            objective=arrays.sense * best.total,
            bound=arrays.sense * min(boxes.bound, best.total),
            seconds=seconds,
            nodes=boxes.looked_at,
            x=best.x,
            y=stage.responses(best.x),
            apart=True,
        )


def _ended(boxes: Boxes, gap: float) -> Termination:
    best = boxes.archive.best
    if best is None:
        return Termination.INFEASIBLE if boxes.bound == np.inf else Termination.LIMIT
    closed = best.total - boxes.bound <= gap * max(1.0, abs(best.total)) + 1e-12
    return Termination.OPTIMAL if closed else Termination.LIMIT
