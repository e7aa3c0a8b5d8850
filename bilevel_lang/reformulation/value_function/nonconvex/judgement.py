"""A point of the relaxation judged by the followers: each one's best answer to it, and by how much that is better."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.oracle.magnitude import magnitude, row_violation
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.value_function.nonconvex.answers import Answer, best_answer
from bilevel_lang.reformulation.value_function.nonconvex.scales import Scale
from bilevel_lang.solvers.solver import SolverOptions, Termination

DIGITS = 9
"""Decimals to which a point is rounded, to see whether it is better so."""

VIOLATED = 1e-9
"""What the model's rows may miss, relative, at the rounded point."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A point with every follower's best answer to it, and by how much (>= 0, its own units) that one is better."""

    point: ComponentMap
    answers: tuple[Answer, ...]
    gaps: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A follower's answer could not be had; why."""

    termination: Termination
    said: str


class Judge:
    """``options`` gives what a follower's solve may take at the time. ``loss``: what each follower's optimum may be missed by."""

    def __init__(self, problem: BilevelProblem, scales: list[Scale], options: Callable[[], SolverOptions]) -> None:
        self.problem, self.scales, self._options = problem, scales, options
        self.loss = [0.0] * len(problem.agents)
        self.solves = 0

    def judge(self, point: ComponentMap) -> Judged | NoAnswer:
        """Every follower's answer to ``point`` (the modeller's variables)."""
        answers, gaps = [], []
        for number, (agent, scale) in enumerate(zip(self.problem.agents, self.scales, strict=True)):
            assert agent.objective is not None
            answer = best_answer(agent, point, scale.factor, self._options())
            self.solves += 1
            if answer.ended is Termination.INTERRUPTED:
                return NoAnswer(Termination.INTERRUPTED, "interrupted")
            if answer.value is None:
                ended = Termination.LIMIT if answer.ended is Termination.LIMIT else Termination.FAILED
                return NoAnswer(ended, f"no answer of {agent.name} could be found ({answer.ended.value})")
            if answer.bounded:
                self.loss[number] = max(self.loss[number], answer.loss)
            answers.append(answer)
            gaps.append(max(0.0, agent.sign * (number_at(agent.objective.expression, point) - answer.value)))
        return Judged(point, tuple(answers), tuple(gaps))

    def accepts(self, judged: Judged) -> bool:
        """Whether no follower has a better answer, up to its epsilon."""
        epsilons = (2 * scale.epsilon for scale in self.scales)
        return all(a.bounded and g <= e for a, g, e in zip(judged.answers, judged.gaps, epsilons, strict=True))

    def tidied(self, point: ComponentMap, tolerance: float) -> ComponentMap:
        """``point``, or the same with rounded values where that is nearer to the followers' optima.

        Where an objective vanishes at the solution, 1e-10 beside it decides which answer is best.
        """
        if self._miss(point) <= tolerance / 2:
            return point
        rounded = ComponentMap((v, value if v.fixed else round(value, DIGITS) + 0.0) for v, value in point.items())
        rows = self.problem.model.component_data_objects(pyo.Constraint, active=True)
        if any(row_violation(row.body, row.lb, row.ub, rounded) > VIOLATED for row in rows):
            return point
        return rounded if self._miss(rounded) <= tolerance / 2 else point

    def _miss(self, point: ComponentMap) -> float:
        """By how much the followers may miss their optima, relative to the sizes of their objectives at the point."""
        judged = self.judge(point)
        if isinstance(judged, NoAnswer):
            return math.inf
        found = 0.0
        for agent, answer, gap in zip(self.problem.agents, judged.answers, judged.gaps, strict=True):
            assert agent.objective is not None
            own = [v for v in agent.variables if not is_pinned(v)]
            size = magnitude(agent.objective.expression, own, point).total
            found = max(found, (gap + answer.loss) / (size or 1.0))
        return found

    def tolerances(self) -> str:
        """What each follower may miss its optimum by, in words."""
        return "; ".join(
            f"{agent.name} may miss its optimum by {2 * scale.epsilon + loss:.2g}"
            for agent, scale, loss in zip(self.problem.agents, self.scales, self.loss, strict=True)
        )

    def without_best(self, judged: Judged) -> str | None:
        """Who has ever better answers, and where, in words; None where nobody has."""
        for agent, answer in zip(self.problem.agents, judged.answers, strict=True):
            if not answer.bounded:
                links = ", ".join(f"{v.name}={judged.point[v]:.6g}" for v in list(judged.point)[:4])
                return f"{agent.name} has ever better answers at {links}: give its variables bounds"
        return None
