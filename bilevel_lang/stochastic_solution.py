"""A stochastic program from the rewrite to the answer: solve, look at every scenario by itself, verify, and say what it is
worth."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.clock import Clock
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_recourse.box_search import BoxSearch
from bilevel_lang.reformulation.nn_recourse.method import NnRecourse
from bilevel_lang.reformulation.nn_recourse.polishing import tidy
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.blame import why_infeasible, why_unbounded
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.reformulation.stochastic.information import Information, Seconds, information
from bilevel_lang.reformulation.stochastic.l_shaped import LShaped
from bilevel_lang.reformulation.stochastic.method import ExtensiveForm, StochasticRun, TwoStageReformulation
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.risk import value_of_measure
from bilevel_lang.scenario_verification import StochasticPoint, verify_scenarios
from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, OutOfSample, Point, RiskValue, Status, StochasticReport
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.verdict import WITHOUT_POINT

INFORMATION_SECONDS = 30.0
"""For each of EVPI and VSS, where no time limit is shorter."""

CHECK_SECONDS = 60.0

EXAMINED, LEAST_SECONDS = 0.1, 5.0
"""Beyond a time limit: so much of it, and so many seconds at least, are for the examination of the answer."""

LEFT_SECONDS = 1.0
"""For EVPI, and for VSS, where the limit leaves less."""

WITHIN = 1e-2
"""Relative: what the second stage may be from its best one in the examination, where the run itself had to stop at a gap."""

BLAME_SECONDS = 10.0
"""To find the scenario that leaves a program without an answer."""

MISSED = 1e-6
"""What a probability that was reached may lack of the one that was asked for: sums of probabilities are rounded."""

CLOSED = 1e-6
"""A bound this near (relative) is reached."""


def solve_stochastic(
    problem: BilevelProblem,
    options: Options,
    clock: Clock,
    rewrite: ExtensiveForm | LShaped | BoxSearch | NnRecourse,
    path: list[str],
) -> BilevelSolution:
    """The answer to a stochastic program, by ``rewrite``; ``path`` tells how it was chosen. Raises RefusedError."""
    made = rewrite.prepare(problem, options)
    clock.tick("reformulate")
    ends = math.inf if options.time_limit is None else time.perf_counter() + options.time_limit
    run = made.run(options)
    assert isinstance(run, StochasticRun)
    clock.tick("solve")
    answer = None if run.x is None else _Answer(problem, made, run, options, ends)
    certificate = None if answer is None else answer.verify()
    report = None if answer is None else answer.report(run.termination is Termination.OPTIMAL and run.proven)
    certificate = _with_chances(certificate, report)
    clock.tick("verify")
    if answer is None and (why := _blame(made, run.termination, options.time_limit)) is not None:
        run = replace(run, remarks=(*run.remarks, why))
    return _solution(problem, made, run, answer, certificate, report, path, clock)


def _blame(made: TwoStageReformulation, ended: Termination, limit: float | None) -> str | None:
    """Which scenario it is where there is no answer at all; None where it is none, or where there was no time to find out."""
    arrays, name = made.compiled.arrays, made.scenarios.name
    seconds = BLAME_SECONDS if limit is None else min(BLAME_SECONDS, limit)
    if ended is Termination.UNBOUNDED:
        return why_unbounded(arrays, name, seconds)
    if ended is not Termination.INFEASIBLE:
        return None
    tied = bool(made.measured or made.arrays.couplings)
    without = "without its measures of risk and chance constraints the program has an answer"
    return why_infeasible(arrays, name, seconds) or (without if tied else None)


def _with_chances(certificate: Certificate | None, report: StochasticReport | None) -> Certificate | None:
    """No answer is verified that breaks a chance constraint: the probability that was reached counts, not what a binary said."""
    if certificate is None or report is None:
        return certificate
    missed = [
        f"{rows} hold with probability {reached:.6g}, {wanted:g} was asked for"
        for rows, wanted, reached in report.chances
        if reached < wanted - MISSED
    ]
    return replace(certificate, verified=False, remarks=(*certificate.remarks, *missed)) if missed else certificate


class _Answer:
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
        self.unsolved, self.cut_short = np.zeros(len(self.y), dtype=bool), run.termination is not Termination.OPTIMAL
        self._improve()
        self.point = self._point()
        self.values = self._scenario_costs()
        self.objective = self._objective()

    def _deadline(self, seconds: float) -> float:
        limit = self.options.time_limit
        return time.perf_counter() + (seconds if limit is None else max(1.0, min(seconds, limit)))

    def _improve(self) -> None:
        """Each scenario solved by itself: a search that was cut short leaves better answers behind."""
        arrays = self.made.arrays
        if arrays.couplings or self.within or self.apart:
            return
        now = time.perf_counter()
        seconds = CHECK_SECONDS if math.isinf(self.ends) else min(CHECK_SECONDS, (self.examined - now) / 2)
        again = recourse_at(arrays, self.x, now + seconds)
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

    # --- What it is worth.

    def report(self, proven: bool) -> StochasticReport:
        scenarios = self.made.scenarios
        names = (scenarios.name(k) for k in range(scenarios.size))
        costs = zip(names, scenarios.probabilities.tolist(), self.values.tolist(), strict=True)
        if any(m.term.kind.startswith("var") for m in self.made.measured):
            self.messages.append("VaR says nothing about the scenarios beyond it: their second stage is any that is feasible")
        known = self._information(proven)
        sense, here = self.made.arrays.sense, self.objective
        ws, eev = known.wait_and_see, known.mean_value_cost
        return StochasticReport(
            scenarios=scenarios.size,
            sampled=scenarios.sampled,
            values=tuple(costs),
            wait_and_see=ws,
            evpi=None if ws is None or here is None else _rounded(sense * (here - ws), here),
            mean_value_cost=eev,
            vss=None if eev is None or here is None else _rounded(sense * (eev - here), here),
            risks=tuple(self._risk(m) for m in self.made.measured),
            chances=tuple(self._chances()),
            out_of_sample=self._tried_out(),
        )

    def _information(self, proven: bool) -> Information:
        if not proven or self.problem.leader.objective is None:
            return Information(None, None)
        if self.made.measured or self.program.chances:
            return Information(None, None, ("EVPI and VSS compare expected values: with a measure of risk there are none",))
        seconds = Seconds(INFORMATION_SECONDS, LEFT_SECONDS, self.ends)
        found = information(self.problem, self.made.arrays, self.made.scenarios, seconds, self.options.gap)
        self.messages += found.why
        return found

    def _risk(self, measured: Any) -> RiskValue:
        term = measured.term
        value = value_of_measure(term.kind, term.level, self.y[:, measured.random], self.made.scenarios.probabilities)
        return RiskValue(term.kind, term.variable.name, term.level, value)

    def _chances(self) -> Any:
        arrays = self.made.compiled.arrays
        rows = {id(r): k for k, r in enumerate(self.made.compiled.second_rows)}
        x = np.array([self.point.first[v] for v in self.made.compiled.first])
        for chance in self.program.chances:
            mine = [rows[id(r)] for r in chance.rows]
            reached = 0.0
            for number in range(arrays.scenarios):
                part = arrays.scenario(number)
                body = (part.technology @ x + part.recourse @ self.point.y[number])[mine]
                low, up = part.row_lower[mine], part.row_upper[mine]
                room = 1e-6 * np.maximum(1.0, np.abs(body))
                if ((body >= low - room) & (body <= up + room)).all():
                    reached += float(arrays.probabilities[number])
            yield " ".join(r.name for r in chance.rows), chance.probability, reached

    def _tried_out(self) -> OutOfSample | None:
        count = self.options.evaluate
        if count is None:
            return None
        if self.made.measured or self.program.chances:
            self.messages.append(
                "--evaluate tries out expected values: with a measure of risk or a chance constraint it does not"
            )
            return None
        fresh = self.program.fresh(count, self.options.seed)
        arrays = compile_program(self.problem, fresh).arrays
        limit = self.options.time_limit
        values = recourse_at(arrays, self.x, None if limit is None else self._deadline(limit)).values
        values = values[~np.isnan(values)] + arrays.first.objective_at(self.x)
        if len(values) < count:
            self.messages.append(f"--evaluate: within the time limit {len(values):,} of {count:,} fresh scenarios were solved")
            count = len(values)
        fine = values[np.isfinite(values)]
        spread = float(fine.std(ddof=1)) / math.sqrt(len(fine)) if len(fine) > 1 else math.inf
        mean = float(fine.mean()) if len(fine) else math.nan
        return OutOfSample(count, mean, 1.959963984540054 * spread, count - len(fine))


def _rounded(value: float, objective: float) -> float:
    """0 for what is left of a difference of equal numbers."""
    return 0.0 if abs(value) <= 1e-9 * max(1.0, abs(objective)) else value


def _solution(
    problem: BilevelProblem,
    made: TwoStageReformulation,
    run: StochasticRun,
    answer: _Answer | None,
    certificate: Certificate | None,
    report: StochasticReport | None,
    path: list[str],
    clock: Clock,
) -> BilevelSolution:
    objective = None if answer is None else answer.objective
    bound = run.bound if problem.leader.objective is not None and run.bound is not None and math.isfinite(run.bound) else None
    gap = None if objective is None or bound is None else abs(objective - bound) / max(1.0, abs(objective))
    promised = made.exactness if run.proven else Exactness.APPROXIMATION
    exactness = promised if answer is not None else None
    status = _status(promised, run, certificate, gap)
    messages = [
        f"{d.place + ': ' if d.place else ''}{d.severity}[{d.code}]: {d.message}"
        for d in problem.notices
        if d.severity == "warning"
    ]
    if problem.leader.objective is None:
        messages.append("the model has no active objective: any decision that suits every scenario is an answer")
    messages += [*made.warnings, *run.remarks, *run.doubts, *(answer.messages if answer is not None else ())]
    messages += [f"not verified: {remark}" for remark in (certificate.remarks if certificate is not None else ())]
    if run.message and status in (Status.LIMIT, Status.ERROR, Status.UNKNOWN, Status.INTERRUPTED):
        messages.append(run.message)
    if status is Status.OPTIMAL and gap is not None and gap > CLOSED:
        exactness = Exactness.EPSILON
    return BilevelSolution(
        status=status,
        termination=run.termination.value,
        exactness=exactness,
        objective=objective,
        bound=bound,
        gap=gap,
        method=made.method,
        encoding=None,
        solver=run.solver,
        variables={} if answer is None else {v.name: _tidy(v, value) for v, value in answer.point.first.items()},
        duals={},
        certificate=certificate,
        summary=dict(problem.summary),
        seconds=clock.seconds,
        messages=tuple(messages),
        why=(*path, *made.why),
        point=None if answer is None else Point(answer.point.first),
        stochastic=report,
        approximate_objective=run.approximate_objective,
        surrogate=run.surrogate,
    )


def _tidy(variable: Any, value: float) -> float:
    return (float(round(value)) if not variable.is_continuous() else value) + 0.0


def _status(promised: Exactness, run: StochasticRun, certificate: Certificate | None, gap: float | None) -> Status:
    if certificate is None:
        return WITHOUT_POINT.get(run.termination, Status.UNKNOWN)
    if run.termination is Termination.INTERRUPTED:
        return Status.INTERRUPTED
    if not certificate.verified:
        return Status.VERIFICATION_FAILED
    if run.termination is Termination.OPTIMAL or (gap is not None and gap <= CLOSED):
        return Status.OPTIMAL if promised is Exactness.EXACT else Status.FEASIBLE
    return Status.LIMIT if run.termination is Termination.LIMIT else Status.FEASIBLE
