"""The tie test: what the leader gets from the best and the worst of a follower's optimal answers.

An optimistic answer lets the follower choose, among answers that are all the same to it, the one that suits the leader. Whether
that matters is a question about the set of its optimal answers (:mod:`bilevel_lang.oracle.optimal_face`) at the leader's
decision: the leader's objective is minimised and maximised over it. Several followers are taken in turn, the others fixed at the
point: the spread of several who change their answers together may be wider.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet

from bilevel_lang.components.naming import Naming
from bilevel_lang.errors import BilevelError
from bilevel_lang.oracle.agent_model import UNDEFINED, expression_at, number_at
from bilevel_lang.oracle.integer_face import integer_face
from bilevel_lang.oracle.leader_objective import LeaderObjective, holds_any, leader_objective, without_objective_variables
from bilevel_lang.oracle.magnitude import magnitude, row_violation
from bilevel_lang.oracle.optimal_face import NotDescribedError, OptimalFace, optimal_face, sizes
from bilevel_lang.oracle.single_answer import is_single_answer
from bilevel_lang.oracle.traits import AgentClass, Traits, is_pinned, traits_of
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.solution import Certificate, Tie
from bilevel_lang.solvers.features import features_of_program
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program_reading import read_program
from bilevel_lang.solvers.registry import pick
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination

SECONDS = 5.0
"""For each of the solves of a tie test."""

SAME = 1e-6
"""Values of the leader's objective closer than this, relative to the size of its terms, are the same."""

OPTIMAL = 1e-5
"""An answer this near to the agent's optimum, relative to the size of its objective, is optimal (as in verification)."""

VIOLATED = 1e-5
"""A row of the leader violated by more than this is named."""


def measure_ties(
    problem: BilevelProblem, values: ComponentMap, certificate: Certificate, options: SolverOptions, integers: bool = False
) -> tuple[Tie, ...]:
    """One :class:`Tie` for each agent on which the leader's objective depends; ``values`` is a complete point.

    What cannot be measured is in the list with its reason; ``integers``: linear agents with integer variables are measured too.
    """
    leader = leader_objective(problem)
    if leader is None:
        return ()
    limit = SECONDS if options.time_limit is None else min(SECONDS, options.time_limit)
    options = replace(options, time_limit=limit, gap=None, extra={})
    reports = {report.name: report for report in certificate.followers}
    ties = []
    for agent in problem.agents:
        if not holds_any(leader.expression, _owned(agent)):
            continue
        if not reports[agent.name].verified:
            ties.append(Tie(agent.name, None, None, False, "its own optimality is not verified"))
            continue
        if problem.disjunctions:
            ties.append(Tie(agent.name, None, None, False, "the test does not know the leader's disjunctions"))
            continue
        ties.append(_TieTest(problem, leader, agent, values, options, integers).run())
    return tuple(ties)


def _owned(agent: Agent) -> ComponentSet:
    return ComponentSet(v for v in agent.variables if not is_pinned(v))


def worst_row_violations(problem: BilevelProblem, values: ComponentMap, options: SolverOptions) -> tuple[tuple[str, float], ...]:
    """The leader's rows that one of a follower's optimal answers breaks, and by how much.

    The other followers' answers are those of the point. Raises NotDescribedError where that cannot be told.
    """
    leader = leader_objective(problem)
    assert leader is not None
    tests = (_TieTest(problem, leader, agent, values, options, integers=True) for agent in problem.agents)
    return tuple(broken for test in tests for broken in test.broken_rows())


