"""What knowing more would be worth (EVPI), and what thinking of uncertainty is worth (VSS).

EVPI = RP - WS: the optimum here and now against the mean of the optima when each scenario is known before (wait and see).
VSS = EEV - RP: what the decision for the mean values costs in expectation, against the optimum. Both are >= 0; for a maximum the
signs are turned round. (Birge and Louveaux 2011, chapter 4.)
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.reformulation.stochastic.expectation import expected
from bilevel_lang.reformulation.stochastic.extensive import extensive_form, parted
from bilevel_lang.reformulation.stochastic.recourse import all_second, recourse_at
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.uncertainty.scenario_set import ScenarioSet


@dataclass(frozen=True, slots=True)
class Information:
    """Optima in the program's own sense, None where they could not be had; ``why`` says so, a sentence for each."""

    wait_and_see: float | None
    mean_value_cost: float | None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seconds:
    """For each of two figures: ``most``, but not beyond ``ends``, a reading of ``time.perf_counter``; ``least`` in any case."""

    most: float
    least: float = 0.0
    ends: float = np.inf

    def now(self) -> float:
        """What one of them may take from now on."""
        return max(self.least, min(self.most, self.ends - time.perf_counter()))


def information(
    problem: BilevelProblem, arrays: TwoStageArrays, scenarios: ScenarioSet, seconds: Seconds, gap: float | None
) -> Information:
    """Solve the scenarios one by one, and the problem of the mean values; each within ``seconds``."""
    known, why_known = _wait_and_see(arrays, scenarios, time.perf_counter() + seconds.now(), gap)
    mean, why_mean = _mean_value(problem, arrays, scenarios, seconds.now(), gap)
    return Information(known, mean, tuple(w for w in (why_known, why_mean) if w))


def _wait_and_see(arrays: TwoStageArrays, scenarios: ScenarioSet, deadline: float, gap: float | None) -> tuple[float | None, str]:
    found = recourse_at(all_second(arrays), np.zeros(0), deadline, gap)
    done = np.isfinite(found.values)
    if not done.all():
        without = np.flatnonzero(~done & ~np.isnan(found.values))
        if len(without):
            name = scenarios.name(int(without[0]))
            return None, f"EVPI: scenario {name} of {arrays.scenarios:,}, solved alone, has no answer or no limit"
        return None, f"EVPI: there was time to solve {int(done.sum()):,} of {arrays.scenarios:,} scenarios alone"
    return arrays.first.constant + float(arrays.probabilities @ found.values), ""


def _mean_value(
    problem: BilevelProblem, arrays: TwoStageArrays, scenarios: ScenarioSet, seconds: float, gap: float | None
) -> tuple[float | None, str]:
    started = time.perf_counter()
    mean = ScenarioSet(scenarios.mean()[None, :], np.ones(1))
    compiled = compile_program(problem, mean)
    run = Highs().run_matrix(extensive_form(compiled.arrays), SolverOptions(time_limit=seconds, gap=gap))
    if run.termination is not Termination.OPTIMAL or run.x is None:
        return None, f"VSS: the problem of the mean values ended {run.termination.value}"
    x, _ = parted(compiled.arrays, run.x)
    x = np.where(arrays.first.integer, np.rint(x), x)
    left = max(1.0, seconds - (time.perf_counter() - started))
    recourse = recourse_at(arrays, x, time.perf_counter() + left, gap)
    if not recourse.finished:
        solved = int((~np.isnan(recourse.values)).sum())
        said = "VSS: there was time to solve the decision for the mean values"
        return None, f"{said} in {solved:,} of {arrays.scenarios:,} scenarios"
    value = float(expected(recourse.values, arrays.probabilities)) + arrays.first.objective_at(x)
    if not np.isfinite(value):
        return value, "VSS: the decision for the mean values leaves scenarios without an answer"
    return value, ""
