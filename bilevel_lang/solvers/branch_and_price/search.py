"""Branch and price (Barnhart and others 1998) for one MILP after the other, over patterns of its knapsacks.

The bound of a part is the Lagrangian one of the linking rows, which is much nearer than the linear relaxation's. Points come from
dives: the pattern with the largest share is taken, patterns that suit what is left are priced, and so on.
"""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.solvers.branch_and_price.form import WHOLE, BlockForm
from bilevel_lang.solvers.branch_and_price.master import Master, Shares
from bilevel_lang.solvers.branch_and_price.pricing import Box, priced
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.variants import inside

NODES = 200
"""Parts that are looked at before somebody else is asked."""

DIVE_ROUNDS = 3
"""Rounds of pricing after each pattern that a dive takes."""

COUNTED, SETTLED = 20, 1e-3
"""Parts that a bound without a point looks into, and how near (relative) the best bound of each is near enough."""

LOOSE, CLOSE = 0.2, 1e-4
"""How near the best bound is near enough: at first, as a share of the gap, and before a column is branched on."""

POINTS = 32
"""Answers of earlier programs that are kept; those that are feasible now are where the search begins."""

MISSING = 1e-7
"""So much may be missing of all rows together where a point counts as feasible."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best point ``x`` (n,) or None, its cost, and a proven bound. ``closed``: they are within the gap."""

    x: Floats | None
    objective: float
    bound: float
    closed: bool


class Search:
    """MILPs of one ``form`` whose bounds, sides and costs differ. ``gap``: relative, as HiGHS has it.

    Raises SolverMissingError.
    """

    def __init__(self, form: BlockForm, gap: float) -> None:
        self.form, self.gap, self.master = form, gap, Master(form)
        self.points = np.zeros((0, form.program.columns))
        """The latest answers (p, n), each once."""

    def solve(self, cost: Floats, bounds: tuple[Floats, Floats], sides: tuple[Floats, Floats], deadline: float | None) -> Found:
        """Minimise ``cost`` (n,) with columns within ``bounds`` (n,) each and rows (m,) within ``sides``.

        ``closed`` is False, too, where there is no answer or no end of them: this search proves neither.
        """
        run = _Run(self, cost, bounds, sides, deadline)
        found = run.search()
        if found.x is not None and not (self.points == found.x).all(axis=1).any():
            self.points = np.vstack([found.x, self.points[: POINTS - 1]])
        return found

    def least(self, cost: Floats, bounds: tuple[Floats, Floats], sides: tuple[Floats, Floats], deadline: float | None) -> float:
        """A proven bound of what :meth:`solve` would find, many times quicker and without a point: by patterns, branched on
        counts alone. -inf where this search proves nothing."""
        return _Run(self, cost, bounds, sides, deadline).least()