class _TieTest:
    """One agent; ``values`` is the point."""

    def __init__(
        self,
        problem: BilevelProblem,
        leader: LeaderObjective,
        agent: Agent,
        values: ComponentMap,
        options: SolverOptions,
        integers: bool,
    ) -> None:
        self.problem, self.leader, self.agent, self.values, self.options = problem, leader, agent, values, options
        self.integers = integers
        self.owned = _owned(agent)
        self.here = number_at(leader.expression, values)

    def run(self) -> Tie:
        """The best and the worst value, or the reason why there is none."""
        try:
            traits = traits_of(self.agent)
            if math.isfinite(self.here) and is_single_answer(self.agent, self.values, self.options, traits):
                return self._no_tie()
            face = self._face(traits)
            if face.single and math.isfinite(self.here):
                return self._no_tie()
            worst, answer, how = self._extreme(face, optimistic=False)
            self._add_leader_rows(face)
            best, _, _ = self._extreme(face, optimistic=True)
        except NotDescribedError as reason:
            return Tie(self.agent.name, None, None, False, str(reason))
        except BilevelError as error:
            return Tie(self.agent.name, None, None, False, error.diagnostics[0].message)
        except UNDEFINED as error:
            return Tie(
                self.agent.name, None, None, False, f"the leader's objective is not defined on all of its answers ({error})"
            )
        unique = abs(worst - best) <= SAME * self._size() if math.isfinite(worst) and math.isfinite(best) else False
        violated = () if unique else self._violated(answer)
        return Tie(self.agent.name, best, worst, unique, how, violated, {v.name: number for v, number in answer.items()})

    def _no_tie(self) -> Tie:
        variables = list(self.owned)
        answers = {name: float(self.values[v]) for name, v in zip(Naming().names(variables), variables, strict=True)}
        return Tie(self.agent.name, self.here, self.here, True, "its active rows leave one answer", (), answers)

    def broken_rows(self) -> tuple[tuple[str, float], ...]:
        """See :func:`worst_row_violations`."""
        broken = []
        face = self._face(traits_of(self.agent))
        for row, body in self._leader_rows():
            for side, sense in ((row.ub, pyo.maximize), (row.lb, pyo.minimize)):
                if side is None:
                    continue
                run = self._optimised(face, expression_at(body, self.values, face.twins), sense)
                if run.termination is Termination.UNBOUNDED:
                    broken.append((row.name, math.inf))
                elif run.termination is not Termination.OPTIMAL or run.values is None:
                    raise NotDescribedError(f"{run.solver}: {run.termination.value}")
                else:
                    there = self._moved(ComponentMap((v, run.values.get(t, t.value)) for v, t in face.twins.items()))
                    off = row_violation(body, row.lb, row.ub, there)
                    broken += [(row.name, off)] if off > VIOLATED else []
        return tuple(broken)

    def _face(self, traits: Traits) -> OptimalFace:
        if self.integers and traits.agent_class is AgentClass.INTEGER:
            return integer_face(self.agent, self.values)
        return optimal_face(self.agent, self.values, self.options, traits)

    def _size(self) -> float:
        size = magnitude(self.leader.expression, list(self.owned), self.values).total
        return max(size, 1e-9 * abs(self.here)) or 1.0

    def _extreme(self, face: OptimalFace, optimistic: bool) -> tuple[float, ComponentMap, str]:
        """The best or worst value over ``face``, and where it is."""
        objective = expression_at(self.leader.expression, self.values, face.twins)
        minimise = (self.leader.sense > 0) == optimistic
        run = self._optimised(face, objective, pyo.minimize if minimise else pyo.maximize)
        return self._read(face, run, -math.inf if minimise else math.inf)

    def _optimised(self, face: OptimalFace, objective: Any, sense: Any) -> SolverRun:
        face.model.objective = pyo.Objective(expr=objective, sense=sense)
        program = read_program(face.model)
        solver, _ = pick(features_of_program(program))
        run = solver.run_program(program, self.options) if isinstance(solver, Highs) else solver.run(face.model, self.options)
        face.model.del_component(face.model.objective)
        return run

    def _read(self, face: OptimalFace, run: SolverRun, limit: float) -> tuple[float, ComponentMap, str]:
        here = ComponentMap((v, self.values[v]) for v in face.twins)
        if run.termination is Termination.UNBOUNDED and face.exact:
            return limit, here, run.solver
        if run.termination is not Termination.OPTIMAL or run.values is None:
            raise NotDescribedError(f"{run.solver}: {run.termination.value}")
        answer = ComponentMap((v, float(run.values.get(twin, twin.value))) for v, twin in face.twins.items())
        there = self._moved(answer)
        found = number_at(self.leader.expression, there)
        # Whatever a solver says: the answer in hand is one of the set.
        value = max(found, self.here) if limit > 0 else min(found, self.here)
        if not self._is_optimal(there) and abs(value - self.here) > SAME * self._size():
            raise NotDescribedError("the set of its optimal answers could only be enclosed")
        return value, answer if value == found else here, run.solver

    def _moved(self, answer: ComponentMap) -> ComponentMap:
        there = ComponentMap(self.values.items())
        there.update(answer)
        return there

    def _is_optimal(self, there: ComponentMap) -> bool:
        """Whether the agent's objective is what it is at the point."""
        assert self.agent.objective is not None
        expression = self.agent.objective.expression
        size = sizes(expression, self.owned, there)[0] or 1.0
        return abs(number_at(expression, there) - number_at(expression, self.values)) <= OPTIMAL * size

    def _leader_rows(self) -> list[tuple[Any, Any]]:
        """The leader's rows that the agent's answer matters for, with their bodies in the agents' decisions."""
        rows = [
            (r, without_objective_variables(r.body, self.problem)) for r in self.problem.leader.rows if r is not self.leader.row
        ]
        return [(row, body) for row, body in rows if holds_any(body, self.owned)]

    def _add_leader_rows(self, face: OptimalFace) -> None:
        face.model.leader_row = pyo.ConstraintList()
        for row, body in self._leader_rows():
            at = number_at(body, self.values)
            lower = None if row.lb is None else min(row.lb, at)
            upper = None if row.ub is None else max(row.ub, at)
            if lower is not None or upper is not None:
                face.model.leader_row.add((lower, expression_at(body, self.values, face.twins), upper))

    def _violated(self, answer: ComponentMap) -> tuple[str, ...]:
        there = self._moved(answer)
        return tuple(r.name for r, body in self._leader_rows() if row_violation(body, r.lb, r.ub, there) > VIOLATED)
