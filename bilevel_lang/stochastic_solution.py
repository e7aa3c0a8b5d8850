"""A stochastic program from the rewrite to the answer: solve, look at every scenario by itself, verify, and say what it is
worth."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from bilevel_lang.clock import Clock
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_recourse.box_search import BoxSearch
from bilevel_lang.reformulation.nn_recourse.method import NnRecourse
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.blame import why_infeasible, why_unbounded
from bilevel_lang.reformulation.stochastic.l_shaped import LShaped
from bilevel_lang.reformulation.stochastic.method import ExtensiveForm, StochasticRun, TwoStageReformulation
from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, Point, Status, StochasticReport
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.stochastic_answer import StochasticAnswer
from bilevel_lang.stochastic_report import report_of
from bilevel_lang.verdict import WITHOUT_POINT

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
    answer = None if run.x is None else StochasticAnswer(problem, made, run, options, ends)
    certificate = None if answer is None else answer.verify()
    if answer is not None and answer.interrupted:
        run = replace(run, termination=Termination.INTERRUPTED)
    report = None if answer is None else report_of(answer, run.termination is Termination.OPTIMAL and run.proven)
    certificate = _with_chances(certificate, report)
    clock.tick("verify")
    if answer is None:
        run = replace(run, remarks=(*run.remarks, *_reasons(made, run.termination, options.time_limit)))
    return _solution(problem, made, run, answer, certificate, report, path, clock)


def _reasons(made: TwoStageReformulation, ended: Termination, limit: float | None) -> tuple[str, ...]:
    """Why there is no answer, as far as it is found out; Ctrl-C ends the search for it, not what is known."""
    try:
        why = _blame(made, ended, limit)
    except KeyboardInterrupt:
        return ("Ctrl-C stopped the search for the scenario that it lies in",)
    return () if why is None else (why,)


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
    return why_infeasible(arrays, name, seconds, [v.name for v in made.compiled.first]) or (without if tied else None)


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


def _solution(
    problem: BilevelProblem,
    made: TwoStageReformulation,
    run: StochasticRun,
    answer: StochasticAnswer | None,
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
