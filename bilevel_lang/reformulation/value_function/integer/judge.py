"""The search in one tree: what the value-function method tells SCIP about points, bounds and parts of the tree.

At a whole point of the relaxation the follower is solved. If it can do better, the answer that the fewest rows can block in
this part of the tree is chosen, and the part is divided by its disjunction: no row blocks it and its value is reached, or the
first row does, or the second, ... (no binaries, no big-M). Bounds that follow from the answers known are propagated in every
node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.disjunctions import Change, Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.follower import Follower
from bilevel_lang.reformulation.value_function.integer.interdiction import ValueCuts
from bilevel_lang.reformulation.value_function.integer.intersection import Cone, FreeSet, intersection_cut
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip_tree import Cut, Decision, TreeState, Vertex

EASILY_BLOCKED = 1
"""An answer that more rows than this can block is compared with one that was chosen to be hard to block."""

CUT_ROUNDS = 5
"""Rounds of cuts at whole points in one part of the tree before it is divided."""

ROOT_ROUNDS = 10
"""Rounds of cuts at fractional points of the root."""


CUTS_A_ROUND = 4
"""Intersection cuts at one vertex; more of them are nearly parallel."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the search may use; all of it, unless a benchmark wants to know what something is worth."""

    hard_answers: bool = False
    intersection: bool = True
    value_cuts: bool = True
    fractional: bool = True
    lasting: bool = True
    rounding: bool = True
    directions: bool = True