class _Run:
    """One program. ``self.objective`` and ``self.x`` are the best point so far."""

    def __init__(
        self,
        search: Search,
        cost: Floats,
        bounds: tuple[Floats, Floats],
        sides: tuple[Floats, Floats],
        deadline: float | None,
    ) -> None:
        self.form, self.master, self.gap, self.deadline = search.form, search.master, search.gap, deadline
        self.cost, self.bounds, self.sides = cost, bounds, sides
        self.objective, self.x = np.inf, None
        self.bound = np.inf
        self.room = self.form.knapsacks.room(*sides)
        self.points = search.points

    def search(self) -> Found:
        if len(self.points):
            self._offer(self.points)
        whole = self._whole()
        if whole is None:
            return Found(None, np.inf, -np.inf, False)
        left = self._tree(whole)
        bound = min(self.bound, left, self.objective)
        return Found(self.x, self.objective, bound, self.x is not None and bound >= self._enough())

    def least(self) -> float:
        """The least bound of all parts, once the counts of the part that has it are whole."""
        whole = self._whole()
        if whole is None:
            return -np.inf
        number = itertools.count()
        heap: list[tuple[float, int, Box | None]] = [(-np.inf, next(number), whole)]
        for _ in range(COUNTED):
            before, _, box = heapq.heappop(heap)
            if box is None:
                return before
            bound, shares = self._generate(box, before, near=SETTLED)
            parts = self._by_count(box, shares.y) if shares is not None and shares.missing <= MISSING else None
            for part in parts or (None,):
                heapq.heappush(heap, (bound, next(number), part))
        return heap[0][0]

    def _whole(self) -> Box | None:
        """The program itself, its costs passed on; None where it is not as the form has it, or has no answer."""
        form, counts = self.form, self.form.counts
        lower, upper = form.bounds(*self.bounds, *self.sides)
        own = (*self.bounds, lower, upper)
        strange = not form.knapsacks.one_sided(*self.sides) or any(self._outside(side) for side in own[2:])
        if strange or (lower > upper).any():
            return None
        self.master.begin(self.cost)
        nothing = np.full(counts, np.inf)
        low, up = self.sides[0][form.linking], self.sides[1][form.linking]
        return Box(lower, upper, np.concatenate([low, -nothing]), np.concatenate([up, nothing]))

    def _tree(self, whole: Box) -> float:
        """Best part first; the least bound of those that are left, infinite where none is."""
        number = itertools.count()
        heap: list[tuple[float, int, Box]] = [(-np.inf, next(number), whole)]
        for _ in range(NODES):
            if not heap or heap[0][0] >= self._enough() or self._late():
                break
            before, _, box = heapq.heappop(heap)
            bound, shares = self._looked_into(box, before)
            if bound >= self._enough():
                self.bound = min(self.bound, bound)
                continue
            if shares is None:
                # HiGHS gave up, or there was no time: nobody has looked into this part.
                heapq.heappush(heap, (bound, next(number), box))
                break
            parts = self._parts(box, shares, before, bound)
            if parts is None:
                self.bound = min(self.bound, bound)
                continue
            for part in parts:
                heapq.heappush(heap, (bound, next(number), part))
            if len(parts) == 1 and (before == bound or len(heap) == 1):
                # Nothing is left but a part that comes to no answer.
                break
        return heap[0][0] if heap else np.inf

    def _parts(self, box: Box, shares: Shares, before: float, bound: float) -> tuple[Box, ...] | None:
        """What is left of ``box`` to be looked into, None where its best point is known."""
        if shares.missing > MISSING and bound > before:
            # Probably without an answer: others first, whose points may settle it by its bound.
            return (box,)
        if not self._broken(shares.y).size:
            return None if shares.missing <= MISSING and self._offer(shares.y[None]) else (box,)
        return self._by_count(box, shares.y) or self._by_column(box, shares.y)

    def _looked_into(self, box: Box, before: float) -> tuple[float, Shares | None]:
        """The bound of ``box`` and its last shares: nearly the best one where that will do, as it does to branch on a count."""
        bound, shares = self._generate(box, before, near=LOOSE * self.gap)
        if shares is None or bound >= self._enough() or shares.missing > MISSING:
            return bound, shares
        if not self._broken(shares.y).size or self._by_count(box, shares.y) is not None:
            return bound, shares
        self._dive(box, shares)
        if bound >= self._enough() or LOOSE * self.gap <= CLOSE:
            return bound, shares
        return self._generate(box, bound)

    def _generate(self, box: Box, before: float, rounds: int | None = None, near: float = 0.0) -> tuple[float, Shares | None]:
        """Price until the bound is ``near`` (relative) the best one, ``rounds`` times at most: it, and the last shares."""
        self.master.set_sides(box.row_lower, box.row_upper)
        self.master.set_bounds(box.lower, box.upper, self.room)
        best, shares = before, None
        for _ in itertools.count() if rounds is None else range(rounds):
            if self._late():
                return best, None
            shares = self.master.solve()
            if shares is None:
                return best, None
            prices = priced(self.form, self.cost, box, self.room, shares.row_duals)
            best = max(best, prices.bound)
            best_there_is = shares.objective - max(near, min(CLOSE, LOOSE * self.gap)) * abs(shares.objective)
            if best >= min(self._enough(), best_there_is):
                break
            gain = shares.block_duals - prices.values
            wanted = np.flatnonzero(gain > 1e-9 * max(1.0, abs(shares.objective)))
            if not self.master.add(wanted, prices.chosen[wanted]):
                break
        return best, shares

    def _dive(self, box: Box, shares: Shares) -> None:
        """One pattern after the other is taken, until a point comes of it or none that is better can."""
        while shares.missing <= MISSING and shares.objective < self._enough():
            if not self._broken(shares.y).size:
                self._offer(shares.y[None])
                return
            box = self._taken(box, shares)
            if (box.lower > box.upper).any():
                return
            bound, found = self._generate(box, -np.inf, DIVE_ROUNDS, LOOSE * self.gap)
            if found is None or bound >= self._enough():
                return
            shares = found

    def _taken(self, box: Box, shares: Shares) -> Box:
        """The box with the largest share's pattern, and all that are whole; where none is left, a free column rounded up."""
        items = self.form.knapsacks.items
        lower, upper = np.append(box.lower, 0.0), np.append(box.upper, 0.0)
        settled = (lower[items] == upper[items]).all(axis=1)
        share = np.where(settled[self.master.blocks[: len(shares.shares)]], 0.0, shares.shares)
        if share.max(initial=0.0) <= WHOLE:
            broken = self._broken(shares.y)
            first = broken[shares.y[broken].argmax()]
            lower[first] = np.ceil(shares.y[first])
            return replace(box, lower=lower[:-1])
        for p in np.flatnonzero(share >= min(0.99, share.max())).tolist():
            own = self.master.items[p]
            others = np.setdiff1d(items[self.master.blocks[p]], own)
            lower[own], upper[others] = 1.0, lower[others]
        return replace(box, lower=lower[:-1], upper=upper[:-1])

    def _by_count(self, box: Box, y: Floats) -> tuple[Box, Box] | None:
        """Fewer, or more, of the columns that a row counts."""
        linking = len(self.form.linking)
        count = np.asarray(self.form.matrix[linking:] @ y).ravel()
        for g in np.flatnonzero(np.abs(count - np.rint(count)) > 10 * WHOLE).tolist():
            lower, upper = box.row_lower.copy(), box.row_upper.copy()
            lower[linking + g], upper[linking + g] = np.ceil(count[g]), np.floor(count[g])
            return replace(box, row_upper=upper), replace(box, row_lower=lower)
        return None

    def _by_column(self, box: Box, y: Floats) -> tuple[Box, Box]:
        """A column below or above: far from whole, and dear."""
        broken = self._broken(y)
        away = np.abs(y[broken] - np.rint(y[broken])) * (1.0 + np.abs(self.cost[broken]))
        j = broken[away.argmax()]
        lower, upper = box.lower.copy(), box.upper.copy()
        lower[j], upper[j] = np.ceil(y[j]), np.floor(y[j])
        return replace(box, upper=upper), replace(box, lower=lower)

    def _offer(self, points: Floats) -> bool:
        """Take the cheapest of ``points`` (p, n) that satisfies everything, if it is better; whether one did."""
        points, whole = points.copy(), self.form.program.integer
        points[:, whole] = np.rint(points[:, whole])
        activity = np.asarray((self.form.program.matrix @ points.T).T)
        good = np.flatnonzero(inside(activity, *self.sides) & inside(points, *self.bounds))
        if not good.size:
            return False
        costs = points[good] @ self.cost
        best = int(costs.argmin())
        if costs[best] < self.objective:
            self.objective, self.x = float(costs[best]), points[good[best]]
        return True

    def _broken(self, y: Floats) -> np.ndarray:
        """Whole columns that are not."""
        return np.flatnonzero(self.form.program.integer & (np.abs(y - np.rint(y)) > WHOLE))

    def _outside(self, side: Floats) -> bool:
        """Whether a bound of an item is not 0 or 1."""
        own = np.append(side, 0.0)[self.form.knapsacks.items]
        return bool(((own < 0) | (own > 1)).any())

    def _enough(self) -> float:
        """A bound that closes the gap."""
        if not np.isfinite(self.objective):
            return np.inf
        return self.objective - max(self.gap * abs(self.objective), 1e-9)

    def _late(self) -> bool:
        return self.deadline is not None and time.perf_counter() >= self.deadline
