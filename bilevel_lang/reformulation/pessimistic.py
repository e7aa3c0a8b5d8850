"""The pessimistic position: the follower breaks ties against the leader.

    min_x  max { F(x, y) : y optimal for the follower at x }      (max_x min for a leader that maximises)

as a problem for the KKT rewrite. A copy of the follower says what its optimum is; a second agent, which owns the modeller's own
follower variables, picks the worst of the optimal answers:

    answer  in argmin { f(x, .) over the follower's rows }
    y       in argmax { F(x, .) over the follower's rows and the optimal face through ``answer`` }

For an LP follower the face is ``f(x, y) = f(x, answer)``, for a convex QP with Hessian Q and linear part c(x) it is
``Q y = Q answer`` and ``c(x)'y = c(x)'answer`` (all optimal answers have the same gradient: Mangasarian 1988). All of it is
linear in y, so that the KKT conditions of the second agent hold at each of its optima although the face has no interior; where F
is concave in y they are sufficient. Hence the rewrite is exact. The copy follows Zeng, A practical scheme to compute the
pessimistic bilevel optimization problem, INFORMS Journal on Computing 32 (2020) 1128-1142.

A row of the leader that holds follower variables has to hold for every optimal answer: each of its sides gets an agent of its own
that looks for the answer that breaks it most (Wiesemann et al., Pessimistic bilevel optimization, SIAM Journal on Optimization 23
(2013) 353-380).

The infimum need not be attained: where the worst answer jumps at some x, points near it are better than x itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.visitor import replace_expressions
from pyomo.mpec import Complementarity
from pyomo.repn import generate_standard_repn

from bilevel_lang.oracle.curvature import curvature
from bilevel_lang.oracle.leader_objective import holds_any, leader_objective, without_objective_variables
from bilevel_lang.oracle.traits import AgentClass, is_pinned, traits_of
from bilevel_lang.problem import Agent, AgentObjective, BilevelProblem, Leader, Row, Structure
from bilevel_lang.reformulation.rewrite import Refusal, free_name
from bilevel_lang.statements import unknown_statement

TAKEN = (AgentClass.LP, AgentClass.CONVEX_QP)


@dataclass(frozen=True, eq=False)
class WorstCase:
    """``problem`` on a clone of the modeller's model; ``variables`` and ``rows`` lead from the modeller's to the clone's.

    ``rows`` maps the component of a row of the follower's copy to the modeller's row: its multipliers are the follower's.
    """

    problem: BilevelProblem
    variables: ComponentMap
    rows: ComponentMap


def why_not_pessimistic(problem: BilevelProblem) -> Refusal | None:
    """What stands in the way of the pessimistic position, None where nothing does."""
    if problem.structure is not Structure.BILEVEL or problem.leader.objective is None:
        return Refusal("the pessimistic position is that of a leader with an objective", "drop `--position`")
    if len(problem.agents) != 1 or problem.agents[0].objective is None:
        said = "the pessimistic position is carried out for one follower that optimises"
        return Refusal(said, "drop `--position`: the tie test of the answer tells the spread for each follower")
    if problem.dual_maps:
        said = "`dualvar` and the pessimistic position do not go together: the multipliers of the worst answer are not defined"
        return Refusal(said, "drop `--position`: the answer tells the range of the multiplier")
    used = unknown_statement(problem, "dualvar", "adjustequ")
    if used is not None:
        return Refusal(f"the pessimistic position does not go together with `{used}`", "drop `--position`")
    agent = problem.agents[0]
    found = traits_of(agent)
    if found.agent_class not in TAKEN:
        reason = f"the pessimistic position needs an LP or convex QP follower, and {agent.name} is {found.agent_class.value}"
        return Refusal(reason, "drop `--position`: the tie test of the answer tells the spread")
    return _bent(problem, agent) or _conditions_on(problem, agent)


def _bent(problem: BilevelProblem, agent: Agent) -> Refusal | None:
    """The worst answer is found by its KKT conditions: what it maximises has to be concave in the follower's variables."""
    leader = leader_objective(problem)
    assert leader is not None
    owned = ComponentSet(_free(agent))
    shape = curvature(leader.expression, owned)
    if not (shape.is_concave if leader.sense > 0 else shape.is_convex):
        word = "concave" if leader.sense > 0 else "convex"
        said = f"the leader's objective is not proven {word} in the variables of {agent.name}: its worst answer has no KKT form"
        return Refusal(said, "drop `--position`: the tie test of the answer tells the spread")
    for row in problem.leader.rows:
        body = without_objective_variables(row.body, problem)
        shape = curvature(body, owned)
        if (row.ub is not None and not shape.is_concave) or (row.lb is not None and not shape.is_convex):
            said = f"row `{row.name}` of the leader has to hold for every optimal answer of {agent.name}, and is not linear in it"
            return Refusal(said, "list the row with the follower, or make it linear in the follower's variables")
    return None


