"""What the second stage costs at many first-stage decisions: one solver instance that goes from basis to basis.

Everything is a minimisation here, and the first stage's own costs are left out. Scenario after scenario, and all decisions
within one: then little changes from solve to solve. A row T x + W y of a linear second stage gives its cost the subgradient
-T' pi with the multipliers pi (Birge and Louveaux 2011, section 5.1).

Four ways, in this order: few whole answers are listed once and looked up; MILPs go one by one to instances that are kept, of
branch and price where they are made of knapsacks, else of HiGHS; LPs whose scenario data can be taken out of the matrix go to
HiGHS as arrays, thousands at a time; other LPs one by one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.stochastic.answer_parts import listed_answers
from bilevel_lang.reformulation.stochastic.arrays import Recourse, TwoStageArrays
from bilevel_lang.reformulation.stochastic.counted import counted
from bilevel_lang.reformulation.stochastic.fixed_matrix import with_fixed_matrix
from bilevel_lang.reformulation.stochastic.hot_recourse import HotRecourse
from bilevel_lang.reformulation.stochastic.listed_stage import ListedStage
from bilevel_lang.reformulation.stochastic.proven_costs import proven_costs, usable
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.stage_variants import StageVariants, without_limit
from bilevel_lang.solvers.hot_milp import MilpAnswer
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import LpAnswer

TOGETHER = 1_000_000
"""Columns and rows of all LPs that are answered together: bounds the memory, and how late a deadline is seen."""

CHAINED = 500
"""Decisions among which the nearest one is looked for: the square of it takes less time than what it saves."""

COARSE: dict[str, object] = {"mip_heuristic_effort": 0.05}
"""Of HiGHS, where a MILP may stop at a gap: what it finds by diving ends most of them at the root."""


@dataclass(frozen=True, eq=False)
class Costs:
    """At k decisions: ``values`` and proven lower ``bounds`` (k, S) of every scenario's cost, +inf where it has no answer; of LPs
    what their multipliers prove, so that with the slopes they are cuts.

    ``slopes`` (k, S, n1) are subgradients of a linear second stage, NaN where the value is not finite; None for an integer one.
    ``rounding`` (k, S): of a relaxed one, what whole numbers of columns of one price are likely to cost more (:mod:`.counted`).
    """

    values: Floats
    bounds: Floats
    slopes: Floats | None
    rounding: Floats | None = None


class SecondStage:
    """The scenarios of ``arrays``, to be solved at many decisions; ``relaxed`` forgets that columns are whole.

    ``gap``: of MILPs, relative; None: HiGHS's tolerances. ``solves`` counts. A deadline is a reading of ``time.perf_counter``.
    ``way`` is ``listed``, ``milp``, ``arrays`` or ``lp``, as the module has it.
    """

    def __init__(self, arrays: TwoStageArrays, relaxed: bool, deadline: float | None = None, gap: float | None = None) -> None:
        assert not arrays.couplings, "the scenarios are not apart from each other"
        self.linear = relaxed or not arrays.integer.any()
        self.deadline, self.solves = deadline, 0
        fixed = with_fixed_matrix(arrays) if self.linear and len(arrays.lower) else None
        answers = None if self.linear else listed_answers(arrays)
        self.arrays = arrays if fixed is None else fixed
        self._listed = None if answers is None else ListedStage(arrays, answers)
        self._counted = counted(arrays) if relaxed and fixed is not None else None
        told = None if self._counted is None else self._counted.columns
        self._sides: StageVariants | None = None if fixed is None else StageVariants(fixed, told)
        self.way = "listed" if answers is not None else "arrays" if fixed is not None else "lp" if self.linear else "milp"
        options = SolverOptions(extra={} if gap is None else {"mip_rel_gap": gap, **COARSE})
        self._hot = HotRecourse(self.arrays, self.linear, options, deadline)

    def costs(self, points: Floats) -> Costs | None:
        """At ``points`` (k, n1); None where the deadline passed before. Raises RefusedError for a second stage without limit."""
        if self._late():
            return None
        if self._listed is not None:
            values = self._listed.values(points) + self.arrays.sense * self.arrays.everywhere("constant")[:, 0]
            self.solves += values.size
            return Costs(values, values, None)
        return self._one_by_one(points) if self._sides is None else self._as_arrays(points, self._sides)

    def floors(self, lower: Floats, upper: Floats) -> Floats:
        """(k,) proven of the expected cost at all decisions between ``lower`` and ``upper`` (k, n1), where answers are listed;
        +inf: some scenario has none."""
        assert self._listed is not None, "answers are not listed"
        constant = self.arrays.sense * self.arrays.mean("constant")[0]
        least = self._listed.least(lower, upper)
        self.solves += least.size
        some = np.asarray(np.isfinite(least).all(axis=1))
        return np.where(some, np.where(some[:, None], least, 0.0) @ self.arrays.probabilities + constant, np.inf)

    def loosest_responses(self, lower: Floats, upper: Floats) -> Floats:
        """(S, n2): the answers that :meth:`floors` counts between ``lower`` and ``upper`` (n1,); NaN where there is none."""
        assert self._listed is not None, "answers are not listed"
        return self._listed.loosest_responses(lower, upper)

    def one(self, number: int, point: Floats) -> tuple[float, float] | None:
        """Value and proven bound of scenario ``number`` (from 0) at ``point`` (n1,), +inf without an answer; None: too late.

        Raises RefusedError for a second stage without limit.
        """
        part = self.arrays.scenario(number)
        answer = self._solve(number, part, part.technology @ point)
        if answer.termination is Termination.LIMIT:
            return None
        if not self._has_answer(answer, number):
            return np.inf, np.inf
        constant = part.constant * self.arrays.sense
        bound = answer.bound if isinstance(answer, MilpAnswer) else answer.objective
        return constant + answer.objective, constant + bound

    def stop_at(self, deadline: float | None) -> None:
        """Another deadline from now on."""
        self.deadline = deadline
        self._hot.deadline = deadline

    def responses(self, point: Floats) -> Floats:
        """(S, n2): the best second stage of every scenario at ``point`` (n1,), of MILPs within the gap.

        NaN where there is none, or no time.
        """
        if self._listed is not None:
            return self._listed.responses(point)
        if self.linear:
            return recourse_at(self.arrays, point, self.deadline).y
        found = np.full((self.arrays.scenarios, len(self.arrays.lower)), np.nan)
        for number in range(self.arrays.scenarios):
            part = self.arrays.scenario(number)
            answer = self._solve(number, part, part.technology @ point)
            if answer.termination is Termination.OPTIMAL and answer.x is not None:
                found[number] = answer.x
        return found

    @property
    def effort(self) -> float:
        """Comparisons for one decision where answers are listed, infinite where a solver is asked."""
        return np.inf if self._listed is None else float(self.arrays.scenarios * self._listed.numbers)

    def _late(self) -> bool:
        return self.deadline is not None and time.perf_counter() >= self.deadline

    # --- LPs with one matrix.

    def _as_arrays(self, points: Floats, sides: StageVariants) -> Costs | None:
        """All pairs of a scenario and a decision, scenario after scenario, in parts of a bounded size."""
        k, count = len(points), self.arrays.scenarios
        values, bounds = np.full((count, k), np.inf), np.full((count, k), np.inf)
        slopes, spent = np.full((count, k, points.shape[1]), np.nan), np.zeros((count, k))
        width, order = max(1, TOGETHER // sides.size), chain(points)
        for begin in range(0, k * count, width):
            if self._late():
                return None
            scenario, place = np.divmod(np.arange(begin, min(begin + width, k * count)), k)
            decision = order[place]
            some, least, some_slopes, told = sides.solve(scenario, points[decision])
            self.solves += len(scenario)
            values[scenario, decision], slopes[scenario, decision] = some, some_slopes
            bounds[scenario, decision], spent[scenario, decision] = least, told
        rounding = None if self._counted is None else self._counted.rounding(spent.T)
        return Costs(values.T, bounds.T, slopes.transpose(1, 0, 2), rounding)

    # --- All others.

    def _one_by_one(self, points: Floats) -> Costs | None:
        k, count = len(points), self.arrays.scenarios
        values, bounds = np.full((k, count), np.inf), np.full((k, count), np.inf)
        slopes = np.full((k, count, points.shape[1]), np.nan) if self.linear else None
        order = chain(points)
        for number in range(count):
            part = self.arrays.scenario(number)
            shifts = (part.technology @ points.T).T
            for at in order.tolist():
                answer = self._solve(number, part, shifts[at])
                if answer.termination is Termination.LIMIT:
                    return None
                if not self._has_answer(answer, number):
                    continue
                values[at, number] = part.constant * self.arrays.sense + answer.objective
                bounds[at, number] = values[at, number]
                if isinstance(answer, MilpAnswer):
                    bounds[at, number] = part.constant * self.arrays.sense + answer.bound
                elif slopes is not None and answer.row_duals is not None:
                    bounds[at, number], slopes[at, number] = self._proven(part, shifts[at], answer.row_duals)
        return Costs(values, bounds, slopes)

    def _proven(self, part: Recourse, shift: Floats, multipliers: Floats) -> tuple[float, Floats]:
        """What the multipliers of an LP prove of its cost, and their slope."""
        sense, rows = self.arrays.sense, ((part.row_lower - shift)[None], (part.row_upper - shift)[None])
        duals, columns = usable(multipliers[None], rows), (part.lower[None], part.upper[None])
        least = proven_costs(sense * part.cost[None], part.recourse, duals, rows, columns)
        return sense * part.constant + float(least[0]), -np.asarray(part.technology.T @ duals[0])

    def _solve(self, number: int, part: Recourse, shift: Floats) -> LpAnswer | MilpAnswer:
        self.solves += 1
        return self._hot.solve(number, part, shift)

    @staticmethod
    def _has_answer(answer: LpAnswer | MilpAnswer, number: int) -> bool:
        if answer.termination is Termination.UNBOUNDED:
            raise without_limit(number)
        return answer.termination is Termination.OPTIMAL


def chain(points: Floats) -> Ints:
    """An order (k,) of ``points`` (k, n) in which neighbours are near each other: a warm LP has a short way to the next.

    From each the nearest one that is left; of more than :data:`CHAINED`, parts by themselves.
    """
    found: list[int] = []
    for begin in range(0, len(points), CHAINED):
        part = points[begin : begin + CHAINED]
        left = np.ones(len(part), dtype=bool)
        here = 0
        for _ in range(len(part)):
            found.append(begin + here)
            left[here] = False
            away = np.where(left, np.abs(part - part[here]).sum(axis=1), np.inf)
            here = int(away.argmin())
    return np.array(found, dtype=np.int64)
