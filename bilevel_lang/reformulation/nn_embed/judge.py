"""What is known of the leader's decisions: each was asked about once, and the best point is kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.nn_embed.answers import FEASIBLE, Answer, Answers
from bilevel_lang.reformulation.nn_embed.reading import Evaluated
from bilevel_lang.reformulation.nn_embed.sampler import Sampler
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.dataset import Outcome


@dataclass(frozen=True, eq=False)
class Verdict:
    """At the inputs ``x`` (n,): the follower's optimal ``value`` (as a minimisation; NaN where it has no answer), and the best
    ``point`` of all columns for the leader among its optimal answers (None where none satisfies the leader's rows) with the
    leader's ``objective`` (as a minimisation, inf without a point). ``gradient`` (n,): of the value of an LP follower;
    ``response`` (m,): the follower's own answer."""

    x: Floats
    value: float
    point: Floats | None
    objective: float
    gradient: Floats | None = None
    response: Floats | None = None

    @property
    def answered(self) -> bool:
        """Whether the follower has an optimal answer."""
        return math.isfinite(self.value)


class Judge:
    """Of the linear problem ``source``, whose follower sees the leader's columns ``inputs``; what it was asked is remembered.

    ``evaluated``: what of the leader is not linear; then any of the follower's optimal answers is taken as it comes. ``deadline``
    is a reading of ``time.perf_counter``; past it nothing more is found out. ``sampler`` does batches; None: this judge itself.
    """

    def __init__(
        self,
        source: BilevelProgram,
        inputs: Ints,
        options: SolverOptions,
        deadline: float | None = None,
        evaluated: Evaluated | None = None,
        sampler: Sampler | None = None,
    ) -> None:
        self.source, self.inputs, self.evaluated = source, inputs, evaluated
        self.best: Verdict | None = None
        self._known: dict[bytes, Verdict] = {}
        products = None if evaluated is None else evaluated.products
        self._answers = Answers(source, inputs, options, deadline, products, as_it_comes=evaluated is not None)
        self._sampler = sampler
        self._asked_itself = 0

    @property
    def drawn(self) -> int:
        """Decisions at which problems were solved so far, by this judge or its sampler, and not read from files."""
        return self._asked_itself + (0 if self._sampler is None else self._sampler.drawn)

    @property
    def solves(self) -> int:
        """Problems solved so far by this judge itself, the follower's and the leader's."""
        return self._answers.solves

    def known(self) -> list[Verdict]:
        """All verdicts so far, in the order of the questions."""
        return list(self._known.values())

    def knows(self, x: Floats) -> bool:
        """Whether ``x`` (n,) was asked about."""
        return _key(self._rounded(x)) in self._known

    def ask(self, x: Floats) -> Verdict:
        """The verdict at ``x`` (n,), whole inputs rounded. Raises SolverFailedError where HiGHS gives up."""
        x = self._rounded(x)
        found = self._known.get(_key(x))
        if found is None:
            self._asked_itself += 1
            found = self._learn(x, self._answers.at(x))
        return found

    def ask_all(self, points: Floats, over: Callable[[], bool] = lambda: False) -> list[Verdict]:
        """The verdicts at ``points`` (k, n) and their order, fewer where ``over`` says that there is no time left."""
        wanted = {_key(x): x for x in map(self._rounded, points)}
        new = [x for key, x in wanted.items() if key not in self._known]
        if self._sampler is None:
            for x in new:
                if over():
                    break
                self.ask(x)
        elif new:
            asked, answers = self._sampler(np.array(new), over)
            for x, answer in zip(asked, answers, strict=True):
                self._learn(x, answer)
        return [self._known[key] for key in wanted if key in self._known]

    def _rounded(self, x: Floats) -> Floats:
        program = self.source.relaxation
        whole = program.integer[self.inputs]
        return np.clip(np.where(whole, np.rint(x), x), program.lower[self.inputs], program.upper[self.inputs]) + 0.0

    def _learn(self, x: Floats, answer: Answer) -> Verdict:
        found = self._verdict(x, answer)
        if answer.outcome is not Outcome.LIMIT:
            self._known[_key(x)] = found
        if found.point is not None and (self.best is None or found.objective < self.best.objective):
            self.best = found
        return found

    def _verdict(self, x: Floats, answer: Answer) -> Verdict:
        point, objective = answer.point, math.inf
        if point is not None and self.evaluated is None:
            program = self.source.relaxation
            objective = float(program.sense * program.objective_at(point))
        elif point is not None and self.evaluated is not None:
            objective, off = self.evaluated.evaluate(point)
            if off > FEASIBLE or not math.isfinite(objective):
                point, objective = None, math.inf
        return Verdict(x, answer.value, point, objective, answer.gradient, answer.response)


def _key(x: Floats) -> bytes:
    return x.tobytes()