def _conditions_on(problem: BilevelProblem, agent: Agent) -> Refusal | None:
    owned = ComponentSet(_free(agent))
    sides = [(c, side) for c in problem.model.component_data_objects(Complementarity, active=True) for side in c._args]
    named = [c for c, side in sides if holds_any(side, owned)]
    named += [
        s for s in problem.model.component_data_objects(pyo.SOSConstraint, active=True) if any(v in owned for v in s.variables)
    ]
    if not named:
        return None
    said = f"`{named[0].name}` is a condition on variables of {agent.name}, which the pessimistic position cannot take"
    return Refusal(said, "drop `--position`")


def _free(agent: Agent) -> list[Any]:
    return [v for v in agent.variables if not is_pinned(v)]


def worst_case(problem: BilevelProblem) -> WorstCase:
    """The problem of :func:`why_not_pessimistic` (None) with its worst case written out; the modeller's model is left alone."""
    memo: dict[int, Any] = {}
    model = problem.model.clone(memo)
    originals = list(problem.model.component_data_objects(pyo.Var))
    carried = (problem.agents, problem.leader, problem.definitions, originals)
    agents, leader, definitions, twins = copy.deepcopy(carried, memo)
    twin = replace(problem, model=model, agents=agents, leader=leader, definitions=definitions)
    built = _Builder(twin).build()
    mine = (row.component for row in problem.agents[0].rows)
    rows = ComponentMap(zip((row.component for row in built.agents[0].rows), mine, strict=True))
    return WorstCase(built, ComponentMap(zip(originals, twins, strict=True)), rows)


