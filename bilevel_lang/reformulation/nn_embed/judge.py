"""The truth at one decision of the leader: what the follower answers, and the best that the leader gets out of it.

The follower's problem and the leader's are kept in HiGHS with the leader's columns as bounds, so a question costs a few pivots.
What comes out is bilevel-feasible by construction: the second problem holds every row of the first, and the follower's objective
at its optimum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.nn_embed.reading import Evaluated
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import LpAnswer, WarmLp

FEASIBLE = 1e-6
"""Violation of a row that is not linear, relative to max(1, |side|): a tenth of what verification allows."""

EQUAL = (1e-9, 1e-7)
"""Shares of max(1, |value|) by which the follower may miss its optimum, the second where the first leaves no point."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """At the inputs ``x`` (n,): the follower's optimal ``value`` (as a minimisation; NaN where it has no answer), and the best
    ``point`` of all columns for the leader among its optimal answers (None where none satisfies the leader's rows) with the
    leader's ``objective`` (as a minimisation, inf without a point). ``gradient`` (n,): of the value of an LP follower."""

    x: Floats
    value: float
    point: Floats | None
    objective: float
    gradient: Floats | None = None

    @property
    def answered(self) -> bool:
        """Whether the follower has an optimal answer."""
        return math.isfinite(self.value)


class Judge:
    """Of the linear problem ``source``, whose follower sees the leader's columns ``inputs``; what it was asked is remembered.

    ``evaluated``: what of the leader is not linear; then any of the follower's optimal answers is taken as it comes. ``deadline``
    is a reading of ``time.perf_counter``; past it nothing more is found out.
    """

    def __init__(
        self,
        source: BilevelProgram,
        inputs: Ints,
        options: SolverOptions,
        deadline: float | None = None,
        evaluated: Evaluated | None = None,
    ) -> None:
        self.source, self.inputs, self.evaluated = source, inputs, evaluated
        self.best: Verdict | None = None
        self._known: dict[bytes, Verdict] = {}
        program = source.relaxation
        own = follower_program(source, inputs)
        self._own = own
        lp = not own.integer.any()
        self._follower = WarmLp(own, options, primal=False, deadline=deadline) if lp else HotMilp(own, options, deadline)
        whole = replace(program, cost=program.sense * program.cost, sense=1, constant=0.0)
        self._leader = HotMilp(_with_row(whole, source.follower_cost), options, deadline)

    @property
    def solves(self) -> int:
        """Problems solved so far, the follower's and the leader's."""
        return self._follower.solves + self._leader.solves

    def known(self) -> list[Verdict]:
        """All verdicts so far, in the order of the questions."""
        return list(self._known.values())

    def ask(self, x: Floats) -> Verdict:
        """The verdict at ``x`` (n,), whole inputs rounded. Raises SolverFailedError where HiGHS gives up."""
        x = self._rounded(x)
        key = (x + 0.0).tobytes()
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._found(x)
            if found.point is not None and (self.best is None or found.objective < self.best.objective):
                self.best = found
        return found

    def _rounded(self, x: Floats) -> Floats:
        program = self.source.relaxation
        whole = program.integer[self.inputs]
        return np.clip(np.where(whole, np.rint(x), x), program.lower[self.inputs], program.upper[self.inputs])

    def _found(self, x: Floats) -> Verdict:
        value, gradient, answer = self._value(x)
        if answer is None:
            return Verdict(x, math.nan, None, math.inf)
        point = self._leaders_choice(x, value) if self.evaluated is None else self._as_it_comes(x, answer)
        if point is None:
            return Verdict(x, value, None, math.inf, gradient)
        if self.evaluated is None:
            program = self.source.relaxation
            return Verdict(x, value, point, float(program.sense * program.objective_at(point)), gradient)
        objective, off = self.evaluated.evaluate(point)
        if off > FEASIBLE or not math.isfinite(objective):
            return Verdict(x, value, None, math.inf, gradient)
        return Verdict(x, value, point, objective, gradient)

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

    def _as_it_comes(self, x: Floats, answer: Floats) -> Floats | None:
        """The follower's own answer, if it satisfies the leader's linear rows; all columns of the leader are inputs here."""
        point = answer.copy()
        point[self.inputs] = x
        return point if self.source.relaxation.violation(point) <= FEASIBLE else None

    def _value(self, x: Floats) -> tuple[float, Floats | None, Floats | None]:
        """The follower's optimal value, its derivatives (reduced costs of the columns that are held), and its answer."""
        base = self._own
        lower, upper = base.lower.copy(), base.upper.copy()
        lower[self.inputs] = upper[self.inputs] = x
        self._follower.set_bounds(lower, upper)
        products = None if self.evaluated is None else self.evaluated.products
        if products is not None:
            self._follower.set_cost(base.cost + products.costs(lower))
        found = self._follower.solve()
        if found.termination is not Termination.OPTIMAL:
            return math.nan, None, None
        if isinstance(found, LpAnswer) and found.row_duals is not None and products is None:
            return found.objective, -np.asarray(base.matrix.T @ found.row_duals)[self.inputs], found.x
        return found.objective, None, found.x


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


def _with_row(program: MatrixProgram, form: Floats) -> MatrixProgram:
    """``program`` with one more row ``form``, free for now."""
    return replace(
        program,
        matrix=sp.csr_matrix(sp.vstack([program.matrix, sp.csr_matrix(form)])),
        row_lower=np.append(program.row_lower, -math.inf),
        row_upper=np.append(program.row_upper, math.inf),
    )
