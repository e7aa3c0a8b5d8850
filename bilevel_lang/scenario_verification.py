"""The examiner of stochastic programs: the modeller's own model, scenario by scenario, with the answer put in.

Nothing of the compiled arrays is used: each scenario's values go into the parameters of a clone, the rows are measured as the
model states them, and the second stage is solved again as a Pyomo model with the first stage fixed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.common.collections import ComponentMap

from bilevel_lang.components.cloning import clone_model
from bilevel_lang.errors import RefusedError, SolverFailedError, SolverMissingError
from bilevel_lang.oracle.agent_model import number_at, violation_of
from bilevel_lang.oracle.magnitude import row_violation
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.solution import Certificate, FollowerReport
from bilevel_lang.solvers.features import features_of
from bilevel_lang.solvers.registry import pick
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination
from bilevel_lang.uncertainty.scenario_set import ScenarioSet
from bilevel_lang.verification import FEASIBILITY

SCENARIOS = 100
"""So many scenarios are examined on the modeller's model, spread evenly over all; the others have been solved again as arrays."""

GAIN = 1e-9
"""Relative: a second stage that costs so much less is another one."""


@dataclass(frozen=True, eq=False)
class StochasticPoint:
    """Values of the first stage by variable, of the ``second`` variables by scenario: ``y`` (S, n2)."""

    first: ComponentMap
    second: tuple[Any, ...]
    y: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Examined:
    """``better``: by scenario (from 0) the second stage (n2,) that took the place of the point's, and is in the figures.
    ``interrupted``: by Ctrl-C, and not verified for that reason."""

    certificate: Certificate
    better: Mapping[int, NDArray[np.float64]]
    interrupted: bool = False


@dataclass
class _Found:
    feasibility: float = 0.0
    cost: float = 0.0
    best: float = 0.0
    size: float = 0.0
    weight: float = 0.0
    proven: bool = True
    count: int = 0
    again: int = 0
    how: str = ""
    better: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    said: str = ""


def verify_scenarios(
    problem: BilevelProblem,
    point: StochasticPoint,
    scenarios: ScenarioSet,
    tolerance: float,
    options: SolverOptions,
    seconds: float = math.inf,
    loose: bool = False,
    unsolved: NDArray[np.bool_] | None = None,
) -> Examined:
    """Measure the point on the modeller's model.

    ``loose``: its second stages were solved to a gap. The tolerance is not the usual one, and the report says so; better ones
    that are found take their place.
    ``unsolved`` (S,): scenarios whose second stage is not said to be the best one; their rows alone are measured.

    The first stage's rows once; in up to :data:`SCENARIOS` scenarios the second stage's rows (those of chance constraints
    apart) and, where no measure of risk or chance constraint ties the scenarios together, the best answer to the first stage:
    in as many of them as ``seconds`` suffice for, one at least.
    """
    assert problem.stochastic is not None
    examiner = _Examiner(problem, point, scenarios, options, time.perf_counter() + seconds, loose)
    leader = examiner.first_stage()
    chosen = np.unique(np.linspace(0, scenarios.size - 1, min(scenarios.size, SCENARIOS)).round().astype(int))
    found = _Found()
    # Should time run out, those that are left are not the last ones of the modeller's list.
    done, interrupted = 0, False
    try:
        for number in chosen if math.isinf(seconds) else np.random.default_rng(0).permutation(chosen):
            examiner.scenario(int(number), found, unsolved is None or not unsolved[number])
            done += 1
    except KeyboardInterrupt:
        interrupted = True
    again = examiner.apart
    gap = abs(found.cost - found.best) / max(found.size, 1e-9 * abs(found.cost), 1e-12) if again else 0.0
    fine = found.feasibility <= FEASIBILITY and not found.said and (not again or (found.proven and gap <= tolerance))
    verified = leader <= FEASIBILITY and fine and not interrupted
    # Who reads `verified` has to know what it was measured by.
    within = tolerance if again and loose else None
    report = _report(problem, found, chosen, scenarios, gap if again else None, fine, within)
    remarks = _remarks(leader, found, gap, tolerance)
    if interrupted:
        remarks = (f"Ctrl-C stopped the examination after {done} of {len(chosen)} scenarios", *remarks)
    certificate = Certificate(leader, found.feasibility, gap, verified, tolerance, (report,), remarks=remarks)
    return Examined(certificate, found.better, interrupted)


