"""The engine's plan where a global search may drown: globally on a budget, then locally, then globally from what was found.

A branch-and-bound proves most small problems at once and drowns in others, above all where variables without bounds stand in
nonconvex terms or on both sides of pairs. A sequence of NLPs from several starts finds good points there, without a proof. The
answer is the better point of the two, with the bound proven by then; the message says which stage it came from.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import ModelFileError, RefusedError, SolverFailedError
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.solver import SolverRun, Termination

FIRST = 10.0
"""Seconds for the first global search; a third of ``--time-limit`` where that is less."""

ORDINARY = 20_000
"""Columns up to which :data:`FIRST` is meant; beyond, it grows with them: the first LP of 400,000 takes longer than that."""

AGAIN = 30.0
"""Seconds for the second global search, from the local answer; what is left of ``--time-limit`` where that is given."""

NEARLY = 0.05
"""A gap, relative to max(1, |objective|), below which the second global search is worth it for curved rows too, unless
``--time-limit`` says that time is short: on a busy machine the first one may have been cut off just before its proof."""

OTHERWISE = "product"
"""The encoding of the local search where the first one has found nothing: equalities, from starts around 1."""

OTHERWISE_STARTS = 4
"""From how many starts at most."""

Run = Callable[[Options], SolverRun]

Prepare = Callable[[ComponentMap | None], Run]
"""Prepares a local search; the point that the global one has found, if any, in its own variables, becomes one of the starts."""


def budget_for(columns: int) -> float:
    """Seconds for the first global search of a program of so many columns."""
    return FIRST * max(1.0, columns / ORDINARY)


@dataclass(frozen=True, eq=False)
class TwoStage:
    """``globally`` solves the problem; ``locally()`` prepares the local search, whose runs speak of the same variables.

    ``sense``: -1.0 where the leader maximises, else 1.0. ``again``: whether a second global search is worth it (all rows linear:
    its bound usually closes, given an incumbent).
    """

    sense: float
    globally: Run
    locally: Prepare
    local_encoding: str
    again: bool
    local_first: bool = False
    """For problems without an objective: any point is as good as any other, and a local search finds one sooner."""
    otherwise: Prepare | None = None
    """Prepares another local search, with ``OTHERWISE``, for the case that the first one finds nothing."""
    budget: float = FIRST
    """Seconds for the first global search, see :func:`budget_for`."""

    def __call__(self, options: Options) -> SolverRun:
        """Global search; the local one, and perhaps the second global one, only if the budget ran out."""
        if self.local_first:
            return self._locally_first(options)
        return self._globally_first(options)

    def _locally_first(self, options: Options) -> SolverRun:
        limit = options.time_limit
        local = self._local(replace(options, time_limit=None if limit is None else limit / 2))
        local = self._otherwise(local, options, None if limit is None else (limit - local.seconds) / 2)
        if local.has_solution or local.termination is Termination.INTERRUPTED:
            return local
        left = AGAIN if limit is None else max(0.1, limit - local.seconds)
        found = self._global(replace(options, time_limit=left))
        return replace(found, seconds=local.seconds + found.seconds)

    def _globally_first(self, options: Options) -> SolverRun:
        limit = options.time_limit
        first = self._global(replace(options, time_limit=self.budget if limit is None else min(self.budget, limit / 3)))
        if first.termination not in (Termination.LIMIT, Termination.FAILED):
            return first
        half = replace(options, time_limit=None if limit is None else max(0.1, (limit - first.seconds) / 2))
        local = self._local(half, first.values)
        local = self._otherwise(local, options, None if limit is None else limit - first.seconds - local.seconds)
        why = first.message if first.termination is Termination.FAILED else f"no global proof within {first.seconds:.0f} s"
        best = self._better(first, local, why)
        again = self.again or (limit is None and _nearly(best))
        if not again or best.values is None or best.termination is Termination.INTERRUPTED:
            return best
        return self._again(best, options, first.seconds + local.seconds)

    def _global(self, options: Options) -> SolverRun:
        return _or_nothing(lambda: self.globally(options), "the global solver")

    def _local(self, options: Options, known: ComponentMap | None = None) -> SolverRun:
        return _searched(self.locally, self.local_encoding, options, known)

    def _otherwise(self, local: SolverRun, options: Options, left: float | None) -> SolverRun:
        """``local``, or what the other local search finds if it has no point and there is time ``left`` (<= 0: none)."""
        late = left is not None and left <= 0
        if local.has_solution or self.otherwise is None or late or local.termination is Termination.INTERRUPTED:
            return local
        few = replace(options, time_limit=left, starts=min(options.starts, OTHERWISE_STARTS))
        found = _searched(self.otherwise, OTHERWISE, few, None)
        message = found.message if found.has_solution else f"{local.message}; {OTHERWISE}: {found.message}"
        return replace(found, seconds=local.seconds + found.seconds, message=message)

    def _again(self, best: SolverRun, options: Options, spent: float) -> SolverRun:
        limit = AGAIN if options.time_limit is None else max(0.1, options.time_limit - spent)
        start = {**options.solver_options, "start": best.values}
        last = self._global(replace(options, time_limit=limit, solver_options=start))
        if last.termination is Termination.INFEASIBLE:
            # There is a point: what says that there is none has lost it to its tolerances, and proves nothing else either.
            said = f"not trusted: {last.solver} calls the problem infeasible, and a point is known"
            return replace(best, seconds=spent + last.seconds, doubts=(*best.doubts, said))
        if last.termination in (Termination.LIMIT, Termination.FAILED):
            return replace(
                self._better(last, best, f"no global proof within {spent + last.seconds:.0f} s"), seconds=spent + last.seconds
            )
        return replace(last, seconds=spent + last.seconds)

    def _better(self, proved: SolverRun, local: SolverRun, said: str) -> SolverRun:
        """The better point of a global search that was cut short and a local one, with the bound of the former."""
        seconds = proved.seconds + local.seconds
        if local.values is None or local.objective is None:
            return replace(proved, seconds=seconds, message=f"{said}; the local search found nothing: {local.message}")
        sense = self.sense
        if proved.values is not None and proved.objective is not None and sense * (proved.objective - local.objective) < -1e-9:
            # The incumbent of the global search is better, though nobody has polished it.
            others = (replace(local, others=()), *local.others)
            return replace(proved, termination=Termination.LOCALLY_OPTIMAL, seconds=seconds, message=said, others=others)
        bounded = proved.bound is not None and not local.solver.endswith(proved.solver)
        solver = f"{local.solver}, bound by {proved.solver}" if bounded else local.solver
        bound = _tighter(proved.bound, local.bound, sense)
        incumbent = (replace(proved, termination=Termination.LOCALLY_OPTIMAL, others=()),) if proved.values is not None else ()
        return replace(local, bound=bound, seconds=seconds, message=said, solver=solver, others=(*local.others, *incumbent))


def _searched(prepare: Prepare, encoding: str, options: Options, known: ComponentMap | None) -> SolverRun:
    """A local search, with the encoding that its points come from."""

    def search() -> SolverRun:
        # The user's solver options are for the global solver, which the plan begins with.
        found = prepare(known)(replace(options, solver_options={}))
        if found.values is None:
            return found
        return replace(found, encoding=encoding, others=tuple(replace(each, encoding=encoding) for each in found.others))

    return _or_nothing(search, "the local solver")


def _or_nothing(search: Callable[[], SolverRun], solver: str) -> SolverRun:
    """A search of the plan. Where its solver breaks down or lacks a function, it found nothing; its words are kept.

    What the other search has found must not be lost with it.
    """
    began = time.perf_counter()
    try:
        return search()
    except (SolverFailedError, RefusedError, ModelFileError) as error:
        said = error.diagnostics[0].message
        return SolverRun(Termination.FAILED, solver, seconds=time.perf_counter() - began, message=said)


def _nearly(run: SolverRun) -> bool:
    """Whether the bound is so close that a proof is within reach."""
    if run.bound is None or run.objective is None:
        return False
    return abs(run.objective - run.bound) <= NEARLY * max(1.0, abs(run.objective))


def _tighter(a: float | None, b: float | None, sense: float) -> float | None:
    known = [x for x in (a, b) if x is not None]
    return max(known, key=lambda x: sense * x) if known else None
