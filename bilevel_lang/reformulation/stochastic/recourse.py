"""What the second stage costs for a given first stage, every scenario by itself.

Linear programs go to the solver in batches, side by side in one program: a small LP costs less than the call that solves it.
MILPs go one after the other, to instances that are kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import Recourse, TwoStageArrays, Varying
from bilevel_lang.reformulation.stochastic.extensive import extensive_form, parted
from bilevel_lang.reformulation.stochastic.hot_recourse import HotRecourse
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.hot_milp import MilpAnswer
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

BATCH = 20_000
"""Columns and rows of the LPs that go to the solver together."""


@dataclass(frozen=True, eq=False)
class Recourses:
    """For every scenario: ``values`` (S,) of the second stage in the program's own sense, ``bounds`` proven for them, ``y``
    (S, n2).

    A scenario without an answer has an infinite value (``sense`` times +inf), and one that was not reached before the deadline
    NaN.
    """

    values: Floats
    bounds: Floats
    y: Floats

    @property
    def finished(self) -> bool:
        """Whether every scenario was solved."""
        return not bool(np.isnan(self.values).any())


def recourse_at(arrays: TwoStageArrays, x: Floats, deadline: float | None = None, gap: float | None = None) -> Recourses:
    """The second stage at the first-stage decision ``x`` (n1,), all scenarios. ``deadline``: of ``time.perf_counter``.

    Raises KeyboardInterrupt where Ctrl-C ended a solver.
    """
    assert not arrays.couplings, "the scenarios are not apart from each other"
    answers = Answers(arrays, deadline)
    if arrays.integer.any() or not len(arrays.lower):
        for number, part, shift in _parts(arrays, x):
            if _over(deadline):
                break
            answers.solve(number, part, shift, gap)
    else:
        width = max(1, BATCH // max(1, len(arrays.lower) + len(arrays.row_lower)))
        for start in range(0, arrays.scenarios, width):
            if _over(deadline):
                break
            answers.solve_together(np.arange(start, min(start + width, arrays.scenarios)), x)
    return Recourses(answers.values, answers.bounds, answers.y)


def all_second(arrays: TwoStageArrays) -> TwoStageArrays:
    """The same scenarios with the first stage's columns and rows in the second: every scenario decides for itself (wait and
    see)."""
    first, technology, recourse = arrays.first, arrays.technology, arrays.recourse
    n1, m1, entries = len(first.lower), first.rows, first.matrix.nnz
    top = sp.hstack([first.matrix, sp.csr_matrix((m1, len(arrays.lower)))])
    matrix = sp.csr_matrix(sp.vstack([top, sp.hstack([technology, recourse])]))
    late = {"cost": n1, "lower": n1, "upper": n1, "row_lower": m1, "row_upper": m1, "constant": 0}
    varying = {name: Varying(v.places + late[name], v.values) for name, v in arrays.varying.items() if name in late}
    matrices = []
    if (found := arrays.varying.get("technology")) is not None:
        row = np.searchsorted(technology.indptr, found.places, side="right") - 1
        matrices.append((entries + found.places + recourse.indptr[row], found.values))
    if (found := arrays.varying.get("recourse")) is not None:
        row = np.searchsorted(recourse.indptr, found.places, side="right") - 1
        matrices.append((entries + found.places + technology.indptr[row + 1], found.values))
    if matrices:
        varying["recourse"] = Varying(np.concatenate([p for p, _ in matrices]), np.hstack([v for _, v in matrices]))
    if (found := arrays.varying.get("first_cost")) is not None:
        more = varying.get("cost", Varying(np.zeros(0, dtype=np.int64), np.zeros((arrays.scenarios, 0))))
        costs = first.cost[found.places] + found.values
        varying["cost"] = Varying(np.concatenate([found.places, more.places]), np.hstack([costs, more.values]))
    nothing = np.zeros(0)
    return TwoStageArrays(
        first=replace(
            first,
            lower=nothing,
            upper=nothing,
            integer=np.zeros(0, dtype=bool),
            cost=nothing,
            matrix=sp.csr_matrix((0, 0)),
            row_lower=nothing,
            row_upper=nothing,
        ),
        first_cost=nothing,
        lower=np.concatenate([first.lower, arrays.lower]),
        upper=np.concatenate([first.upper, arrays.upper]),
        integer=np.concatenate([first.integer, arrays.integer]),
        cost=np.concatenate([first.cost + arrays.first_cost, arrays.cost]),
        constant=arrays.constant,
        technology=sp.csr_matrix((matrix.shape[0], 0)),
        recourse=matrix,
        row_lower=np.concatenate([first.row_lower, arrays.row_lower]),
        row_upper=np.concatenate([first.row_upper, arrays.row_upper]),
        probabilities=arrays.probabilities,
        varying=varying,
    )


def fixed_first(arrays: TwoStageArrays, x: Floats) -> TwoStageArrays:
    """The same program with the first stage at ``x`` (n1,), whatever its rows say."""
    first = replace(arrays.first, lower=x, upper=x, matrix=arrays.first.matrix[:0], row_lower=np.zeros(0), row_upper=np.zeros(0))
    return replace(arrays, first=first)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.perf_counter() > deadline


def _parts(arrays: TwoStageArrays, x: Floats) -> Iterator[tuple[int, Recourse, Floats]]:
    for number in range(arrays.scenarios):
        part = arrays.scenario(number)
        yield number, replace(part, constant=part.constant + float(part.first_cost @ x)), part.technology @ x


class Answers:
    """Scenarios solved one after the other, or several together; what is not solved is NaN.

    ``unfinished``: a scenario that the deadline ends keeps the best answer found so far, with what is proven of it.
    """

    def __init__(self, arrays: TwoStageArrays, deadline: float | None = None, unfinished: bool = False) -> None:
        self.arrays, self.deadline, self.unfinished = arrays, deadline, unfinished
        self.values = np.full(arrays.scenarios, np.nan)
        self.bounds = np.full(arrays.scenarios, np.nan)
        self.y = np.full((arrays.scenarios, len(arrays.lower)), np.nan)
        self._hot: dict[float | None, HotRecourse] = {}

    def stop_at(self, deadline: float | None) -> None:
        """Another deadline from now on."""
        self.deadline = deadline
        for hot in self._hot.values():
            hot.deadline = deadline

    def solve(self, number: int, part: Recourse, shift: Floats, gap: float | None) -> Termination:
        """One scenario, and how it ended; ``shift`` (m2,) is what the first stage puts into its rows."""
        sense = self.arrays.sense
        low, up = part.row_lower - shift, part.row_upper - shift
        if not len(part.lower):
            feasible = bool(((low <= 1e-7) & (up >= -1e-7)).all())
            self.values[number] = self.bounds[number] = part.constant if feasible else sense * np.inf
            return Termination.OPTIMAL if feasible else Termination.INFEASIBLE
        if gap not in self._hot:
            options = SolverOptions(extra={} if gap is None else {"mip_rel_gap": gap})
            self._hot[gap] = HotRecourse(self.arrays, False, options, self.deadline)
        answer = self._hot[gap].solve(number, part, shift)
        ended = answer.termination
        if ended is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        taken = ended is Termination.OPTIMAL or (self.unfinished and ended is Termination.LIMIT)
        if taken and answer.x is not None:
            bound = answer.bound if isinstance(answer, MilpAnswer) else answer.objective
            self.values[number] = sense * answer.objective + part.constant
            self.bounds[number] = sense * bound + part.constant
            self.y[number] = answer.x
        elif ended is Termination.UNBOUNDED:
            self.values[number] = self.bounds[number] = -sense * np.inf
        elif ended in (Termination.INFEASIBLE, Termination.INFEASIBLE_OR_UNBOUNDED):
            self.values[number] = self.bounds[number] = sense * np.inf
        return ended

    def solve_together(self, chosen: Ints, x: Floats) -> None:
        """Scenarios of an LP side by side; where one of them has no answer, in two halves."""
        arrays = self.arrays.restricted(chosen, np.ones(len(chosen)))
        form = extensive_form(fixed_first(arrays, x))
        run = Highs().run_matrix(form, SolverOptions())
        if run.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        if run.termination is Termination.OPTIMAL and run.x is not None:
            _, y = parted(arrays, run.x)
            costs = (arrays.everywhere("cost") * y).sum(axis=1) + arrays.everywhere("constant")[:, 0]
            self.values[chosen] = self.bounds[chosen] = costs + arrays.everywhere("first_cost") @ x
            self.y[chosen] = y
        elif len(chosen) > 1:
            half = len(chosen) // 2
            self.solve_together(chosen[:half], x)
            self.solve_together(chosen[half:], x)
        elif run.termination is Termination.UNBOUNDED:
            self.values[chosen] = self.bounds[chosen] = -arrays.sense * np.inf
        elif run.termination in (Termination.INFEASIBLE, Termination.INFEASIBLE_OR_UNBOUNDED):
            self.values[chosen] = self.bounds[chosen] = arrays.sense * np.inf
