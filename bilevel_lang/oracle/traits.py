"""What kind of problem an agent solves, for fixed values of everything it does not own, with the evidence kept."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pyomo.common.collections import ComponentSet
from pyomo.repn import generate_standard_repn

from bilevel_lang.oracle.curvature import Curvature, curvature, is_smooth
from bilevel_lang.problem import Agent, Row


class AgentClass(enum.Enum):
    """From easy to hard; UNKNOWN never passes as convex."""

    LP = "LP"
    CONVEX_QP = "convex QP"
    CONVEX_NLP = "convex NLP"
    INTEGER = "mixed-integer"
    NONCONVEX = "not proven convex"
    VI = "VI over a polyhedron"
    CONVEX_VI = "VI over a convex set"
    NONCONVEX_VI = "VI over a set not proven convex"


@dataclass(frozen=True, slots=True)
class Traits:
    """The class of an agent and why.

    ``linear_rows``: every row is linear in the owned variables, so that the KKT conditions hold at every optimum without any
    further constraint qualification, provided that everything is ``smooth`` (has a derivative in the owned variables wherever it
    is defined). ``integers`` names the owned variables of discrete domain.
    """

    agent_class: AgentClass
    linear_rows: bool
    integers: tuple[str, ...]
    evidence: tuple[str, ...]
    smooth: bool = True

    @property
    def kkt_necessary(self) -> bool:
        """Whether every optimum (every solution, for a VI) is sure to be a KKT point, so that none is lost."""
        return self.linear_rows and self.smooth and not self.integers

    @property
    def convex(self) -> bool:
        """Whether every KKT point (every solution of the natural map, for a VI) is proven to be a solution."""
        return self.agent_class not in (AgentClass.INTEGER, AgentClass.NONCONVEX, AgentClass.NONCONVEX_VI)


def traits_of(agent: Agent) -> Traits:
    """Classify ``agent``; proofs only, no sampling."""
    owned = ComponentSet(v for v in agent.variables if not is_pinned(v))
    integers = tuple(v.name for v in owned if not v.is_continuous())
    kinks = _kinks(agent, owned)
    rows = [(row, curvature(row.body, owned)) for row in agent.rows]
    linear_rows = all(kind.is_affine for _, kind in rows)
    bad_rows = [row for row, kind in rows if not _convex_row(row, kind)]
    evidence = [f"row `{row.name}` is {_why_not(row, kind)}" for row, kind in rows if not _convex_row(row, kind)]
    evidence += kinks
    if integers:
        evidence.append(f"`{integers[0]}` is integer")
        return Traits(AgentClass.INTEGER, linear_rows, integers, tuple(evidence), not kinks)
    if agent.objective is None:
        kind = AgentClass.NONCONVEX_VI if bad_rows else AgentClass.VI if linear_rows else AgentClass.CONVEX_VI
        return Traits(kind, linear_rows, (), tuple(evidence), not kinks)
    objective = curvature(agent.objective.expression, owned)
    if agent.sign < 0:
        objective = objective.negated()
    if not objective.is_convex:
        word = "concave" if agent.kind == "max" else "convex"
        evidence.append(f"objective `{agent.objective.name}` is not proven {word} in its own variables")
    found = _optimiser_class(objective, linear_rows, bool(bad_rows), agent, owned)
    return Traits(found, linear_rows, (), tuple(evidence), not kinks)


def _kinks(agent: Agent, owned: ComponentSet) -> list[str]:
    """Where a derivative may be missing, in words. The function of a VI is not differentiated."""
    found = [f"row `{row.name}` may have no derivative somewhere" for row in agent.rows if not is_smooth(row.body, owned)]
    if agent.objective is not None and not is_smooth(agent.objective.expression, owned):
        found.append(f"objective `{agent.objective.name}` may have no derivative somewhere")
    return found


def is_pinned(variable: object) -> bool:
    """Whether its bounds fix a variable: then it is data, not a decision."""
    lower, upper = variable.lb, variable.ub  # type: ignore[attr-defined]
    return lower is not None and lower == upper


def _optimiser_class(objective: Curvature, linear_rows: bool, bad_rows: bool, agent: Agent, owned: ComponentSet) -> AgentClass:
    if bad_rows or not objective.is_convex:
        return AgentClass.NONCONVEX
    if not linear_rows:
        return AgentClass.CONVEX_NLP
    if objective.is_affine:
        return AgentClass.LP
    return AgentClass.CONVEX_QP if _is_quadratic(agent, owned) else AgentClass.CONVEX_NLP


def _is_quadratic(agent: Agent, owned: ComponentSet) -> bool:
    assert agent.objective is not None
    repn = generate_standard_repn(agent.objective.expression, quadratic=True)
    return not any(v in owned for v in repn.nonlinear_vars)


def _convex_row(row: Row, kind: Curvature) -> bool:
    if kind.is_affine:
        return True
    if row.lower is not None and row.upper is not None:
        return False
    return kind.is_convex if row.lower is None else kind.is_concave


def _why_not(row: Row, kind: Curvature) -> str:
    if row.is_equality:
        return "a nonlinear equality"
    wanted = "concave" if row.lower is not None else "convex"
    return f"{kind.value}, {wanted} is needed"
