"""Samples where it matters: around the best decisions known, and elsewhere only where the leader could still gain.

A neighbourhood is worked off in small batches, the promising decisions first (:mod:`.trend`), those left out at which the leader
cannot gain (:mod:`.room`); at a better point it is left for the new one's. When the neighbourhoods of the best are known,
decisions far away are drawn: from the best with a few inputs changed, and random ones moved to where the relaxation promises a
gain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from bilevel_lang.reformulation.nn_embed.answers import as_minimisation, with_row
from bilevel_lang.reformulation.nn_embed.design import latin_hypercube, mutated, neighbours, trades, whole_steps
from bilevel_lang.reformulation.nn_embed.judge import Judge, Verdict
from bilevel_lang.reformulation.nn_embed.projection import Projection
from bilevel_lang.reformulation.nn_embed.proposals import InputRows
from bilevel_lang.reformulation.nn_embed.room import Room
from bilevel_lang.reformulation.nn_embed.trend import trend
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.bounds.input_set import InputSet

BATCH = 8
"""Decisions that are asked about at once. The data must not depend on how many workers there are, so it is fixed."""

CENTRES = 20
"""Decisions, the best ones, whose neighbourhoods are looked at."""

MUTANTS, FAR, IDLE = 100, 6, 6
"""Decisions drawn from the best, decisions drawn from everywhere, and draws in a row without a question that end the search."""

LESSONS = 100
"""Decisions near the best ones that are asked about at the end, although the leader cannot gain at them."""

NEAR = 0.2
"""By what share more than the nearest a decision may be moved: to prove which one is nearest takes ten times as long."""

REMEMBERED = 200_000
"""Decisions without room for a gain that are not looked at again: neighbourhoods of good decisions share most of theirs."""

GAIN = 1e-6
"""Relative to max(1, |best|): less is none."""


class Search:
    """Asks ``judge``; ``room`` None: there is no bound (the leader's functions are evaluated), so nothing is left out."""

    def __init__(
        self,
        judge: Judge,
        room: Room | None,
        rows: InputRows,
        domain: InputSet,
        generator: np.random.Generator,
        deadline: float | None = None,
    ) -> None:
        self.judge, self.room, self.rows, self.domain, self.generator = judge, room, rows, domain, generator
        self._exhausted: set[bytes] = set()
        self._traded: set[bytes] = set()
        self._hopeless: set[bytes] = set()
        self._told = 0
        self._promising = None if room is None else _where_a_gain_is_possible(judge, domain, deadline)

    def run(self, questions: int, patience: int, over: Callable[[], bool]) -> int:
        """Ask about ``questions`` decisions at most; how many they were.

        Fewer where nothing is left to ask, ``patience`` of them in a row were no better than the best, or ``over``. At the end
        some are for the network alone.
        """
        asked = idle = since = 0
        turn = True
        while asked < questions and since < patience and idle < IDLE and not over():
            # Random boxes around a point never run dry: with continuous inputs they take turns with decisions far away.
            turn = turn or bool(self.domain.integer.all())
            centre, before = self._centre(self._exhausted) if turn else None, self.judge.best
            turn = not turn
            candidates = self._far() if centre is None else self._around(centre.x)
            now = self._ask(candidates, min(questions - asked, patience - since), over)
            asked += now
            since = since + now if self.judge.best is before else 0
            if centre is None:
                idle = 0 if now else idle + 1
            elif self.judge.best is not before:
                # What is left of its neighbourhood has its turn after that of the better point.
                self._exhausted.discard(centre.x.tobytes())
        return asked + self._teach(min(LESSONS, questions - asked), over)

    def _teach(self, questions: int, over: Callable[[], bool]) -> int:
        """Ask about decisions near the best ones although the leader cannot gain there: a network has to learn that."""
        best = sorted((v for v in self.judge.known() if v.point is not None), key=lambda v: v.objective)[:CENTRES]
        if not best or questions <= 0 or over():
            return 0
        drawn = mutated(np.array([v.x for v in best]), self.domain, MUTANTS, self.generator)
        possible = [x for x in self._in_order(drawn) if self.room is None or math.isfinite(self.room.bound(x))]
        chosen = np.unique(np.array(possible[:questions]).reshape(-1, self.domain.inputs), axis=0)
        return len(self.judge.ask_all(chosen, over)) if len(chosen) else 0

    def _centre(self, seen: set[bytes]) -> Verdict | None:
        """The best decision that is not in ``seen``; it is from now on."""
        known = [v for v in self.judge.known() if v.point is not None]
        best = sorted(known, key=lambda v: v.objective)[:CENTRES]
        for verdict in best:
            if verdict.x.tobytes() not in seen:
                seen.add(verdict.x.tobytes())
                return verdict
        return None

    def _around(self, x: Floats) -> Floats:
        found = [neighbours(x, self.domain, self.generator)]
        if self.domain.integer.any():
            found.append(whole_steps(x, self.domain, self.generator))
        return np.vstack(found)

    def _far(self) -> Floats:
        """Decisions away from what is known; from one good decision those that trade one of a whole input for two of another."""
        best = sorted((v for v in self.judge.known() if v.point is not None), key=lambda v: v.objective)[:CENTRES]
        drawn = latin_hypercube(self.domain, FAR, self.generator)[:FAR]
        if best:
            parents = np.array([v.x for v in best])
            drawn = np.vstack([self._moved(drawn), mutated(parents, self.domain, MUTANTS, self.generator)])
            if (centre := self._centre(self._traded)) is not None:
                drawn = np.vstack([drawn, trades(centre.x, self.domain, self.generator)])
        return drawn

    def _moved(self, points: Floats) -> Floats:
        """To where the leader's relaxation promises more than the best point known."""
        best = self.judge.best
        if self._promising is None or best is None:
            return points
        program = self.judge.source.relaxation
        self._promising.cut_off(best.objective - GAIN * max(1.0, abs(best.objective)) - program.sense * program.constant)
        moved = [self._promising(x) for x in points]
        return np.array([x for x in moved if x is not None]).reshape(-1, self.domain.inputs)

    def _ask(self, candidates: Floats, questions: int, over: Callable[[], bool]) -> int:
        """Ask about those at which the leader could gain, until one is better than all before; how many they were."""
        before, asked = self.judge.best, 0
        worth = self._worth_asking(self._in_order(candidates), over)
        while asked < questions and not over():
            batch = [x for x, _ in zip(worth, range(min(BATCH, questions - asked)), strict=False)]
            if not batch:
                break
            self.judge.ask_all(np.array(batch), over)
            asked += len(batch)
            if self.judge.best is not before:
                break
        return asked

    def _in_order(self, candidates: Floats) -> Floats:
        allowed = candidates[self.rows.satisfied(candidates)]
        new = np.array([x for x in allowed if not self.judge.knows(x)]).reshape(-1, self.domain.inputs)
        known = [v for v in self.judge.known() if v.point is not None]
        if not known or not len(new):
            return new
        expected = trend(np.array([v.x for v in known]), np.array([v.objective for v in known]), new)
        return np.asarray(new[np.argsort(expected, kind="stable")])

    def _worth_asking(self, candidates: Floats, over: Callable[[], bool]) -> Iterator[Floats]:
        """Those with room for a gain, by what is known when each has its turn.

        Bounds only rise and the best point only falls: where there was no room once there is none ever after.
        """
        for x in candidates:
            if over():
                return
            if self.room is None:
                yield x
                continue
            if (key := (x + 0.0).tobytes()) in self._hopeless:
                continue
            for verdict in self.judge.known()[self._told :]:
                self.room.learn(verdict.response)
                self._told += 1
            best = self._best()
            wanted = best - (GAIN * max(1.0, abs(best)) if math.isfinite(best) else 0.0)
            if self.room.bound(x, wanted) < wanted:
                yield x
            elif len(self._hopeless) < REMEMBERED:
                self._hopeless.add(key)

    def _best(self) -> float:
        return math.inf if self.judge.best is None else self.judge.best.objective


def _where_a_gain_is_possible(judge: Judge, domain: InputSet, deadline: float | None) -> Projection:
    """Onto the relaxation, its objective in the last row."""
    program = as_minimisation(judge.source.relaxation)
    options = SolverOptions(extra={"mip_rel_gap": NEAR})
    return Projection(with_row(program, program.cost), judge.inputs, domain, options, deadline)
