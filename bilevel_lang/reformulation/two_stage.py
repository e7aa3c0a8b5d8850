"""The engine's plan for a nonconvex MPEC: a global search with a budget, then a local search that takes over where it must.

A spatial branch-and-bound proves small problems at once and drowns in others, above all where variables without bounds stand in
nonconvex terms. A sequence of NLPs from several starts finds good points there, without a proof. The answer is the better point
of the two, with the bound that the global search has proven by then; the message says which stage it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.reformulation.rewrite import Options
from bilevel_lang.solvers.solver import SolverRun, Termination

BUDGET = 10.0
"""Seconds for the global search; half of ``--time-limit`` where that is less."""

Run = Callable[[Options], SolverRun]


@dataclass(frozen=True, eq=False)
class TwoStage:
    """``globally`` solves ``model``; ``locally()`` prepares a twin model of the same names and the run that solves it."""

    model: Any
    globally: Run
    locally: Callable[[], tuple[Any, Run]]

    def __call__(self, options: Options) -> SolverRun:
        """Global search, and the local one only if the budget ran out."""
        budget = BUDGET if options.time_limit is None else min(BUDGET, options.time_limit / 2)
        first = self.globally(replace(options, time_limit=budget))
        if first.termination is not Termination.LIMIT:
            return first
        left = None if options.time_limit is None else max(0.1, options.time_limit - first.seconds)
        twin, run = self.locally()
        second = run(replace(options, time_limit=left))
        return _better(first, self._carried_over(second, twin), self._sense(), budget)

    def _carried_over(self, run: SolverRun, twin: Any) -> SolverRun:
        """The local run with its values on the variables of ``model`` (both models have the same names)."""
        if run.values is None:
            return run
        by_name = {v.name: value for v, value in run.values.items()}
        mine = self.model.component_data_objects(pyo.Var)
        return replace(run, values=ComponentMap((v, by_name[v.name]) for v in mine if v.name in by_name))

    def _sense(self) -> float:
        objective = next(self.model.component_data_objects(pyo.Objective, active=True), None)
        return -1.0 if objective is not None and objective.sense == pyo.maximize else 1.0


def _better(first: SolverRun, second: SolverRun, sense: float, budget: float) -> SolverRun:
    seconds = first.seconds + second.seconds
    said = f"no global proof within {budget:g} s; {second.solver} from several starts: {second.message}"
    if second.values is None or second.objective is None:
        return replace(first, seconds=seconds, message=said)
    if second.termination is Termination.INTERRUPTED:
        return replace(second, bound=first.bound, seconds=seconds)
    if first.values is not None and first.objective is not None and sense * first.objective < sense * second.objective - 1e-9:
        # The incumbent of the global search is better, though nobody has polished it.
        return replace(first, termination=Termination.LOCALLY_OPTIMAL, seconds=seconds, message=said)
    return replace(second, bound=first.bound, seconds=seconds, message=said, solver=f"{second.solver}, bound by {first.solver}")
