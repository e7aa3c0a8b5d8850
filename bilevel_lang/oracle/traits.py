"""What kind of problem an agent solves, for fixed values of everything it does not own, with the evidence kept."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from pyomo.common.collections import ComponentSet

from bilevel_lang.oracle.curvature import Curvature, Finding, examine
from bilevel_lang.oracle.links import Links, is_pinned, linear_variables, links_of
from bilevel_lang.oracle.qualification import qualification
from bilevel_lang.oracle.row_convexity import RowSet, row_set
from bilevel_lang.oracle.sampled_curvature import refute_convex, refute_convex_row
from bilevel_lang.problem import Agent, Row

SAMPLED_ROWS = 10
"""Rows not proven convex that are sampled for a witness: one is enough, and an agent may have thousands."""


class AgentClass(enum.Enum):
    """From easy to hard. NONCONVEX has a witness; UNKNOWN has none and never passes as convex."""

    LP = "LP"
    CONVEX_QP = "convex QP"
    CONVEX_NLP = "convex NLP"
    INTEGER = "mixed-integer"
    NONCONVEX = "nonconvex"
    UNKNOWN = "not proven convex"
    VI = "VI over a polyhedron"
    CONVEX_VI = "VI over a convex set"
    NONCONVEX_VI = "VI over a nonconvex set"
    UNKNOWN_VI = "VI over a set not proven convex"


_CONVEX = frozenset({AgentClass.LP, AgentClass.CONVEX_QP, AgentClass.CONVEX_NLP, AgentClass.VI, AgentClass.CONVEX_VI})


@dataclass(frozen=True, slots=True)
class Traits:
    """The class of an agent and why.

    ``linear_rows``: every row is linear in the owned variables, so that the KKT conditions hold at every optimum without any
    further constraint qualification, provided that everything is ``smooth`` (has a derivative in the owned variables wherever it
    is defined). ``qualified`` says, for convex nonlinear rows, why they hold nevertheless (None: not known). ``integers`` names
    the owned variables of discrete domain. ``least_eigenvalue`` is that of a constant Hessian of the objective (of the negated
    one for ``max``) in the owned variables that occur in products; None where it is not constant, or there is none.
    """

    agent_class: AgentClass
    linear_rows: bool
    integers: tuple[str, ...]
    evidence: tuple[str, ...]
    smooth: bool = True
    qualified: str | None = None
    least_eigenvalue: float | None = None
    links: Links = field(default_factory=Links)

    @property
    def kkt_necessary(self) -> bool:
        """Whether every optimum (every solution, for a VI) is sure to be a KKT point, so that none is lost."""
        return (self.linear_rows or self.qualified is not None) and self.smooth and not self.integers

    @property
    def convex(self) -> bool:
        """Whether every KKT point (every solution of the natural map, for a VI) is proven to be a solution."""
        return self.agent_class in _CONVEX

    @property
    def refuted(self) -> bool:
        """Whether there is a witness against convexity, and not only no proof of it."""
        return self.agent_class in (AgentClass.NONCONVEX, AgentClass.NONCONVEX_VI)


@dataclass(frozen=True, slots=True)
class _RowTraits:
    row: Row
    kind: Curvature
    set: RowSet
    smooth: bool = True


def traits_of(agent: Agent) -> Traits:
    """Classify ``agent``: proofs by structure, refutations by samples, a constraint qualification where it is needed.

    Linear in the number of terms where the rows are linear; seeded, so that it says the same each time.
    """
    owned = ComponentSet(v for v in agent.variables if not is_pinned(v))
    integers = tuple(v.name for v in owned if not v.is_continuous())
    plain = [linear_variables(row.body) for row in agent.rows]
    # Rows that are plainly linear, nearly all of a large model, need no record: nothing is to be said about them.
    rows = [_row_traits(row, owned) for row, variables in zip(agent.rows, plain, strict=True) if variables is None]
    linear_rows = all(r.set is RowSet.LINEAR for r in rows)
    bad_rows = [r for r in rows if r.set is RowSet.UNPROVEN]
    objective = _objective(agent, owned)
    kinks = _kinks(agent, objective, rows)
    links = links_of(agent, owned, plain)
    if integers:
        evidence = [*_unproven_rows(bad_rows), *kinks, f"`{integers[0]}` is integer"]
        return Traits(AgentClass.INTEGER, linear_rows, integers, tuple(evidence), not kinks, links=links)
    refuted, evidence = _against_rows(bad_rows, owned)
    least = _least_eigenvalue(agent, objective)
    curved = objective.curvature if agent.sign > 0 else objective.curvature.negated()
    found = _against_objective(agent, curved, owned)
    kind = _class(agent, curved, rows, refuted or found[0], objective.quadratic)
    qualified = _qualified(agent, rows, owned) if kind in _CONVEX and not linear_rows and not kinks else None
    said = (*found[1], *evidence, *kinks, *((qualified,) if qualified else ()))
    return Traits(kind, linear_rows, (), said, not kinks, qualified, least, links)


def _row_traits(row: Row, owned: ComponentSet) -> _RowTraits:
    found = examine(row.body, owned)
    return _RowTraits(row, found.curvature, row_set(row, found.curvature, owned), found.smooth)


def _kinks(agent: Agent, objective: Finding, rows: list[_RowTraits]) -> list[str]:
    """Where a derivative may be missing, in words. The function of a VI is not differentiated."""
    found = [f"row `{r.row.name}` may have no derivative somewhere" for r in rows if not r.smooth]
    if agent.objective is not None and not objective.smooth:
        found.append(f"objective `{agent.objective.name}` may have no derivative somewhere")
    return found


def _objective(agent: Agent, owned: ComponentSet) -> Finding:
    """Of the objective in its own sense; a VI has none, which is as good as a linear one."""
    if agent.objective is None or linear_variables(agent.objective.expression) is not None:
        return Finding(Curvature.AFFINE)
    return examine(agent.objective.expression, owned)


def _least_eigenvalue(agent: Agent, objective: Finding) -> float | None:
    hessian = objective.hessian
    if hessian is None or agent.sign > 0:
        return None if hessian is None else hessian.least
    return None if hessian.largest is None else -hessian.largest + 0.0


def _against_objective(agent: Agent, kind: Curvature, owned: ComponentSet) -> tuple[bool, list[str]]:
    if kind.is_convex:
        return False, []
    assert agent.objective is not None
    word, name = ("concave" if agent.kind == "max" else "convex"), agent.objective.name
    witness = refute_convex(agent.objective.expression, owned, agent.sign)
    if witness is None:
        return False, [f"objective `{name}` is not proven {word} in its own variables"]
    of = "Hessian of the negated objective: " if agent.kind == "max" else ""
    return True, [f"objective `{name}` is not {word} in its own variables: {of}{witness.text}"]


def _against_rows(rows: list[_RowTraits], owned: ComponentSet) -> tuple[bool, list[str]]:
    """(whether one is refuted, what is to be said of each)."""
    for r in rows[:SAMPLED_ROWS]:
        witness = refute_convex_row(r.row, owned)
        if witness is not None:
            rest = [other for other in rows if other is not r]
            return True, [f"row `{r.row.name}` describes a nonconvex set: {witness.text}", *_unproven_rows(rest)]
    return False, _unproven_rows(rows)


def _unproven_rows(rows: list[_RowTraits]) -> list[str]:
    return [f"row `{r.row.name}` is {_why_not(r.row, r.kind)}" for r in rows]


def _why_not(row: Row, kind: Curvature) -> str:
    if row.is_equality:
        return "a nonlinear equality"
    if row.lower is not None and row.upper is not None:
        return "a nonlinear range"
    return f"{kind.value}, {'concave' if row.lower is not None else 'convex'} is needed"


def _class(agent: Agent, objective: Curvature, rows: list[_RowTraits], refuted: bool, quadratic: bool) -> AgentClass:
    proven = objective.is_convex and all(r.set is not RowSet.UNPROVEN for r in rows)
    linear = all(r.set is RowSet.LINEAR for r in rows)
    if agent.objective is None:
        if not proven:
            return AgentClass.NONCONVEX_VI if refuted else AgentClass.UNKNOWN_VI
        return AgentClass.VI if linear else AgentClass.CONVEX_VI
    if not proven:
        return AgentClass.NONCONVEX if refuted else AgentClass.UNKNOWN
    if not linear:
        return AgentClass.CONVEX_NLP
    if objective.is_affine:
        return AgentClass.LP
    return AgentClass.CONVEX_QP if quadratic else AgentClass.CONVEX_NLP


def _qualified(agent: Agent, rows: list[_RowTraits], owned: ComponentSet) -> str | None:
    if any(r.set is RowSet.CONVEX_AT_ZERO for r in rows):
        return None
    return qualification(agent.rows, [r.row for r in rows if r.set is not RowSet.LINEAR], owned)


__all__ = ["AgentClass", "Traits", "is_pinned", "traits_of"]
