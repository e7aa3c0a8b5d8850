"""The first stage that was found, with the second stages that belong to it: what it costs, and what the modeller's model says
of it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_recourse.polishing import tidy
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.method import StochasticRun, TwoStageReformulation
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.risk import value_of_measure
from bilevel_lang.scenario_verification import StochasticPoint, verify_scenarios
from bilevel_lang.solution import Certificate
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

CHECK_SECONDS = 60.0
"""For the examination, where there is no time limit."""

EXAMINED, LEAST_SECONDS = 0.1, 5.0
"""Beyond a time limit: so much of it, and so many seconds at least, are for the examination of the answer."""

WITHIN = 1e-2
"""Relative: what the second stage may be from its best one in the examination, where the run itself had to stop at a gap."""


class StochasticAnswer:
    """The first stage that was found, with the best second stage that belongs to it.

    ``ends``: when the time limit is over, a reading of ``time.perf_counter``; the examination may take a little longer.
    """

    def __init__(
        self, problem: BilevelProblem, made: TwoStageReformulation, run: StochasticRun, options: Options, ends: float
    ) -> None:
        assert run.x is not None and run.y is not None and problem.stochastic is not None
        self.problem, self.made, self.options, self.ends = problem, made, options, ends
        more = 0.0 if options.time_limit is None else max(LEAST_SECONDS, EXAMINED * options.time_limit)
        self.examined = max(ends, time.perf_counter()) + more
        self.program = problem.stochastic
        first = made.arrays.first
        # With 4.000000000004 where a row is tight at 4 the examination would find less room for integers than the run did.
        self.x = np.where(first.integer, np.rint(run.x), tidy(np.clip(run.x, first.lower, first.upper)))
        self.y, self.within, self.apart = run.y, run.within, run.apart
        self.messages: list[str] = []
        self.interrupted = False
        self.unsolved, self.cut_short = np.zeros(len(self.y), dtype=bool), run.termination is not Termination.OPTIMAL
        self._improve()
        self.point = self._point()
        self.values = self._scenario_costs()
        self.objective = self._objective()

    def _improve(self) -> None:
        """Each scenario solved by itself: a search that was cut short leaves better answers behind."""
        arrays = self.made.arrays
        if arrays.couplings or self.within or self.apart:
            return
        now = time.perf_counter()
        seconds = CHECK_SECONDS if math.isinf(self.ends) else min(CHECK_SECONDS, (self.examined - now) / 2)
        try:
            again = recourse_at(arrays, self.x, now + seconds)
        except KeyboardInterrupt:
            self.interrupted = True
            self.unsolved[:] = True
            return
        if not again.finished:
            count = int((~np.isnan(again.values)).sum())
            said = f"there was time to solve {count:,} of {arrays.scenarios:,} scenarios by themselves at the answer"
            self.messages.append(f"{said}; the others have the second stage that the solver left them")
        found = np.isfinite(again.values) & ~np.isnan(again.y).any(axis=1)
        self.y = np.where(found[:, None], again.y, self.y)
        # Of a search that came to its end every scenario is examined: there it says that they are the best ones.
        self.unsolved = np.isnan(again.values) & self.cut_short

    def _point(self) -> StochasticPoint:
        compiled, n2 = self.made.compiled, len(self.made.compiled.second)
        values: ComponentMap = ComponentMap(zip(compiled.first, (float(v) for v in self.x), strict=False))
        for measured in self.made.measured:
            if measured.result is not None:
                outcomes, term = self.y[:, measured.random], measured.term
                kind = value_of_measure(term.kind, term.level, outcomes, self.made.scenarios.probabilities)
                values[compiled.first[measured.result]] = kind
        return StochasticPoint(values, compiled.second, self.y[:, :n2])

    def _scenario_costs(self) -> Floats:
        """What each scenario costs, first stage included, by the modeller's objective."""
        arrays, n2 = self.made.compiled.arrays, len(self.made.compiled.second)
        x = np.array([self.point.first[v] for v in self.made.compiled.first])
        y = self.y[:, :n2]
        costs = (arrays.everywhere("cost") * y).sum(axis=1) + arrays.everywhere("constant")[:, 0]
        return np.asarray(costs + arrays.everywhere("first_cost") @ x + arrays.first.objective_at(x), dtype=float)

    def _objective(self) -> float | None:
        """The expected value, with measures of risk in the place of the variables that they are of."""
        if self.problem.leader.objective is None:
            return None
        weights = self.made.scenarios.probabilities
        total = float(weights @ self.values)
        for measured in self.made.measured:
            if measured.result is None and measured.term.kind != "expectedvalue":
                outcomes = self.y[:, measured.random]
                share = float(self.made.compiled.arrays.cost[measured.random])
                value = value_of_measure(measured.term.kind, measured.term.level, outcomes, weights)
                total += share * (value - float(weights @ outcomes))
        return total if math.isfinite(total) else None

    def verify(self) -> Certificate:
        """By the examiner; second stages that it finds better are the answer's from then on."""
        limit = CHECK_SECONDS if self.options.time_limit is None else max(1.0, self.options.time_limit)
        tolerance, seconds = self.options.tolerance, max(0.0, self.examined - time.perf_counter())
        if self.within:
            # Scenarios that took the run its whole time are not solved to their end here; what is told is how far they were.
            tolerance, seconds = max(tolerance, 2 * self.within, WITHIN), min(CHECK_SECONDS, seconds)
            limit = min(limit, max(1.0, seconds))
        checking = SolverOptions(time_limit=limit, gap=tolerance / 10, threads=self.options.threads)
        found = verify_scenarios(
            self.problem,
            self.point,
            self.made.scenarios,
            tolerance,
            checking,
            seconds,
            loose=bool(self.within),
            unsolved=self.unsolved,
        )
        self._take(found.better)
        if self.interrupted:
            # Rows alone were measured: that no better second stage is there has not been shown.
            remarks = ("Ctrl-C came before the second stage was solved again", *found.certificate.remarks)
            return replace(found.certificate, verified=False, remarks=remarks)
        self.interrupted = found.interrupted
        return found.certificate

    def _take(self, better: Mapping[int, Floats]) -> None:
        """Second stages of the examination that cost less than those that were solved to a gap."""
        if not better:
            return
        self.y = self.y.copy()
        for number, y in better.items():
            self.y[number, : len(y)] = y
        self.point = self._point()
        self.values = self._scenario_costs()
        self.objective = self._objective()
        count = f"{len(better):,} of {self.made.scenarios.size:,} scenarios"
        self.messages.append(f"the examination found a better second stage in {count}, and the answer has it")
