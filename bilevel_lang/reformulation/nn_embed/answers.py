"""The truth at decisions of the leader, in a form that travels to a worker of the sampling engine.

The follower's problem and the leader's are kept in HiGHS with the leader's columns as bounds, so a question costs a few pivots.
What comes out is bilevel-feasible by construction: the second problem holds every row of the first, and the follower's objective
at its optimum.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.nn_embed.reading import Products
from bilevel_lang.reformulation.nn_embed.target import indifferent
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import LpAnswer, WarmLp
from bilevel_lang.surrogate.dataset import DataSet, Outcome

FEASIBLE = 1e-6
"""Violation of a row, relative to max(1, |side|): a tenth of what verification allows."""

EQUAL = (1e-9, 1e-7)
"""Shares of max(1, |value|) by which the follower may miss its optimum, the second where the first leaves no point."""

_OUTCOMES = {
    Termination.OPTIMAL: Outcome.OPTIMAL,
    Termination.INFEASIBLE: Outcome.INFEASIBLE,
    Termination.UNBOUNDED: Outcome.UNBOUNDED,
    Termination.LIMIT: Outcome.LIMIT,
}


@dataclass(frozen=True, eq=False)
class Answer:
    """The follower's optimal ``value`` (as a minimisation, NaN without one), its derivatives ``gradient`` (n,) where it is an LP,
    its own answer ``response`` (m,), and a ``point`` of all columns: the leader's best among the optimal answers, None where none
    satisfies the leader's rows. ``outcome`` LIMIT: time was over; a point is bilevel-feasible then, too, but it may not be the
    best of its decision, and nothing else is known."""

    outcome: Outcome
    value: float = math.nan
    gradient: Floats | None = None
    response: Floats | None = None
    point: Floats | None = None


class Answers:
    """Of the linear problem ``source``, whose follower sees the leader's columns ``inputs``.

    ``products`` are added to the follower's costs. ``as_it_comes``: the point is the follower's own answer with the inputs, which
    have to be all columns of the leader; otherwise the leader's best among the optimal ones. ``deadline`` is a reading of
    ``time.perf_counter``.
    """

    def __init__(
        self,
        source: BilevelProgram,
        inputs: Ints,
        options: SolverOptions,
        deadline: float | None = None,
        products: Products | None = None,
        as_it_comes: bool = False,
    ) -> None:
        self.source, self.inputs, self.products, self._as_it_comes = source, inputs, products, as_it_comes
        self._own_columns = np.flatnonzero(source.follower)
        program = source.relaxation
        self._own = own = follower_program(source, inputs)
        lp = not own.integer.any()
        self._follower = WarmLp(own, options, primal=False, deadline=deadline) if lp else HotMilp(own, options, deadline)
        self._leader = HotMilp(with_row(as_minimisation(program), source.follower_cost), options, deadline)
        self._indifferent = indifferent(source, inputs)

    @property
    def solves(self) -> int:
        """Problems solved so far, the follower's and the leader's."""
        return self._follower.solves + self._leader.solves

    @property
    def has_gradients(self) -> bool:
        """Whether the follower is an LP whose costs no input moves."""
        return isinstance(self._follower, WarmLp) and self.products is None

    def forget(self) -> None:
        """Solve the next question as if it were the first one: what comes out no longer depends on those before."""
        self._follower.forget()
        self._leader.forget()

    def at(self, x: Floats) -> Answer:
        """The answer at ``x`` (n,), whole where it has to be. Raises SolverFailedError where HiGHS gives up."""
        base = self._own
        lower, upper = base.lower.copy(), base.upper.copy()
        lower[self.inputs] = upper[self.inputs] = x
        self._follower.set_bounds(lower, upper)
        if self.products is not None:
            self._follower.set_cost(base.cost + self.products.costs(lower))
        found = self._follower.solve()
        if found.termination is not Termination.OPTIMAL or found.x is None:
            return Answer(_OUTCOMES.get(found.termination, Outcome.FAILED))
        gradient = None
        if isinstance(found, LpAnswer) and found.row_duals is not None and self.has_gradients:
            gradient = -np.asarray(base.matrix.T @ found.row_duals)[self.inputs]
        # A leader who gets the same from all optimal answers has no choice to make, if the one at hand satisfies its rows.
        point = self._unchanged(x, found.x) if self._as_it_comes or self._indifferent else None
        if point is None and not self._as_it_comes:
            point = self._leaders_choice(x, found.objective)
        # Past the deadline a point may not be the leader's best, and no point does not mean that there is none.
        outcome = Outcome.LIMIT if self._leader.out_of_time() else Outcome.OPTIMAL
        return Answer(outcome, found.objective, gradient, found.x[self._own_columns], point)

    def _leaders_choice(self, x: Floats, value: float) -> Floats | None:
        """The best for the leader among the follower's optimal answers."""
        program, leader = self.source.relaxation, self._leader
        lower, upper = program.lower.copy(), program.upper.copy()
        lower[self.inputs] = upper[self.inputs] = x
        leader.set_bounds(lower, upper)
        free = np.full(1, -np.inf)
        for share in EQUAL:
            most = np.array([value + share * max(1.0, abs(value))])
            leader.set_sides(np.append(program.row_lower, free), np.append(program.row_upper, most))
            found = leader.solve()
            if found.x is not None:
                return found.x
        return None

    def _unchanged(self, x: Floats, answer: Floats) -> Floats | None:
        """The follower's own answer, if it satisfies the leader's linear rows."""
        point = answer.copy()
        point[self.inputs] = x
        return point if self.source.relaxation.violation(point) <= FEASIBLE else None


