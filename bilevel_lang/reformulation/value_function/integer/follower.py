"""The follower as an oracle: its best answer to a decision of the leader, and the one of its best answers that the leader likes
best.

Each of its problems is compiled once and kept in a solver; for another decision only sides and bounds are changed. Answers are
kept by the values of the linking columns, on which alone they depend.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.value_function.integer.blocking import Blocking
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.leader_best import LeaderBest
from bilevel_lang.reformulation.value_function.integer.recession import improves_without_end
from bilevel_lang.solvers.hot_milp import HotMilp, MilpAnswer
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.tree_judge import StopSearch


class OutOfTimeError(StopSearch):
    """The deadline has passed in the middle of the oracle's work (never leaves this package)."""


@dataclass(frozen=True, slots=True)
class Response:
    """A best answer ``y`` (n,; 0 outside the follower's columns) and its ``value``, in the unit of ``Extended.value``."""

    y: Floats
    value: float


class Follower:
    """See the module's docstring. ``deadline`` as in :class:`HotMilp`.

    The follower's optimum exists wherever its rows can be satisfied, unless :meth:`is_unbounded`.
    """

    pessimistic = False
    """Whether :meth:`favourable` counts on the worst of the best answers."""

    def __init__(self, extended: Extended, options: SolverOptions, deadline: float | None = None) -> None:
        self.extended = extended
        source = extended.source
        self._own: Ints = np.flatnonzero(source.follower)
        relaxation = source.relaxation
        matrix = relaxation.matrix[np.flatnonzero(source.follower_rows)]
        own = sp.csr_matrix(matrix[:, self._own])
        kept = np.flatnonzero(np.diff(own.indptr) > 0)
        self._leader_part = sp.csr_matrix(matrix[kept])
        self._leader_part = sp.csr_matrix(self._leader_part.multiply(np.where(source.follower, 0.0, 1.0)))
        self._leader_part.eliminate_zeros()
        self._sides = (
            relaxation.row_lower[source.follower_rows][kept],
            relaxation.row_upper[source.follower_rows][kept],
        )
        self._B = sp.csr_matrix(own[kept])
        alone = np.flatnonzero(np.diff(self._leader_part.indptr) == 0)
        self._alone = sp.csr_matrix(self._B[alone])
        self._alone_sides = (self._sides[0][alone], self._sides[1][alone])
        self._worst: HotMilp | None = None
        self.options, self.deadline = options, deadline
        self._best = HotMilp(self._program(extended.value_cost[self._own]), options, deadline)
        self._leader_best: LeaderBest | None = None
        self._blocking: Blocking | None = None
        self._responses: dict[bytes, Response | None] = {}
        self._lasting: dict[bytes, Response | None] = {}
        self._favourable: dict[bytes, Floats | None] = {}
        self.late: Floats | None = None
        """A solution (columns of ``Extended.program``) that :meth:`favourable` had at the deadline, not proven the best."""

    @property
    def solves(self) -> int:
        """How many problems were solved, of all kinds."""
        blocking = None if self._blocking is None else self._blocking.milp
        kinds = (self._best, self._leader_best, self._worst, blocking)
        return sum(each.solves for each in kinds if each is not None)

    def _program(self, cost: Floats) -> MatrixProgram:
        relaxation = self.extended.source.relaxation
        return MatrixProgram(
            lower=relaxation.lower[self._own],
            upper=relaxation.upper[self._own],
            integer=relaxation.integer[self._own],
            cost=cost,
            matrix=self._B,
            row_lower=self._sides[0],
            row_upper=self._sides[1],
        )

    def is_unbounded(self) -> bool:
        """Whether the follower can improve without end wherever it has an answer at all."""
        return improves_without_end(self._best.program, self.options, self.deadline)

    def key(self, z: Floats) -> bytes:
        """What the follower sees of ``z``."""
        return np.rint(z[self.extended.links]).astype(np.int64).tobytes()

    def response(self, z: Floats) -> Response:
        """The best answer to the linking columns of ``z``. Raises SolverFailedError where there is none, OutOfTimeError."""
        found = self.response_if_any(z)
        if found is None:
            said = "the follower's problem is infeasible where the relaxation has a point"
            raise SolverFailedError(said, help="rescale the model: its numbers are at the edge of the solvers' tolerances")
        return found

    def response_if_any(self, z: Floats) -> Response | None:
        """The same, None where the follower has no feasible answer: no solution has such linking columns."""
        key = self.key(z)
        if key not in self._responses:
            self._best.set_sides(*self._sides_at(z))
            answer = in_time(self._best.solve())
            if answer.x is None and answer.termination is not Termination.INFEASIBLE:
                said = f"the follower's problem is {answer.termination.value}, though its objective is bounded"
                raise SolverFailedError(said, help="give the follower's columns bounds")
            self._responses[key] = None if answer.x is None else Response(self._spread(answer.x), answer.objective)
        return self._responses[key]

    def lasting(self, sigma_up: Floats) -> Response | None:
        """The best answer that no row can block while sigma stays within ``sigma_up`` (R,): feasible for all decisions at once.

        None where there is none. Raises OutOfTimeError.
        """
        key = sigma_up.tobytes()
        if key not in self._lasting:
            self._lasting[key] = self._solve_lasting(sigma_up)
        return self._lasting[key]

    def _solve_lasting(self, sigma_up: Floats) -> Response | None:
        if not np.isfinite(sigma_up).all():
            return None
        return self._unblocked(self.extended.value_cost[self._own], sigma_up)

    def priced(self, cost: Floats, sigma: Floats) -> Response | None:
        """The answer of least ``cost`` (n,) that is feasible for ``sigma`` (R,), which has to be finite.

        None where there is none. Raises OutOfTimeError.
        """
        return self._unblocked(cost[self._own], sigma)

    def _unblocked(self, cost: Floats, sigma: Floats) -> Response | None:
        rows = self.extended.rows
        if self._worst is None:
            matrix = sp.vstack([self._alone, rows.B[:, self._own]], format="csr")
            sides = self._alone_sides
            low, up = np.append(sides[0], np.full(len(rows), -np.inf)), np.append(sides[1], rows.side)
            program = replace(self._program(cost), matrix=matrix, row_lower=low, row_upper=up)
            self._worst = HotMilp(program, self.options, self.deadline)
        low, up = self._worst.program.row_lower, self._worst.program.row_upper.copy()
        up[len(up) - len(rows) :] = rows.side - rows.scale * sigma
        self._worst.set_sides(low, up)
        self._worst.set_cost(cost)
        answer = in_time(self._worst.solve())
        if answer.x is None:
            return None
        return Response(self._spread(answer.x), float(self.extended.value_cost[self._own] @ answer.x))

    def _sides_at(self, z: Floats) -> tuple[Floats, Floats]:
        links = self.extended.links
        x = np.zeros(self.extended.n)
        x[links] = np.rint(z[links])
        shift = self._leader_part @ x
        return self._sides[0] - shift, self._sides[1] - shift

    def _spread(self, own: Floats) -> Floats:
        y = np.zeros(self.extended.n)
        y[self._own] = own
        return y

    def knows_favourable(self, z: Floats) -> bool:
        """Whether :meth:`favourable` costs nothing at ``z``."""
        return self.key(z) in self._favourable

    def is_promising(self, z: Floats, at_most: float) -> bool:
        """Whether :meth:`favourable` may find something at ``z``, as far as an LP can tell that does not ask the follower."""
        program = self.extended.program
        return not np.isfinite(at_most) or self._of_leader().is_promising(z, at_most - program.sense * program.constant)

    def _of_leader(self) -> LeaderBest:
        if self._leader_best is None:
            self._leader_best = LeaderBest(self.extended, self.options, self.deadline)
        return self._leader_best

    def favourable(self, z: Floats, at_most: float = np.inf) -> Floats | None:
        """The leader's best point (columns of ``Extended.program``) with the linking columns of ``z`` and a best answer of the
        follower.

        None where the leader's rows admit no best answer, or none whose objective, as a minimisation, is ``at_most``. That must
        not grow from call to call: what was not good enough once is not looked at again. Raises OutOfTimeError.
        """
        key = self.key(z)
        if key not in self._favourable:
            self._favourable[key] = self._solve_favourable(z, at_most)
        return self._favourable[key]

    def _solve_favourable(self, z: Floats, at_most: float) -> Floats | None:
        program, leader = self.extended.program, self._of_leader()
        # Only from above: no answer is better than the best one, up to the tolerance of the solver.
        side = self.best_value_side(self.response(z).value)
        answer = leader.solve(z, side, at_most - program.sense * program.constant)
        if answer.termination is Termination.INFEASIBLE:
            return None
        if answer.termination is Termination.LIMIT:
            self.late = self._as_answered(z) if answer.x is None else leader.point(z, answer.x)
        answer = in_time(answer)
        if answer.x is None:
            said = f"the leader's problem is {answer.termination.value} for a fixed decision"
            raise SolverFailedError(said, help="give the leader's columns bounds")
        return leader.point(z, answer.x)

    def _as_answered(self, z: Floats) -> Floats | None:
        """``z`` with the follower's best answer, where the rows admit that."""
        point = self.extended.with_answer(z, self.response(z).y)
        return point if self.extended.program.violation(point) <= 1e-9 else None

    def best_value_side(self, value: float) -> float:
        """The upper side of the objective that keeps the best answers alone; ``value`` is that of one of them."""
        return value if self.extended.value_whole else value + 1e-8 * max(1.0, abs(value))

    def is_solution(self, z: Floats) -> bool:
        """Whether ``z``, where the follower's answer is a best one, is a solution: always, as the leader may choose."""
        return True

    def hard_to_block(self, z: Floats, at_most: float, lower: Floats, upper: Floats) -> Response | None:
        """An answer to ``z`` no worse than ``at_most`` that the fewest rows can block for activities in [lower, upper] (K,).

        The idea is SEP-2 of Fischetti, Ljubic, Monaci and Sinnl 2017, Oper. Res. 65:1615. None where none was found within
        :data:`.blocking.NODES` nodes: any such answer may be learned from, and the best one is not worth a long search.
        """
        if self._blocking is None:
            program = self._program(np.zeros(len(self._own)))
            self._blocking = Blocking(self.extended, self._own, program, self.options, self.deadline)
        found = self._blocking.solve(*self._sides_at(z), at_most, lower, upper)
        if self._blocking.milp.out_of_time():
            raise OutOfTimeError("the time limit is reached")
        if found.x is None:
            return None
        own = found.x[: len(self._own)]
        return Response(self._spread(own), float(self.extended.value_cost[self._own] @ own))

    @property
    def own(self) -> Ints:
        """The follower's columns."""
        return self._own


def in_time(answer: MilpAnswer) -> MilpAnswer:
    """``answer``, if it is the solver's last word. Raises OutOfTimeError where it is not."""
    if answer.termination in (Termination.LIMIT, Termination.INTERRUPTED):
        raise OutOfTimeError("the time limit is reached")
    return answer
