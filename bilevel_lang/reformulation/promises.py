"""What optimality conditions can promise of an answer, from what is known of the agents."""

from __future__ import annotations

from collections.abc import Sequence

from bilevel_lang.oracle.traits import Traits
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.solution import Exactness

_ORDER = (Exactness.EXACT, Exactness.RELAXATION, Exactness.EPSILON, Exactness.STATIONARY, Exactness.APPROXIMATION)


def weaker(a: Exactness, b: Exactness) -> Exactness:
    """The lesser of two promises."""
    return max(a, b, key=_ORDER.index)


def exactness_of(traits: Sequence[Traits]) -> Exactness:
    """What the MPEC promises: necessity needs derivatives and a constraint qualification (linear rows or a Slater point)."""
    if not all(t.kkt_necessary for t in traits):
        return Exactness.STATIONARY
    return Exactness.EXACT if all(t.convex for t in traits) else Exactness.RELAXATION


def warnings_of(agents: Sequence[Agent], traits: Sequence[Traits]) -> list[str]:
    """What the user has to know of agents whose conditions are not both necessary and sufficient."""
    said = []
    for agent, found in zip(agents, traits, strict=True):
        if not found.convex and not found.integers:
            evidence, verdict = "; ".join(found.evidence), "nonconvex" if found.refuted else "not proven convex"
            said.append(f"warning[E14]: {agent.name} is {verdict} ({evidence}): a KKT point need not be its optimum")
        elif not found.smooth:
            said.append(f"{agent.name} may have no derivative at its optimum, so optimality of the leader is not proved")
        elif not found.kkt_necessary:
            doubt = "there KKT conditions need a constraint qualification, so optimality of the leader is not proved"
            said.append(f"{agent.name} has nonlinear rows: {doubt}")
    return said


def one_of_many(problem: BilevelProblem) -> list[str]:
    """What the user has to know of rows that agents share each with its own multiplier (Facchinei and Kanzow 2010, section 4)."""
    rows = [s.component.name for s in problem.shared_rows if not s.common]
    if not rows:
        return []
    names = ", ".join(f"`{name}`" for name in rows[:4]) + (f" and {len(rows) - 4} more" if len(rows) > 4 else "")
    said = f"each agent has its own multiplier of {names}: such equilibria are rarely unique, and this is one of them"
    return [f"{said} (`visol` asks for the one with a common multiplier)"]