class _Examiner:
    def __init__(
        self,
        problem: BilevelProblem,
        point: StochasticPoint,
        scenarios: ScenarioSet,
        options: SolverOptions,
        deadline: float = math.inf,
        improve: bool = False,
    ) -> None:
        assert problem.stochastic is not None
        self.problem, self.point, self.scenarios, self.options = problem, point, scenarios, options
        self.deadline, self.improve = deadline, improve
        self.program = problem.stochastic
        memo: dict[int, Any] = {}
        self.model = clone_model(problem.model, memo)
        self.parameters = [memo[id(p.data)] for p in self.program.parameters]
        self.first = [(memo[id(v)], float(value)) for v, value in point.first.items()]
        self.second = [memo[id(v)] for v in point.second]
        late = {id(r) for r in self.program.second_rows}
        self.first_rows = [memo[id(r)] for r in problem.leader.rows if id(r) not in late]
        waived = {id(r) for c in self.program.chances for r in c.rows}
        self.second_rows = [memo[id(r)] for r in self.program.second_rows if id(r) not in waived]
        self.objective = None if problem.leader.objective is None else memo[id(problem.leader.objective)]
        self.apart = not self.program.risks and not self.program.chances and self.objective is not None

    def first_stage(self) -> float:
        """The worst violation of the first stage's rows, bounds and domains; then its rows are out of the way."""
        values = ComponentMap(self.first)
        worst = max((_own_violation(v, value) for v, value in self.first), default=0.0)
        worst = max([worst, *(row_violation(r.body, r.lb, r.ub, values) for r in self.first_rows)])
        for row in self.first_rows:
            row.deactivate()
        for variable, value in self.first:
            variable.fix(value if variable.is_continuous() else round(value), skip_validation=True)
        return worst

    def scenario(self, number: int, found: _Found, best: bool = True) -> None:
        """One scenario: its rows at the answer, and what the ``best`` answer would have been."""
        for parameter, value in zip(self.parameters, self.scenarios.values[number], strict=True):
            parameter.set_value(float(value))
        own = list(zip(self.second, (float(v) for v in self.point.y[number]), strict=True))
        values = ComponentMap([*self.first, *own])
        violations = [_own_violation(v, value) for v, value in own]
        violations += [row_violation(r.body, r.lb, r.ub, values) for r in self.second_rows]
        found.feasibility = max([found.feasibility, *violations])
        weight = float(self.scenarios.probabilities[number])
        if self.objective is None:
            found.weight += weight
            return
        found.count += 1
        if self.apart and (not best or (found.weight and time.perf_counter() >= self.deadline)):
            return
        cost = number_at(self.objective.expr, values)
        run = self._solved_again(number, found) if self.apart else None
        if run is None and not found.said and self.apart:
            return
        if run is not None and self.improve:
            cost = self._improved(number, run, cost, found)
        found.again += 1
        found.weight += weight
        found.cost += weight * cost
        found.size += weight * max(1e-6, abs(cost))
        found.best += weight * (0.0 if run is None or run.bound is None else run.bound)

    def _improved(self, number: int, run: SolverRun, cost: float, found: _Found) -> float:
        """What the better one of the point's second stage and that of ``run`` costs; the latter's rows have to hold as well."""
        if run.values is None or self.objective is None:
            return cost
        own = [(v, float(run.values.get(v, y))) for v, y in zip(self.second, self.point.y[number], strict=True)]
        own = [(v, y if v.is_continuous() else float(round(y))) for v, y in own]
        values = ComponentMap([*self.first, *own])
        violations = [_own_violation(v, y) for v, y in own]
        violations += [row_violation(r.body, r.lb, r.ub, values) for r in self.second_rows]
        there = number_at(self.objective.expr, values)
        gain = cost - there if self.objective.sense == pyo.minimize else there - cost
        if max(violations, default=0.0) > FEASIBILITY or gain <= GAIN * max(1.0, abs(cost)):
            return cost
        found.better[number] = np.array([y for _, y in own])
        found.feasibility = max(found.feasibility, *violations)
        return there

    def _solved_again(self, number: int, found: _Found) -> SolverRun | None:
        """What is proven of the best answer; None without, and where time was over before, but for the first scenario."""
        options = self.options
        if found.weight and math.isfinite(self.deadline) and options.time_limit is not None:
            left = max(1.0, self.deadline - time.perf_counter())
            options = replace(options, time_limit=min(options.time_limit, left))
        try:
            run = pick(features_of(self.model))[0].run(self.model, options)
        except (RefusedError, SolverFailedError, SolverMissingError) as error:
            found.said = f"scenario {self.scenarios.name(number)} could not be examined: {error.diagnostics[0].message}"
            return None
        if run.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        found.how = run.solver
        stopped = run.termination is Termination.LIMIT and math.isfinite(self.deadline)
        if stopped and found.weight and time.perf_counter() >= self.deadline:
            return None
        if run.bound is None or run.objective is None:
            found.said = f"scenario {self.scenarios.name(number)}, solved again, ended {run.termination.value}"
            return None
        found.proven = found.proven and (run.termination is Termination.OPTIMAL or stopped)
        return run


def _own_violation(variable: Any, value: float) -> float:
    if not math.isfinite(value):
        return math.inf
    off = violation_of(value, variable.lb, variable.ub)
    return off if variable.is_continuous() else max(off, abs(value - round(value)))


def _report(
    problem: BilevelProblem,
    found: _Found,
    chosen: Sequence[int] | Any,
    scenarios: ScenarioSet,
    gap: float | None,
    fine: bool,
    within: float | None,
) -> FollowerReport:
    how = f"{len(chosen)} of {scenarios.size:,} scenarios" if len(chosen) < scenarios.size else "every scenario"
    if found.again < found.count:
        how += f", {found.again} of them solved again"
    if within is not None:
        how += f" to a relative gap of {within:.2g},"
    rows_only = "; the scenarios are tied together: rows only" if found.again or not found.count else ": rows only"
    how = f"{how} on the modeller's model" + (f", {found.how}" if found.how else rows_only)
    objective = problem.leader.objective
    kind = "max" if objective is not None and objective.sense == pyo.maximize else "min"
    cost, best = (found.cost / found.weight, found.best / found.weight) if gap is not None and found.weight else (None, None)
    absolute = None if cost is None or best is None else abs(cost - best)
    return FollowerReport("second stage", kind, cost, best, absolute, gap, found.feasibility, fine, found.proven, how)


def _remarks(leader: float, found: _Found, gap: float, tolerance: float) -> tuple[str, ...]:
    said = [found.said] if found.said else []
    if leader > FEASIBILITY:
        said.append(f"the first stage's rows are violated by {leader:.3g}")
    if found.feasibility > FEASIBILITY:
        said.append(f"the second stage's rows are violated by {found.feasibility:.3g}")
    if gap > tolerance and not found.said:
        said.append(f"the second stage costs {found.cost:.8g}, but could cost {found.best:.8g}")
    return tuple(said)
