"""Branch and bound on pairs: a node is the LP of the main block, and what its multipliers answer.

A node whose point has fitting multipliers is solved. Otherwise it branches on a clause that its point breaks: one child for each
undecided pair of the clause with that pair's first side at 0, and the second side at 0 for the pairs of the children before it,
so that no point is in two of them. All children's LPs are solved at once: those beyond the best known objective decide their pair
for the children that are left. Where no clause is known, on the worst pair both ways. Dives to the best child, then best-first.

Every bound is an LP's, every clause a certificate's: no bound on multipliers is needed, and none is assumed.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from dataclasses import dataclass, field

import numpy as np

from bilevel_lang.reformulation.linear.branching.blocks import Blocks
from bilevel_lang.reformulation.linear.branching.clauses import FIRST, OPEN, SECOND, Clauses
from bilevel_lang.reformulation.linear.branching.multipliers import Fit, Multipliers
from bilevel_lang.reformulation.linear.branching.relaxation import NodePoint, Relaxation
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

ZERO = 1e-8
"""A side up to this is 0. The LPs are solved to 1e-9."""

GAP = 1e-9
"""Relative gap (to max(1, |objective|)) that closes a node where the caller asks for none."""

CHILDREN = 20
"""Children of a node whose LPs are solved at once; the rest of a longer clause waits as one more child."""

DIVE = 30
"""How many nodes a dive goes down before the best open node is next."""

RESPONSES = 10
"""A response of the multipliers is tried at the root and at every such node."""

STEPS = 8
"""How many pieces a response may walk to while it improves."""


@dataclass(frozen=True, slots=True)
class Effort:
    """When to stop early. Counted, not timed, so that the same run comes out on every machine. ``nodes`` None: without limit."""

    nodes: int | None = None
    iterations: int | None = None
    """Of the simplex, over all LPs."""
    trial: int | None = None
    """Nodes after which the gap must be at most ``promising``, relative to max(1, |objective|)."""
    promising: float = math.inf


@dataclass(order=True, slots=True)
class _Node:
    bound: float
    serial: int
    state: Ints = field(compare=False)
    point: NodePoint = field(compare=False)


class _StoppedError(Exception):
    """An LP ran out of time, or found what no node may have."""

    def __init__(self, termination: Termination) -> None:
        self.termination = termination


class Tree:
    """One search. After :meth:`run`: ``best`` (columns of both blocks joined) with its ``objective``, ``bound``, ``nodes``."""

    def __init__(self, blocks: Blocks, options: SolverOptions, effort: Effort, deadline: float | None) -> None:
        self._blocks = blocks
        self._effort = effort
        self._deadline = deadline
        self._gap = GAP if options.gap is None else max(GAP, options.gap)
        self._relaxation = Relaxation(blocks, options, deadline)
        self._multipliers = Multipliers(blocks, options, deadline)
        self._clauses = Clauses(len(blocks.first))
        self._open: list[_Node] = []
        self._next: _Node | None = None
        self._depth = 0
        self._serial = itertools.count()
        self._closed = math.inf
        self._at = -math.inf
        self.best: Floats | None = None
        self.objective = math.inf
        self.nodes = 0

    @property
    def bound(self) -> float:
        """No solution has a smaller objective."""
        waiting = [self._open[0].bound] if self._open else []
        if self._next is not None:
            waiting.append(self._next.bound)
        return min([self.objective, self._closed, *waiting])

    def _gap_with(self, bound: float) -> float:
        """How far the best objective is from the bound, with a node at ``bound`` in hand; relative to max(1, |objective|)."""
        below = self.objective - min(self.bound, bound)
        return math.inf if self.best is None else below / max(1.0, abs(self.objective))

    @property
    def iterations(self) -> int:
        """Simplex iterations so far."""
        return self._relaxation.lp.iterations + self._multipliers.lp.iterations

    def run(self) -> Termination:
        """OPTIMAL: proven to the gap. INFEASIBLE: proven. UNBOUNDED: the relaxation is; nothing is known. LIMIT, INTERRUPTED."""
        if self._multipliers.termination is not Termination.OPTIMAL:
            return self._multipliers.termination
        try:
            return self._run()
        except _StoppedError as stop:
            self._closed = min(self._closed, self._at)
            return stop.termination
        except KeyboardInterrupt:
            self._closed = min(self._closed, self._at)
            return Termination.INTERRUPTED

    def _run(self) -> Termination:
        state = np.zeros(len(self._blocks.first), dtype=np.int64)
        root = self._solve(state)
        if root is None:
            return Termination.INFEASIBLE
        self._open.append(_Node(root.bound, next(self._serial), state, root))
        self._walk(root)
        while (node := self._take()) is not None:
            if self._spent(node):
                heapq.heappush(self._open, node)
                return Termination.LIMIT
            self.nodes += 1
            self._at = node.bound
            if self.nodes % RESPONSES == 0:
                self._walk(node.point)
            self._expand(node.state, node.point)
        self._at = math.inf
        return Termination.OPTIMAL if self.best is not None else Termination.INFEASIBLE

    def _take(self) -> _Node | None:
        """The next node that may hold something better: down the dive, or the one with the least bound."""
        while self._next is not None or self._open:
            node, self._next = self._next, None
            if node is not None and self._depth >= DIVE:
                heapq.heappush(self._open, node)
                node = None
            self._depth = self._depth + 1 if node is not None else 0
            node = node or heapq.heappop(self._open)
            if not self._beyond(node.bound):
                return node
        return None

    def _spent(self, node: _Node) -> bool:
        effort, gap = self._effort, self._gap_with(node.bound)
        return (
            (effort.nodes is not None and self.nodes >= effort.nodes)
            or (effort.iterations is not None and self.iterations >= effort.iterations)
            or (effort.trial is not None and self.nodes >= effort.trial and gap > effort.promising)
            or (self._deadline is not None and time.perf_counter() >= self._deadline)
        )

    def _beyond(self, bound: float) -> bool:
        """Whether nothing at this bound is worth a look; what that gives away is kept for the proven bound."""
        beyond = bound >= self.objective - self._gap * max(1.0, abs(self.objective)) if self.best is not None else False
        if beyond:
            self._closed = min(self._closed, bound)
        return beyond

    def _solve(self, state: Ints) -> NodePoint | None:
        """The node's point; None where there is none."""
        found = self._relaxation.solve(state)
        if isinstance(found, NodePoint):
            return found
        if found is Termination.INFEASIBLE:
            return None
        raise _StoppedError(found)

    def _expand(self, state: Ints, point: NodePoint) -> None:
        """Close the node, or put its children into the tree."""
        while True:
            if not self._clauses.propagate(state):
                return
            at_zero = point.first <= ZERO
            if not at_zero[state == FIRST].all():
                moved = self._solve(state)
                if moved is None or self._beyond(moved.bound):
                    return
                point, at_zero = moved, moved.first <= ZERO
            fit = self._multipliers.fit(point.first, state, ZERO)
            if isinstance(fit, Termination):
                raise _StoppedError(fit)
            for clause in fit.clauses:
                self._clauses.add(clause)
            pairs = self._clauses.shortest(state, at_zero)
            if pairs is None or pairs.size > 1:
                break
        if pairs is not None:
            self._branch_on_clause(state, point, pairs)
        else:
            self._branch_on_pair(state, point, fit)

    def _branch_on_clause(self, state: Ints, point: NodePoint, pairs: Ints) -> None:
        """One of ``pairs`` has its first side at 0."""
        pairs = pairs[np.argsort(-point.first[pairs], kind="stable")]
        now, later = pairs[:CHILDREN], pairs[CHILDREN:]
        children: list[tuple[NodePoint, int]] = []
        for k in now:
            child = state.copy()
            child[k] = FIRST
            found = self._solve(child)
            if found is None or self._beyond(found.bound):
                state[k] = SECOND
            else:
                children.append((found, int(k)))
        # The child with the least bound will be looked at first: it comes last, where most is decided.
        children.sort(key=lambda c: -c[0].bound)
        for found, k in children:
            child = state.copy()
            child[k] = FIRST
            self._push(child, found)
            state[k] = SECOND
        if later.size:
            self._push(state, point)
        elif children:
            self._dive()

    def _branch_on_pair(self, state: Ints, point: NodePoint, fit: Fit) -> None:
        """No clause to branch on: the node is solved, or its worst pair goes both ways."""
        wrong = np.minimum(point.first, fit.misplaced) if fit.columns is None else np.zeros(len(state))
        wrong = np.maximum(wrong, self._relaxation.inner_products(point))
        wrong[state != OPEN] = 0.0
        if fit.columns is not None and wrong.max(initial=0.0) <= ZERO:
            self._accept(point, fit.columns)
            return
        k = int(wrong.argmax())
        if wrong[k] <= 0:
            # Nothing to decide, and no fit: the last certificate drowned in rounding. Only an LP over all rows could tell.
            raise _StoppedError(Termination.FAILED)
        for side in (SECOND, FIRST):
            child = state.copy()
            child[k] = side
            found = self._solve(child) if side == FIRST or self._blocks.inner[k] else point
            if found is not None and not self._beyond(found.bound):
                self._push(child, found)
        self._dive()

    def _push(self, state: Ints, point: NodePoint) -> None:
        heapq.heappush(self._open, _Node(point.bound, next(self._serial), state, point))

    def _dive(self) -> None:
        """Go on with the child pushed last, which is the most promising one."""
        last = max(self._open, key=lambda node: node.serial, default=None)
        if last is not None:
            self._open.remove(last)
            heapq.heapify(self._open)
            self._next = last

    def _accept(self, point: NodePoint, multipliers: Floats) -> None:
        if point.bound < self.objective:
            self.objective, self.best = point.bound, self._blocks.joined(point.columns, multipliers)

    def _walk(self, point: NodePoint) -> None:
        """From the multipliers' response to the best point of their piece, and on from there while that improves."""
        for _ in range(STEPS):
            response = self._multipliers.response(point.first)
            if isinstance(response, Termination):
                return
            multipliers = self._multipliers.columns()
            piece = self._piece(point, response > ZERO)
            found = self._relaxation.solve(piece)
            if isinstance(found, Termination) or found.bound >= self.objective - GAP * max(1.0, abs(found.bound)):
                return
            self._accept(found, multipliers)
            point = found

    def _piece(self, point: NodePoint, used: Flags) -> Ints:
        """First sides at 0 where multipliers are used; of inner pairs the smaller side."""
        piece = np.where(used, FIRST, OPEN).astype(np.int64)
        inner = np.flatnonzero(self._blocks.inner)
        smaller_first = point.first[inner] <= point.columns[self._blocks.second[inner]]
        piece[inner] = np.where(smaller_first, FIRST, SECOND)
        return piece