@dataclass(frozen=True, eq=False)
class AnswerRecipe:
    """:class:`Answers` as a :class:`~bilevel_lang.surrogate.sampling.run.Recipe`. ``until`` is a reading of ``time.time``.

    In its data sets ``values`` are a minimisation's, and ``responses`` hold the follower's answer and after it all columns of the
    point (NaN where there is none).
    """

    source: BilevelProgram
    inputs: Ints
    products: Products | None = None
    as_it_comes: bool = False
    seed: int = 0
    until: float | None = None

    def fingerprint(self) -> str:
        """Of everything that the answers depend on; ``until`` is not among it, for what is cut off is not kept."""
        digest = hashlib.sha256(f"nn-embed {self.as_it_comes} {self.seed}".encode())
        program = self.source.relaxation
        arrays = [program.lower, program.upper, program.integer, program.cost, program.row_lower, program.row_upper, self.inputs]
        arrays += [program.matrix.indptr, program.matrix.indices, program.matrix.data, np.array([program.sense])]
        arrays += [self.source.follower, self.source.follower_rows, self.source.follower_cost]
        if self.products is not None:
            arrays += [self.products.given, self.products.own, self.products.coefficients]
        for array in arrays:
            digest.update(f"{np.shape(array)}".encode() + np.asarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()

    def build(self) -> Callable[[Floats], DataSet]:
        """What labels points (k, n), each call without memory of the calls before."""
        left = None if self.until is None else time.perf_counter() + self.until - time.time()
        answers = Answers(
            self.source, self.inputs, SolverOptions(seed=self.seed), left, self.products, as_it_comes=self.as_it_comes
        )

        def label(points: Floats) -> DataSet:
            answers.forget()
            return as_data([answers.at(x) for x in points], points, self.source, answers.has_gradients)

        return label


def as_data(found: list[Answer], points: Floats, source: BilevelProgram, gradients: bool) -> DataSet:
    """The answers at ``points`` (k, n) as arrays; see :class:`AnswerRecipe`."""
    m, columns = int(source.follower.sum()), source.relaxation.columns
    k, n = points.shape
    responses, slopes = np.full((k, m + columns), np.nan), np.full((k, n), np.nan)
    for row, answer in enumerate(found):
        if answer.response is not None:
            responses[row, :m] = answer.response
        if answer.point is not None:
            responses[row, m:] = answer.point
        if answer.gradient is not None:
            slopes[row] = answer.gradient
    values = np.array([answer.value for answer in found])
    return DataSet(
        inputs=points,
        feasible=np.isfinite(values),
        values=values,
        gradients=slopes if gradients else None,
        responses=responses,
        outcomes=np.array([answer.outcome for answer in found], dtype=np.int8),
    )


def from_data(data: DataSet, source: BilevelProgram) -> list[Answer]:
    """The way back of :func:`as_data`."""
    assert data.responses is not None and data.outcomes is not None
    m = int(source.follower.sum())
    found = []
    for row in range(len(data)):
        response, point = data.responses[row, :m], data.responses[row, m:]
        gradient = None if data.gradients is None else data.gradients[row]
        found.append(
            Answer(
                Outcome(int(data.outcomes[row])),
                float(data.values[row]),
                gradient if gradient is not None and np.isfinite(gradient).all() else None,
                response if np.isfinite(response).all() else None,
                point if np.isfinite(point).all() else None,
            )
        )
    return found


def follower_program(source: BilevelProgram, inputs: Ints) -> MatrixProgram:
    """The follower's rows and objective over all columns; columns of neither ``inputs`` nor the follower are 0."""
    program = source.relaxation
    rows = np.flatnonzero(source.follower_rows)
    used = source.follower.copy()
    used[inputs] = True
    return MatrixProgram(
        lower=np.where(used, program.lower, 0.0),
        upper=np.where(used, program.upper, 0.0),
        integer=program.integer & source.follower,
        cost=source.follower_cost,
        matrix=program.matrix[rows],
        row_lower=program.row_lower[rows],
        row_upper=program.row_upper[rows],
    )


def as_minimisation(program: MatrixProgram) -> MatrixProgram:
    """The same with ``sense`` +1 and without a constant."""
    return replace(program, cost=program.sense * program.cost, sense=1, constant=0.0)


def with_row(program: MatrixProgram, form: Floats) -> MatrixProgram:
    """``program`` with one more row ``form``, free for now."""
    return replace(
        program,
        matrix=sp.csr_matrix(sp.vstack([program.matrix, sp.csr_matrix(form)])),
        row_lower=np.append(program.row_lower, -math.inf),
        row_upper=np.append(program.row_upper, math.inf),
    )
