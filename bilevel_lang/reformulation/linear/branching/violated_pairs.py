"""Best-first branch and bound on violated pairs and fractional columns, over LP or convex QP relaxations.

For what the quicker search of :mod:`~bilevel_lang.reformulation.linear.branching.tree` does not take: a quadratic objective of
the leader, integer columns, an unbounded relaxation. A node is the relaxation with some columns pinned; its children decide the
pair whose smaller side is largest, or round the most fractional column. The piece of every point met is tried as incumbent. A
relaxation that is unbounded is branched on too; if every pair and column is decided there, the problem is unbounded, proven.
Reference: Bard and Moore 1990, SIAM J. Sci. Stat. Comput. 11:281.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.reformulation.linear.branching.search import UNLIMITED
from bilevel_lang.reformulation.linear.branching.tree import Effort
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.piece import piece_of
from bilevel_lang.reformulation.linear.start import starting
from bilevel_lang.solvers.features import why_not
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

FEASIBLE = 1e-7
"""A pair whose smaller side is at most this counts as complementary, however large its other side is: a slack of 1 next to a
multiplier of 1e8 is no rounding. Integers likewise."""

GAP = 1e-9
"""Relative gap at which a node is not worth opening, where the user asks for none."""


@dataclass(frozen=True, slots=True)
class _Node:
    """Bounds of the columns, and of the relaxation within them its value (minimisation) and its point, None if unbounded."""

    lower: Floats
    upper: Floats
    value: float
    x: Floats | None


def search_pairs(mpec: LinearMpec, options: SolverOptions, start: Floats | None = None, effort: Effort = UNLIMITED) -> MatrixRun:
    """Solve ``mpec`` (linear rows, linear or convex quadratic objective) to proven optimality.

    LIMIT and INTERRUPTED come with the best point and the bound proven by then; FAILED where HiGHS gave up on a node. ``start``
    (columns of the program) is looked at for its piece. ``effort`` (its nodes and iterations) may end the search earlier, with
    LIMIT. Raises RefusedError for what HiGHS does not take.
    """
    return _Search(mpec, options, effort).run(start)


class _Search:
    """One search; ``value`` is always that of the minimisation."""

    def __init__(self, mpec: LinearMpec, options: SolverOptions, effort: Effort) -> None:
        self.mpec = mpec
        self.effort = effort
        self.program = replace(mpec.program, integer=np.zeros(mpec.program.columns, dtype=bool))
        self.whole = np.flatnonzero(mpec.program.integer)
        self.options = options
        self.gap = GAP if options.gap is None else max(GAP, options.gap)
        self.began = time.perf_counter()
        self.highs = Highs()
        self.best: Floats | None = None
        self.best_value = math.inf
        self.closed = math.inf
        """The least value of the nodes that the gap alone has closed: no bound above it is proven."""
        self.nodes = 0
        self.iterations = 0
        self.rooted = False
        self.queue: list[tuple[float, int, _Node]] = []
        self.number = itertools.count()

    def run(self, start: Floats | None) -> MatrixRun:
        """The whole search."""
        begin = starting(self.mpec, start)
        if begin is not None and np.isfinite(begin).all():
            self._try_piece(begin)
        ended = self._open(self.program.lower, self.program.upper)
        self.rooted = ended is None
        while self.queue and ended is None:
            if self.queue[0][0] >= self._cutoff():
                break
            if self._left() <= 0 or self._spent():
                ended = Termination.LIMIT
                break
            node = heapq.heappop(self.queue)[2]
            ended = self._branch(node)
            if ended is not None:
                # Its children are not all known: the node's own bound still stands.
                heapq.heappush(self.queue, (node.value, next(self.number), node))
        return self._report(ended)

    def _branch(self, node: _Node) -> Termination | None:
        """Open the children of a node; how the search ends, or None."""
        for lower, upper in self._children(node):
            ended = self._open(lower, upper)
            if ended is not None:
                return ended
        return None

    def _open(self, lower: Floats, upper: Floats) -> Termination | None:
        """Solve one relaxation and keep it if it may hold something better."""
        if (lower > upper).any():
            return None
        self.nodes += 1
        program = replace(self.program, lower=lower, upper=upper)
        found = self.highs.run_matrix(program, SolverOptions(time_limit=self._limit(), threads=self.options.threads))
        self.iterations += found.iterations or 0
        if found.termination is Termination.INFEASIBLE:
            return None
        if found.termination in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED):
            return self._open_unbounded(_Node(lower, upper, -math.inf, None), found.termination)
        if found.termination is not Termination.OPTIMAL or found.x is None or found.objective is None:
            return found.termination
        value = self.program.sense * found.objective
        if value < self._cutoff():
            node = _Node(lower, upper, value, found.x)
            if self._is_answer(node):
                self._take(found.x, value)
            else:
                self._try_piece(found.x)
                heapq.heappush(self.queue, (value, next(self.number), node))
        else:
            self.closed = min(self.closed, value)
        return None

    def _open_unbounded(self, node: _Node, termination: Termination) -> Termination | None:
        if self._undecided(node) is None:
            return self._with_integers(node, termination) if self.whole.size else termination
        heapq.heappush(self.queue, (-math.inf, next(self.number), node))
        return None

    def _with_integers(self, node: _Node, termination: Termination) -> Termination | None:
        """An unbounded relaxation is an unbounded problem only if it holds an integer point; HiGHS tells the two apart."""
        program = replace(self.mpec.program, lower=node.lower, upper=node.upper)
        if why_not(self.highs, program.features()) is not None:
            return Termination.INFEASIBLE_OR_UNBOUNDED
        found = self.highs.run_matrix(program, SolverOptions(time_limit=self._limit(), threads=self.options.threads)).termination
        return None if found is Termination.INFEASIBLE else found

    def _children(self, node: _Node) -> list[tuple[Floats, Floats]]:
        choice = self._undecided(node) if node.x is None else self._most_violated(node)
        assert choice is not None
        if isinstance(choice, tuple):
            column, value = choice
            below, above = node.upper.copy(), node.lower.copy()
            below[column], above[column] = math.floor(value), math.floor(value) + 1
            return [(node.lower, below), (above, node.upper)]
        children = []
        for column in (self.mpec.left[choice], self.mpec.right[choice]):
            upper = node.upper.copy()
            upper[column] = 0.0
            children.append((node.lower, upper))
        return children

    def _undecided(self, node: _Node) -> int | None:
        """A pair that has neither side pinned. Integer columns of an unbounded relaxation are left to the pairs."""
        open_pairs = (node.upper[self.mpec.left] > 0) & (node.upper[self.mpec.right] > 0)
        return int(np.flatnonzero(open_pairs)[0]) if open_pairs.any() else None

    def _most_violated(self, node: _Node) -> int | tuple[int, float]:
        """The pair whose smaller side is largest, or else the most fractional column and its value."""
        assert node.x is not None
        off = self._off(node, node.x)
        if off.size and off.max() > FEASIBLE:
            return int(off.argmax())
        fraction = np.abs(node.x[self.whole] - np.round(node.x[self.whole]))
        column = int(self.whole[int(fraction.argmax())])
        return column, float(node.x[column])

    def _off(self, node: _Node, x: Floats) -> Floats:
        """How far each pair is from being complementary at ``x``; 0 for those that the node has decided."""
        left, right = self.mpec.left, self.mpec.right
        undecided = (node.upper[left] > 0) & (node.upper[right] > 0)
        off: Floats = np.where(undecided, np.minimum(x[left], x[right]), 0.0)
        return off

    def _is_answer(self, node: _Node) -> bool:
        assert node.x is not None
        whole = node.x[self.whole]
        fraction = float(np.abs(whole - np.round(whole)).max(initial=0.0))
        return float(self._off(node, node.x).max(initial=0.0)) <= FEASIBLE and fraction <= FEASIBLE

    def _take(self, x: Floats, value: float) -> None:
        if value < self.best_value:
            self.best, self.best_value = x, value

    def _try_piece(self, x: Floats) -> None:
        """The best point of the piece that ``x`` lies on, integers rounded: an incumbent where it has one."""
        limit = self._limit()
        found = self.highs.run_matrix(piece_of(self.mpec, x), SolverOptions(time_limit=limit, threads=self.options.threads))
        if found.termination is Termination.OPTIMAL and found.x is not None and found.objective is not None:
            self._take(found.x, self.program.sense * found.objective)

    def _cutoff(self) -> float:
        return self.best_value - self.gap * max(1.0, abs(self.best_value)) if self.best is not None else math.inf

    def _spent(self) -> bool:
        nodes, iterations = self.effort.nodes, self.effort.iterations
        return (nodes is not None and self.nodes >= nodes) or (iterations is not None and self.iterations >= iterations)

    def _left(self) -> float:
        limit = self.options.time_limit
        return math.inf if limit is None else limit - (time.perf_counter() - self.began)

    def _limit(self) -> float | None:
        left = self._left()
        return None if math.isinf(left) else max(1e-2, left)

    def _report(self, ended: Termination | None) -> MatrixRun:
        found = ended or (Termination.OPTIMAL if self.best is not None else Termination.INFEASIBLE)
        bound = min([self.best_value, self.closed, *(value for value, _, _ in self.queue)])
        known = (
            self.rooted and math.isfinite(bound) and found in (Termination.OPTIMAL, Termination.LIMIT, Termination.INTERRUPTED)
        )
        gone = found in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED)
        x = None if gone else self.best
        sense = self.program.sense
        return MatrixRun(
            found,
            f"{self.highs.version()} (branch)",
            x=x,
            objective=None if x is None else self.program.objective_at(x),
            bound=sense * bound if known else None,
            seconds=time.perf_counter() - self.began,
            message=f"{found.value}; {self.nodes} nodes",
            nodes=self.nodes,
        )


def takes(program: MatrixProgram) -> str | None:
    """Why HiGHS cannot solve the relaxations of ``program``; None where it can."""

    relaxed = replace(program, integer=np.zeros(program.columns, dtype=bool))
    return why_not(Highs(), relaxed.features())