class TreeJudge:
    """A :class:`bilevel_lang.solvers.scip_tree.Judge`; see the module's docstring."""

    def __init__(self, extended: Extended, follower: Follower, progress: Progress, features: Features) -> None:
        self.extended, self.follower, self.progress_lines = extended, follower, progress
        self.features = features
        self.pool = Disjunctions(extended)
        self.value_cuts = ValueCuts(extended)
        self.best: Floats | None = None
        self.best_objective = np.inf
        self.cuts = 0
        self._activities = len(extended.activity_columns)
        self.directions = Directions(extended, follower.options, follower.deadline)
        own = np.concatenate([extended.bodies.columns, self.directions.own])
        self.watched: Ints = np.concatenate([extended.activity_columns, [extended.value], extended.links, own])
        self._moving: Ints = np.unique(np.concatenate([extended.activity_columns, [extended.value], own]))
        self._waiting: list[Floats] = []
        self._rounds = 0
        self._root_rounds = 0
        self._rounded: set[bytes] = set()

    @property
    def solves(self) -> int:
        """How many problems of the follower were solved, of all kinds."""
        return self.follower.solves + self.directions.solves

    # Points

    def admits(self, z: Floats) -> bool:
        """Whether no better answer of the follower exists at ``z``; learns from it where one does."""
        value = self._value(z)
        found = self.follower.response(z)
        self.pool.add(found)
        if value <= found.value + self.extended.value_tolerance(found.value):
            self._remember(z)
            return True
        self._try_favourable(z)
        return False

    def _value(self, z: Floats) -> float:
        return float(self.extended.value_cost @ z[: self.extended.n])

    def _remember(self, z: Floats) -> None:
        program = self.extended.program
        objective = program.sense * program.objective_at(z)
        if objective < self.best_objective:
            self.best, self.best_objective = z.copy(), objective

    def _try_favourable(self, z: Floats) -> None:
        known = self.follower.knows_favourable(z)
        point = self.follower.favourable(z)
        if point is not None and not known:
            better = self.extended.program.sense * self.extended.program.objective_at(point) < self.best_objective
            self._remember(point)
            if better:
                self._waiting.append(point)

    def candidates(self) -> Sequence[Floats]:
        """Solutions that the search has not been told of."""
        waiting, self._waiting = self._waiting, []
        return waiting

    # Parts of the tree

    def _split(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats, float, float]:
        k = self._activities
        return lower[:k], upper[:k], float(lower[k]), float(upper[k])

    def consequences(self, lower: Floats, upper: Floats) -> Sequence[Change]:
        """Unit propagation over the answers known."""
        changes = self.pool.consequences(*self._split(lower, upper))
        if self.features.directions:
            steps = self.directions.consequences(*self._all(lower, upper))
            if steps is None:
                # Contradictory bounds tell the tree that nothing is left.
                column, low = self.extended.value, float(lower[self._activities])
                return [Change(column, True, low - max(1.0, abs(low)))] if np.isfinite(low) else changes
            changes += steps
        return changes

    def _all(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
        """Bounds of all columns: those of the watched ones, and for the others those of the program."""
        low, up = self.extended.program.lower.copy(), self.extended.program.upper.copy()
        low[self.watched], up[self.watched] = lower, upper
        return low, up

    def decide(self, z: Floats, lower: Floats, upper: Floats, vertex: Callable[[], Vertex | None]) -> Decision:
        """See the module's docstring."""
        if self.admits(z):
            return Decision(feasible=True)
        links = slice(self._activities + 1, self._activities + 1 + len(self.extended.links))
        if np.array_equal(lower[links], upper[links]):
            # Everything that is left here was searched by the follower's favourable answer.
            return Decision(cut_off=True)
        low, up, _, _ = self._split(lower, upper)
        number = self._choose(z, low, up)
        _, sigma_up = self.pool.sigma_range(low, up)
        rows = np.flatnonzero(sigma_up > self.pool.thresholds[number] + 0.5)
        if rows.size and self.features.lasting:
            lasting = self.follower.lasting(sigma_up)
            if lasting is not None and lasting.value < self._value(z) - self.extended.value_tolerance(lasting.value):
                return Decision(changes=(Change(self.extended.value, True, self.pool.admitted(lasting.value)),))
        bound = Change(self.extended.value, True, self.pool.admitted(self.pool.responses[number].value))
        if not rows.size:
            return Decision(changes=(bound,))
        by_step = self._by_step(z, lower, upper, len(rows) + 1) if self.features.directions else None
        if by_step is not None and not by_step:
            return Decision(cut_off=True)
        children = self._children(number, rows, bound) if by_step is None else by_step
        if self._rounds < CUT_ROUNDS:
            self._rounds += 1
            cuts = self._cuts(z, lower, upper, vertex)
            if cuts:
                return Decision(cuts=cuts, children=children)
        self._rounds = 0
        return Decision(children=children)

    def _choose(self, z: Floats, low: Floats, up: Floats) -> int:
        """The answer to divide by: one that ``z`` violates, and that few rows can block."""
        number, count = self._fewest(z, up, low)
        if count > EASILY_BLOCKED and self.features.hard_answers:
            margin = 1.0 if self.extended.value_whole else 1e-6 * max(1.0, abs(self._value(z)))
            found = self.follower.hard_to_block(z, self._value(z) - margin, low, up)
            if found is not None:
                self.pool.add(found)
                number, count = self._fewest(z, up, low)
        return number

    def _fewest(self, z: Floats, up: Floats, low: Floats) -> tuple[int, int]:
        sigma = self.extended.rows.sigma(z[: self.extended.n])
        numbers = self.pool.violated(sigma, self._value(z))
        _, sigma_up = self.pool.sigma_range(low, up)
        counts = (sigma_up[None, :] > self.pool.thresholds[numbers] + 0.5).sum(axis=1)
        best = np.lexsort((self.pool.values[numbers], counts))[0]
        return int(numbers[best]), int(counts[best])

    def _children(self, number: int, rows: Ints, bound: Change) -> list[list[Change]]:
        """No row blocks the answer and its value is reached; or the first row that does is the k-th."""
        thresholds = self.pool.thresholds[number]
        children: list[list[Change]] = []
        left_alone: list[Change] = []
        for r in rows.tolist():
            children.append([*left_alone, self.pool.block(r, thresholds[r])])
            left_alone.append(self.pool.leave(r, thresholds[r]))
        return [[*left_alone, bound], *children]

    def _by_step(self, z: Floats, lower: Floats, upper: Floats, most: int) -> list[list[Change]] | None:
        """The children by what stops a step that ``z`` admits, if there are fewer than ``most``; None otherwise."""
        steps = self.directions
        steps.find(z)
        violated = steps.violated(z)
        if not violated.size:
            return None
        can, _ = steps.state(*self._all(lower, upper))
        counts = np.bincount(steps.clause, can, minlength=steps.count)[violated]
        if counts.min() >= most:
            return None
        chosen = violated[int(np.argmin(counts))]
        return [[steps.literal(int(k))] for k in np.flatnonzero(can & (steps.clause == chosen))]

    # Cuts

    def separate(self, z: Floats, lower: Floats, upper: Floats, vertex: Callable[[], Vertex | None], depth: int) -> Sequence[Cut]:
        """Cuts on the value everywhere; intersection cuts in the root; answers that last in the rest of the tree."""
        cuts = self._value_cuts(z)
        if cuts or not self.features.fractional:
            return cuts
        if depth == 0:
            self._root_rounds += 1
            if self._root_rounds > ROOT_ROUNDS:
                return ()
            if self.features.directions:
                self.directions.find(z)
            return self._cuts(z, lower, upper, vertex)
        if self.features.rounding and depth % 4 == 0:
            self._round(z)
        if self.features.lasting and depth % 2 == 0:
            return self._lasting_cut(z, lower, upper)
        return ()

    def _value_cuts(self, z: Floats) -> list[Cut]:
        if not self.features.value_cuts:
            return []
        self.value_cuts.grow(self.pool)
        cuts = self.value_cuts.violated(z, CUTS_A_ROUND)
        self.cuts += len(cuts)
        return cuts

    def _round(self, z: Floats) -> None:
        """Try the nearest whole decision of the leader."""
        whole = np.rint(z[self.extended.links]).tobytes()
        if whole in self._rounded:
            return
        self._rounded.add(whole)
        if self.follower.response_if_any(z) is not None:
            self._try_favourable(z)

    def _lasting_cut(self, z: Floats, lower: Floats, upper: Floats) -> list[Cut]:
        low, up, _, _ = self._split(lower, upper)
        _, sigma_up = self.pool.sigma_range(low, up)
        found = self.follower.lasting(sigma_up)
        if found is None:
            return []
        self.pool.add(found)
        if found.value < z[self.extended.value] - 1e-4 * max(1.0, abs(found.value)):
            return [Cut(np.array([self.extended.value]), np.ones(1), -np.inf, self.pool.admitted(found.value))]
        return []

    def _cuts(self, z: Floats, lower: Floats, upper: Floats, vertex: Callable[[], Vertex | None]) -> list[Cut]:
        """Cuts on the value if there are any, for they hold everywhere; else intersection cuts."""
        cuts = self._value_cuts(z)
        if not cuts:
            cuts = self._intersection_cuts(z, lower, upper, vertex)
            self.cuts += len(cuts)
        return cuts

    def _intersection_cuts(self, z: Floats, lower: Floats, upper: Floats, vertex: Callable[[], Vertex | None]) -> list[Cut]:
        """Intersection cuts from steps and answers that ``z`` violates, the deepest first."""
        if not self.features.intersection or not self.pool.responses:
            return []
        sets = self._step_sets(z, lower, upper) if self.features.directions else []
        low, up, _, _ = self._split(lower, upper)
        _, sigma_up = self.pool.sigma_range(low, up)
        sigma = self.extended.rows.sign * z[self.extended.activity_columns][self.extended.rows.activity]
        value = float(z[self.extended.value])
        thresholds = self.pool.thresholds
        blockable = sigma_up[None, :] > thresholds + 0.5
        room = np.where(blockable, thresholds + 1 - sigma[None, :], np.inf).min(axis=1, initial=np.inf)
        depth = np.minimum(room, (value - self.pool.values) / max(1.0, abs(value)) * 10)
        found = np.flatnonzero((room > 1e-4) & (value - self.pool.values > 1e-4 * max(1.0, abs(value))))
        sets += [self._free_set(int(k), blockable[k]) for k in found[np.argsort(-depth[found])][:CUTS_A_ROUND]]
        if not sets:
            return []
        at = vertex()
        if at is None:
            return []
        cone = Cone(at, self._moving)
        cuts = []
        for free_set in sets[:CUTS_A_ROUND]:
            cut = intersection_cut(cone, free_set)
            if cut is not None:
                cuts.append(cut)
        return cuts

    def _step_sets(self, z: Floats, lower: Floats, upper: Floats) -> list[FreeSet]:
        """Where a step is feasible, as far as what can stop it here goes: there is no solution inside."""
        steps = self.directions
        violated = steps.violated(z)
        if not violated.size:
            return []
        can, _ = steps.state(*self._all(lower, upper))
        counts = np.bincount(steps.clause, can, minlength=steps.count)[violated]
        sets = []
        for clause in violated[np.argsort(counts)][:CUTS_A_ROUND].tolist():
            k = np.flatnonzero(can & (steps.clause == clause))
            sign = np.where(steps.upward[k], 1.0, -1.0)
            sets.append(FreeSet(steps.columns[k], sign, sign * steps.bounds[k]))
        return [s for s in sets if len(s.columns)]

    def _free_set(self, number: int, rows: Flags) -> FreeSet:
        """Where the answer is feasible and better, as far as the rows that can block it here go."""
        extended, thresholds = self.extended, self.pool.thresholds[number]
        kept = np.flatnonzero(rows)
        columns = extended.activity_columns[extended.rows.activity[kept]]
        return FreeSet(
            np.append(columns, extended.value),
            np.append(extended.rows.sign[kept], -1.0),
            np.append(thresholds[kept] + 1, -self.pool.responses[number].value),
        )

    def progress(self, state: TreeState) -> None:
        """A line of the log now and then."""
        self.progress_lines.tell(state, self.cuts, self.solves)
