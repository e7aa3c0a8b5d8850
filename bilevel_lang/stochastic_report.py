"""What an answer to a stochastic program is worth: EVPI, VSS, risks, the chances that are reached, fresh scenarios."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np

from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.reformulation.stochastic.information import Information, Seconds, information
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.risk import Measured, value_of_measure
from bilevel_lang.solution import OutOfSample, RiskValue, StochasticReport
from bilevel_lang.stochastic_answer import StochasticAnswer

INFORMATION_SECONDS = 30.0
"""For each of EVPI and VSS, where no time limit is shorter."""

LEFT_SECONDS = 1.0
"""For EVPI, and for VSS, where the limit leaves less."""

ROOM = 1e-6
"""Relative: what a row of a chance constraint may miss its side by and holds still."""

NORMAL_975 = 1.959963984540054
"""Quantile of the standard normal law: intervals are of 95 %."""


def report_of(answer: StochasticAnswer, proven: bool) -> StochasticReport:
    """``proven``: nothing better is there, so that EVPI and VSS can be told. The answer's messages say what is left out."""
    scenarios = answer.made.scenarios
    names = (scenarios.name(k) for k in range(scenarios.size))
    costs = zip(names, scenarios.probabilities.tolist(), answer.values.tolist(), strict=True)
    if any(m.term.kind.startswith("var") for m in answer.made.measured):
        answer.messages.append("VaR says nothing about the scenarios beyond it: their second stage is any that is feasible")
    known = _information(answer, proven)
    answer.messages += known.why
    sense, here = answer.made.arrays.sense, answer.objective
    ws, eev = known.wait_and_see, known.mean_value_cost
    return StochasticReport(
        scenarios=scenarios.size,
        sampled=scenarios.sampled,
        values=tuple(costs),
        wait_and_see=ws,
        evpi=None if ws is None or here is None else _rounded(sense * (here - ws), here),
        mean_value_cost=eev,
        vss=None if eev is None or here is None else _rounded(sense * (eev - here), here),
        risks=tuple(_risk(answer, m) for m in answer.made.measured),
        chances=tuple(_chances(answer)),
        out_of_sample=_tried_out(answer),
    )


def _information(answer: StochasticAnswer, proven: bool) -> Information:
    if not proven or answer.problem.leader.objective is None:
        return Information(None, None)
    if _tied(answer):
        return Information(
            None, None, ("EVPI and VSS compare expected values: with a measure of risk or a chance constraint they are not told",)
        )
    seconds = Seconds(INFORMATION_SECONDS, LEFT_SECONDS, answer.ends)
    try:
        return information(answer.problem, answer.made.arrays, answer.made.scenarios, seconds, answer.options.gap)
    except KeyboardInterrupt:
        # The answer is there, and examined: it must not be lost.
        return Information(None, None, ("EVPI and VSS: stopped by Ctrl-C",))


def _tied(answer: StochasticAnswer) -> bool:
    return bool(answer.made.measured or answer.program.chances)


def _risk(answer: StochasticAnswer, measured: Measured) -> RiskValue:
    term = measured.term
    outcomes = answer.y[:, measured.random]
    value = value_of_measure(term.kind, term.level, outcomes, answer.made.scenarios.probabilities)
    return RiskValue(term.kind, term.variable.name, term.level, value)


def _chances(answer: StochasticAnswer) -> Iterator[tuple[str, float, float]]:
    """Rows, the probability that was asked for, and the one that they hold with."""
    compiled = answer.made.compiled
    arrays = compiled.arrays
    rows = {id(r): k for k, r in enumerate(compiled.second_rows)}
    x = np.array([answer.point.first[v] for v in compiled.first])
    for chance in answer.program.chances:
        mine = [rows[id(r)] for r in chance.rows]
        reached = 0.0
        for number in range(arrays.scenarios):
            part = arrays.scenario(number)
            body = (part.technology @ x + part.recourse @ answer.point.y[number])[mine]
            low, up = part.row_lower[mine], part.row_upper[mine]
            room = ROOM * np.maximum(1.0, np.abs(body))
            if ((body >= low - room) & (body <= up + room)).all():
                reached += float(arrays.probabilities[number])
        yield " ".join(r.name for r in chance.rows), chance.probability, reached


def _tried_out(answer: StochasticAnswer) -> OutOfSample | None:
    """The decision in fresh scenarios, where they are asked for."""
    count, limit = answer.options.evaluate, answer.options.time_limit
    if count is None or answer.interrupted:
        return None
    if _tied(answer):
        answer.messages.append("--evaluate tries out expected values: with a measure of risk or a chance constraint it does not")
        return None
    fresh = answer.program.fresh(count, answer.options.seed)
    arrays = compile_program(answer.problem, fresh).arrays
    try:
        values = recourse_at(arrays, answer.x, None if limit is None else time.perf_counter() + max(1.0, limit)).values
    except KeyboardInterrupt:
        answer.messages.append("--evaluate: stopped by Ctrl-C")
        return None
    values = values[~np.isnan(values)] + arrays.first.objective_at(answer.x)
    if len(values) < count:
        answer.messages.append(f"--evaluate: within the time limit {len(values):,} of {count:,} fresh scenarios were solved")
        count = len(values)
    fine = values[np.isfinite(values)]
    spread = float(fine.std(ddof=1)) / math.sqrt(len(fine)) if len(fine) > 1 else math.inf
    mean = float(fine.mean()) if len(fine) else math.nan
    return OutOfSample(count, mean, NORMAL_975 * spread, count - len(fine))


def _rounded(value: float, objective: float) -> float:
    """0 for what is left of a difference of equal numbers."""
    return 0.0 if abs(value) <= 1e-9 * max(1.0, abs(objective)) else value