class _Builder:
    """Adds block ``worst`` to the clone and makes the agents."""

    def __init__(self, problem: BilevelProblem) -> None:
        self.problem = problem
        self.follower = problem.agents[0]
        self.owned = ComponentSet(_free(self.follower))
        self.block = pyo.Block()
        problem.model.add_component(free_name(problem.model, "worst"), self.block)
        self.block.answer = pyo.Var(pyo.Any, dense=False)
        self.block.row = pyo.Constraint(pyo.Any)
        self.block.holds = pyo.Constraint(pyo.Any)

    def build(self) -> BilevelProblem:
        leader = leader_objective(self.problem)
        assert leader is not None
        if holds_any(leader.expression, self.owned):
            answer = self._copies("optimal")
            follower = self._follower(answer)
            kind: Any = "max" if leader.sense > 0 else "min"
            agents = [follower, self._worst("worst", kind, leader.expression, None, answer)]
        else:
            answer = ComponentMap((v, v) for v in self.owned)
            agents = [self.follower]
        kept = []
        for row in self.problem.leader.rows:
            body = without_objective_variables(row.body, self.problem)
            if row is leader.row or not holds_any(body, self.owned):
                kept.append(row)
                continue
            for side, sense in ((row.ub, "max"), (row.lb, "min")):
                if side is not None:
                    agents.append(self._worst_for_row(row, body, side, sense, answer))
            row.deactivate()
        kept += list(self.block.holds.values())
        mine = self.problem.leader
        return replace(self.problem, agents=tuple(agents), leader=Leader(mine.objective, mine.variables, tuple(kept)))

    def _copies(self, label: str) -> ComponentMap:
        """A copy of each of the follower's variables."""
        copies: ComponentMap = ComponentMap()
        for variable in self.owned:
            twin = self.block.answer[f"{label}.{variable.name}"]
            twin.domain = variable.domain
            twin.setlb(variable.lb)
            twin.setub(variable.ub)
            twin.set_value(variable.value, skip_validation=True)
            copies[variable] = twin
        return copies

    def _follower(self, answer: ComponentMap) -> Agent:
        """The follower's own problem in ``answer``; its rows keep their names."""
        objective = self.follower.objective
        assert objective is not None
        rows = self._rows_in("optimal", answer, keep_names=True)
        stated = AgentObjective(objective.name, _in(objective.expression, answer))
        return Agent(self.follower.name, self.follower.kind, tuple(answer.values()), rows, stated, span=self.follower.span)

    def _worst(self, label: str, kind: Any, expression: Any, copies: ComponentMap | None, answer: ComponentMap) -> Agent:
        """The agent that picks the worst among the optimal answers: in ``copies``, or in the follower's own variables."""
        if copies is None:
            copies = ComponentMap((v, v) for v in self.owned)
            rows = tuple(replace(row, name=f"{label}.{row.name}") for row in self.follower.rows)
        else:
            rows = self._rows_in(label, copies, keep_names=False)
        stated = AgentObjective(label, _in(expression, copies))
        rows += tuple(self._face(label, copies, answer))
        return Agent(f"{label} answer of {self.follower.name}", kind, tuple(copies.values()), rows, stated)

    def _worst_for_row(self, row: Any, body: Any, side: float, kind: str, answer: ComponentMap) -> Agent:
        label = f"worst for {row.name}.{'upper' if kind == 'max' else 'lower'}"
        copies = self._copies(label)
        worst = _in(body, copies)
        self.block.holds[label] = worst <= side if kind == "max" else worst >= side
        return self._worst(label, kind, body, copies, answer)

    def _rows_in(self, label: str, copies: ComponentMap, keep_names: bool) -> tuple[Row, ...]:
        rows = []
        for row in self.follower.rows:
            name = f"{label}.{row.name}"
            body = _in(row.body, copies)
            self.block.row[name] = (row.lower, body, row.upper)
            rows.append(Row(row.name if keep_names else name, body, row.lower, row.upper, self.block.row[name], row.span))
        return tuple(rows)

    def _face(self, label: str, copies: ComponentMap, answer: ComponentMap) -> Iterable[Row]:
        """The optimal answers as rows in ``copies``: the same gradient and the same linear part as at ``answer``."""
        assert self.follower.objective is not None
        linear, curved = _parts(self.follower.objective.expression, self.owned)
        for name, expression in [("objective", linear), *curved]:
            if expression.__class__ in (int, float):
                continue
            index = f"{label}.same.{name}"
            self.block.row[index] = _in(expression, copies) - _in(expression, answer) == 0
            yield Row(index, self.block.row[index].body, 0.0, 0.0, self.block.row[index])


def _parts(expression: Any, owned: ComponentSet) -> tuple[Any, list[tuple[str, Any]]]:
    """What is linear in ``owned`` of an LP's or convex QP's objective, and the rows of Q y by the variable's name."""
    repn = generate_standard_repn(expression, quadratic=True)
    pairs, linear = [], [c * v for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True) if v in owned]
    for (a, b), c in zip(repn.quadratic_vars, repn.quadratic_coefs, strict=True):
        if a in owned and b in owned:
            pairs.append((a, b, c))
        elif a in owned or b in owned:
            linear.append(c * a * b)
    if repn.nonlinear_expr is not None and holds_any(repn.nonlinear_expr, owned):
        linear.append(repn.nonlinear_expr)
    rows: ComponentMap = ComponentMap()
    for a, b, c in pairs:
        rows.setdefault(a, []).append((2 * c if a is b else c) * b)
        if a is not b:
            rows.setdefault(b, []).append(c * a)
    return sum(linear), [(v.name, sum(terms)) for v, terms in rows.items()]


def _in(expression: Any, copies: ComponentMap) -> Any:
    """``expression`` with the follower's variables replaced by ``copies``."""
    mapping = {id(variable): twin for variable, twin in copies.items() if twin is not variable}
    if not mapping or expression.__class__ in (int, float):
        return expression
    return mapping[id(expression)] if id(expression) in mapping else replace_expressions(expression, mapping)
