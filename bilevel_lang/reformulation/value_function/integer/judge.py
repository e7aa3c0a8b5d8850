"""The search in one tree: what the value-function method tells SCIP about points, bounds and parts of the tree.

The leader's linking columns are branched on before all others. Where they are whole the follower is solved, and the leader's
best point with that decision is found; cuts then take the decision out of the tree (:mod:`.separation`). Where cuts fail, the
part is divided (:mod:`.division`; no binaries, no big-M). Bounds that follow from the answers known are propagated in every node.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.disjunctions import Change, Disjunctions
from bilevel_lang.reformulation.value_function.integer.division import Division
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.features import Features
from bilevel_lang.reformulation.value_function.integer.follower import Follower, Response
from bilevel_lang.reformulation.value_function.integer.part import Part, part_of
from bilevel_lang.reformulation.value_function.integer.prepared import Incumbent
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.reformulation.value_function.integer.separation import AskVertex, Separation
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.tree_judge import Cut, Decision, TreeState

CUT_ROUNDS = 5
"""Rounds of cuts at whole points in one part of the tree before it is divided."""

ROOT_ROUNDS = 10
"""Rounds of cuts at fractional points of the root."""

BROKEN = 1e-6
"""A point that breaks a row or a bound by more, relative to max(1, |side|), is no solution, whatever the follower says."""

PATIENCE = 3
"""Roundings in vain after which the next one waits longer by another chance to round."""


class TreeJudge:
    """A :class:`bilevel_lang.solvers.tree_judge.Judge`; see the module's docstring."""

    def __init__(
        self, extended: Extended, follower: Follower, progress: Progress, features: Features, incumbent: Incumbent | None = None
    ) -> None:
        self.extended, self.follower, self.progress_lines = extended, follower, progress
        self.features = features
        self.pool = Disjunctions(extended)
        self.directions = Directions(extended, follower.options, follower.deadline)
        self._separation = Separation(extended, follower, self.pool, self.directions, features)
        self._division = Division(extended, self.pool, self.directions if features.directions else None)
        self.incumbent = incumbent or Incumbent(extended)
        self.first: Ints = extended.links
        self.watched: Ints = extended.reasoned
        self._waiting: list[Floats] = []
        self._rounds = 0
        self._root_rounds = 0
        self._rounded: set[bytes] = set()
        self._in_vain = self._until_rounding = 0

    @property
    def best(self) -> Floats | None:
        """The best solution known."""
        return self.incumbent.point

    @property
    def best_objective(self) -> float:
        """Its objective, as a minimisation."""
        return self.incumbent.objective

    @property
    def cuts(self) -> int:
        """How many cuts there were."""
        return self._separation.count

    @property
    def solves(self) -> int:
        """How many problems of the follower were solved, of all kinds."""
        return self.follower.solves + self.directions.solves

    # Points

    def admits(self, z: Floats) -> bool:
        """Whether ``z`` is a solution, as no better answer of the follower exists; learns from it where it is none."""
        # A search that is interrupted may show a point that breaks the rows: it must not become the best one known.
        return self.extended.program.violation(z) <= BROKEN and self._is_solution(z)

    def _is_solution(self, z: Floats) -> bool:
        """The same for a point that satisfies the rows."""
        value = self._value(z)
        # Against an opponent the follower's columns in ``z`` may have fractions, and whole ones need not exist.
        found = self.follower.response_if_any(z) if self.extended.opposed else self.follower.response(z)
        if found is None:
            return False
        self.pool.add(found)
        is_best = value <= found.value + self.extended.value_tolerance(found.value)
        if is_best and not self.follower.pessimistic:
            self.incumbent.offer(self._whole(z, found))
            return True
        self._try_favourable(z)
        return is_best and self.follower.is_solution(z)

    def _whole(self, z: Floats, found: Response) -> Floats:
        """The solution that ``z`` stands for: against an opponent, one with the same decision."""
        if not self.extended.opposed:
            return z
        point = self.extended.with_answer(z, found.y)
        if self._objective(point) < self._objective(z) - 1e-9 * max(1.0, abs(self._objective(z))):
            self._waiting.append(point)
        return point

    def _objective(self, z: Floats) -> float:
        """As a minimisation."""
        return float(self.extended.program.sense * self.extended.program.objective_at(z))

    def _value(self, z: Floats) -> float:
        return float(self.extended.value_cost @ z[: self.extended.n])

    def _try_favourable(self, z: Floats) -> None:
        known = self.follower.knows_favourable(z)
        point = self.follower.favourable(z, self.best_objective)
        if point is not None and not known:
            better = self._objective(point) < self.best_objective
            self.incumbent.offer(point)
            if better:
                self._waiting.append(point)

    def suggest(self, point: Floats) -> None:
        """A solution that another search has found."""
        self._waiting.append(point)

    def candidates(self) -> Sequence[Floats]:
        """Solutions that the search has not been told of."""
        waiting, self._waiting = self._waiting, []
        return waiting

    # Parts of the tree

    def consequences(self, lower: Floats, upper: Floats) -> Sequence[Change]:
        """Unit propagation over the answers known."""
        part = part_of(self.extended, self.watched, lower, upper)
        changes = self.pool.consequences(*part.activities, *part.value)
        if self.features.directions:
            steps = self.directions.consequences(part.lower, part.upper)
            if steps is None:
                # Contradictory bounds tell the tree that nothing is left.
                low = part.value[0]
                return [Change(self.extended.value, True, low - max(1.0, abs(low)))] if np.isfinite(low) else changes
            changes += steps
        return changes

    def decide(self, z: Floats, lower: Floats, upper: Floats, vertex: AskVertex) -> Decision:
        """See the module's docstring."""
        if self._is_solution(z):
            return Decision(feasible=True)
        part = part_of(self.extended, self.watched, lower, upper)
        if part.decided:
            # Everything that is left here was searched by the follower's favourable answer.
            return Decision(cut_off=True)
        number = self._division.answer(z, part)
        rows = np.zeros(0, dtype=np.int64) if number is None else self._division.blockers(number, part)
        if number is not None and rows.size and self.features.lasting:
            lasting = self.follower.lasting(part.sigma_range()[1])
            if lasting is not None and lasting.value < self._value(z) - self.extended.value_tolerance(lasting.value):
                return Decision(changes=(Change(self.extended.value, True, self.pool.admitted(lasting.value)),))
        if number is not None and not rows.size:
            return Decision(changes=(self._division.reached(number),))
        children = self._division.by_step(z, part, len(rows) + 1 if number is not None else self.extended.program.columns)
        if children is not None and not children:
            return Decision(cut_off=True)
        if children is None:
            children = self._division.by_decision(z, part) if number is None else self._division.by_answer(number, rows)
        if self._rounds < CUT_ROUNDS:
            self._rounds += 1
            cuts = self._separation.value_cuts(z) or self._separation.around(z, part, vertex)
            if cuts:
                return Decision(cuts=cuts, children=children)
        self._rounds = 0
        return Decision(children=children)

    # Cuts

    def separate(self, z: Floats, lower: Floats, upper: Floats, vertex: AskVertex, depth: int) -> Sequence[Cut]:
        """Cuts on the value everywhere; intersection cuts in the root; answers that last in the rest of the tree."""
        cuts = self._separation.value_cuts(z)
        if cuts or not self.features.fractional:
            return cuts
        part = part_of(self.extended, self.watched, lower, upper)
        if self._is_decision(z) and not part.decided:
            return self._at_decision(z, part, vertex)
        if depth == 0:
            self._root_rounds += 1
            if self._root_rounds > ROOT_ROUNDS:
                return ()
            self._find_step(z)
            return self._separation.cuts(z, part, vertex)
        if self.features.rounding and depth % 4 == 0:
            self._round(z)
        if self.features.lasting and depth % 2 == 0:
            return self._lasting_cut(z, part)
        return ()

    def _is_decision(self, z: Floats) -> bool:
        links = z[self.extended.links]
        return bool((np.abs(links - np.rint(links)) < 1e-6).all())

    def _at_decision(self, z: Floats, part: Part, vertex: AskVertex) -> list[Cut]:
        """The leader's columns are whole, others may not be: learn all about the decision, and cut it off."""
        found = self.follower.response_if_any(z)
        if found is not None:
            self.pool.add(found)
            self._try_favourable(z)
            cuts = self._separation.value_cuts(z)
            if cuts:
                return cuts
        self._find_step(z)
        return self._separation.around(z, part, vertex)

    def _find_step(self, z: Floats) -> None:
        """A step that ``z`` admits, unless one is known."""
        if self.features.directions and not self.directions.violated(z).size:
            self.directions.find(z)

    def _round(self, z: Floats) -> None:
        """Try the nearest whole decision of the leader; ever more rarely while that finds nothing."""
        whole = np.rint(z[self.extended.links]).tobytes()
        self._until_rounding -= 1
        if whole in self._rounded or self._until_rounding > 0:
            return
        self._rounded.add(whole)
        before = self.best_objective
        if self.follower.is_promising(z, before) and self.follower.response_if_any(z) is not None:
            self._try_favourable(z)
        self._in_vain = 0 if self.best_objective < before else self._in_vain + 1
        self._until_rounding = self._in_vain // PATIENCE

    def _lasting_cut(self, z: Floats, part: Part) -> list[Cut]:
        found = self.follower.lasting(part.sigma_range()[1])
        if found is None:
            return []
        self.pool.add(found)
        if found.value < z[self.extended.value] - 1e-4 * max(1.0, abs(found.value)):
            return [Cut(np.array([self.extended.value]), np.ones(1), -np.inf, self.pool.admitted(found.value))]
        return []

    def progress(self, state: TreeState) -> None:
        """A line of the log now and then."""
        self.progress_lines.tell(state, self.cuts, self.solves)
