"""From a problem to a bounding scheme that runs, or a refusal."""

from __future__ import annotations

from pyomo.core.base import SOSConstraint
from pyomo.mpec import Complementarity

from bilevel_lang.components.kinds import unknown_components
from bilevel_lang.oracle.traits import Traits, traits_of
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.no_answer import without_answer
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.value_function.nonconvex.relaxation import Relaxation
from bilevel_lang.reformulation.value_function.nonconvex.scales import scales_of
from bilevel_lang.reformulation.value_function.nonconvex.search import run_search
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.program_reading import TRANSFORM
from bilevel_lang.statements import unknown_statement

SMALL = 20
"""Variables of the model up to which the engine comes here by itself."""


QUICKER = (
    "every follower is convex: `--method kkt` is exact here as well, quicker, and gives multipliers; this search is a check that"
    " uses none"
)
"""What is said where conditions would do."""


def accepts_nonconvex(problem: BilevelProblem, options: Options) -> Verdict:
    """Optimisers of any kind, in the optimistic position; every other construct of the language is refused by name."""
    refusal = _why_not(problem, options)
    if refusal is not None:
        return refusal
    count = len(problem.agents)
    return Accepted(f"{count} follower{'s' if count > 1 else ''} by bounds from both sides, SCIP for every subproblem")


def _why_not(problem: BilevelProblem, options: Options) -> Refusal | None:
    if options.position != "optimistic":
        return Refusal(f"it does not take the {options.position} position", "use `--position optimistic`")
    if options.solver not in (None, "scip"):
        return Refusal(f"it needs global optima, and {options.solver} was asked for", "use `--solver scip`")
    if not problem.agents:
        return Refusal("there are no agents", "use `--method kkt`")
    inequality = next((a for a in problem.agents if a.objective is None), None)
    if inequality is not None:
        return Refusal(f"{inequality.name} is a variational inequality and has no value", "use `--method kkt`")
    used = unknown_statement(problem, "sharedequ", "adjustequ")
    if used is not None:
        why = ": it knows no multipliers" if used in ("dualvar", "visol") else ""
        return Refusal(f"it does not take `{used}`{why}", "use `--method kkt`")
    if any(problem.model.component_data_objects(Complementarity, active=True)):
        return Refusal("it does not take complementarity conditions in the model", "use `--method kkt`")
    unknown = unknown_components(problem.model, SOSConstraint)
    return None if unknown is None else Refusal(f"it does not take {unknown}", TRANSFORM)


def nonconvex_reformulation(problem: BilevelProblem, options: Options) -> Reformulation:
    """The relaxation that the search begins with, and the search. Raises RefusedError where SCIP does not know a function."""
    if (settled := without_answer(problem, "value-function")) is not None:
        return settled
    traits = [traits_of(agent) for agent in problem.agents]
    relaxation = Relaxation(problem, traits, scales_of(problem.agents))
    return Reformulation(
        problem=problem,
        model=relaxation.model,
        method="value-function",
        encoding=None,
        solver="scip",
        exactness=Exactness.RELAXATION,
        variables=relaxation.twin.variables,
        multipliers=(),
        run=lambda wanted: run_search(problem, relaxation, wanted),
        why=(f"chosen    bounding scheme: {_classes(traits)}", "chosen    scip: global optima of relaxation and followers"),
        warnings=(QUICKER,) if all(t.convex and t.kkt_necessary for t in traits) else (),
    )


def _classes(traits: list[Traits]) -> str:
    found = sorted({t.agent_class.value for t in traits})
    return f"{len(traits)} agent{'s' if len(traits) > 1 else ''}: {', '.join(found)}"


def is_small(problem: BilevelProblem) -> bool:
    """Whether the search has a chance of a proof: few variables in all."""
    owned = sum(len(agent.variables) for agent in problem.agents)
    return owned + len(problem.leader.variables) <= SMALL
