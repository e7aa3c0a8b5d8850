"""KKT -> MPEC -> encoding: the rewrite for continuous agents.

Formulation: see :mod:`bilevel_lang.reformulation.optimality_conditions`.
Accepts: agents without integer variables, ``min``, ``max`` or ``vi``, in Nash equilibrium; also an MPEC that the user wrote with
``pyomo.mpec``, and an ordinary model. Produces: a model with ``Complementarity`` components, then an encoding of them.
Exactness: exact where every agent is proven convex with rows linear in its own variables (then the conditions are necessary and
sufficient); a relaxation where only necessity is known (nonconvex objective, linear rows): an answer that passes verification is
still optimal; stationary otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import Diagnostic, RefusedError
from bilevel_lang.oracle.traits import AgentClass, Traits, traits_of
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.reformulation.complementarity.encoding import Encoding
from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.complementarity.registry import encoding_by_name
from bilevel_lang.reformulation.encoding_choice import choose_encoding
from bilevel_lang.reformulation.optimality_conditions import BuiltMpec, build_mpec
from bilevel_lang.reformulation.rewrite import Accepted, Multiplier, Options, Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.starts import Starts
from bilevel_lang.reformulation.two_stage import TwoStage
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.features import features_of, why_not
from bilevel_lang.solvers.program import sense_of
from bilevel_lang.solvers.registry import by_name, pick
from bilevel_lang.solvers.solver import Feature, Solver, SolverRun


@dataclass(frozen=True, eq=False)
class _Runner:
    """Solves an encoded reformulation with the solver that was picked."""

    solver: Solver
    encoded_run: Any

    def __call__(self, options: Options) -> SolverRun:
        return self.encoded_run(self.solver, options)  # type: ignore[no-any-return]


class Kkt:
    """Agents by their optimality conditions."""

    name = "kkt"

    def accepts(self, problem: BilevelProblem, options: Options) -> Verdict:
        """Continuous agents only, optimistic position."""
        if options.position != "optimistic":
            reason = f"`kkt` takes the optimistic position; `{options.position}` is not carried out by any method of this version"
            return Refusal(reason, "drop `--position`")
        found = [(agent, traits_of(agent)) for agent in problem.agents]
        integer = [_integer(agent, traits, problem) for agent, traits in found if traits.integers]
        if integer:
            reason = f"{integer[0].message}: KKT conditions do not hold for integer decisions"
            return Refusal(reason, integer[0].help, tuple(integer))
        return Accepted(_accepted(problem, [t for _, t in found]))

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """The MPEC, not yet encoded: ``pyomo.mpec`` components in block ``kkt``."""
        return self.of_mpec(problem, build_mpec(problem))

    def of_mpec(self, problem: BilevelProblem, built: BuiltMpec) -> Reformulation:
        """The MPEC that was built, with what it promises and the way back."""
        traits = [traits_of(agent) for agent in problem.agents]
        return Reformulation(
            problem=problem,
            model=built.twin.model,
            method=self.name,
            encoding=None,
            solver="",
            exactness=_exactness(traits),
            variables=built.twin.variables,
            multipliers=_multipliers(built, problem),
            run=_unencoded,
            warnings=tuple(_warnings(problem, traits)),
        )

    def encode(self, mpec: Reformulation, options: Options) -> Reformulation:
        """Choose an encoding and a solver for the MPEC, and make it solvable, in place."""
        if next(conditions(mpec.model), None) is None:
            solver, why = pick(features_of(mpec.model), options.solver)
            runner = _Runner(solver, lambda s, o: s.run(mpec.model, o.for_solver()))
            promise = Exactness.EXACT if solver.proves else Exactness.STATIONARY
            return replace(
                mpec, solver=solver.name, run=runner, why=(f"chosen    {why}",), exactness=_weaker(mpec.exactness, promise)
            )
        choice = choose_encoding(mpec.model, options)
        encoded = self._encoded(mpec, choice.encoding, options)
        local = choice.local
        if local is None:
            return replace(encoded, why=(*choice.reasons, *encoded.why))

        def locally() -> Callable[[Options], SolverRun]:
            other = self._encoded(self.apply(mpec.problem, options), local, replace(options, solver=None))
            return speaking_of(mpec.model, other.run)

        run = TwoStage(sense_of(mpec.model), encoded.run, locally, local, choice.again, choice.local_first)
        return replace(encoded, run=run, why=(*choice.reasons, *encoded.why))

    def _encoded(self, mpec: Reformulation, name: str, options: Options) -> Reformulation:
        encoding = encoding_by_name(name)
        encoded = encoding.encode(mpec.model, options, Starts(mpec.problem, mpec.variables, options).write)
        solver, why = _solver_for(encoding, features_of(mpec.model), options.solver)
        promise = encoded.exactness if solver.proves or encoded.exactness is not Exactness.EXACT else Exactness.STATIONARY
        return replace(
            mpec,
            encoding=encoding.name,
            solver=solver.name,
            exactness=_weaker(mpec.exactness, promise),
            run=_Runner(solver, encoded.run),
            why=(f"chosen    {why}", *(f"bound     {note}" for note in encoded.notes)),
            review=encoded.review,
        )


def speaking_of(model: Any, run: Callable[[Options], SolverRun]) -> Callable[[Options], SolverRun]:
    """``run`` of a twin of ``model`` with the same names, its values on the variables of ``model``."""

    def carried(options: Options) -> SolverRun:
        found = run(options)
        if found.values is None:
            return found
        by_name = {v.name: value for v, value in found.values.items()}
        mine = model.component_data_objects(pyo.Var)
        return replace(found, values=ComponentMap((v, by_name[v.name]) for v in mine if v.name in by_name))

    return carried


def _solver_for(encoding: Encoding, features: frozenset[Feature], wanted: str | None) -> tuple[Solver, str]:
    """The solver asked for, or the encoding's own where it takes the model, or whatever does."""
    if wanted is not None:
        return pick(features, wanted)
    own = by_name(encoding.solver)
    if why_not(own, features) is None:
        return own, f"{own.name}: the solver that `{encoding.name}` is meant for"
    return pick(features)


def _unencoded(options: Options) -> SolverRun:
    raise RefusedError("this model still holds complementarities", "call `solve`, or reformulate with an encoding")


def _integer(agent: Agent, traits: Traits, problem: BilevelProblem) -> Diagnostic:
    names = ", ".join(f"`{n}`" for n in traits.integers[:4])
    message = f"{agent.name} decides integer variables ({names})"
    help = (
        "`value-function` will take integer followers; it is not part of this version. Fix the variables, or relax their domain"
    )
    return Diagnostic("E13", message, help, agent.span, problem.source)


def _accepted(problem: BilevelProblem, traits: list[Traits]) -> str:
    if not problem.agents:
        return "no agents: an ordinary model"
    kinds = ", ".join(sorted({t.agent_class.value for t in traits}))
    return f"{len(traits)} agent{'s' if len(traits) > 1 else ''}: {kinds}"


def _exactness(traits: list[Traits]) -> Exactness:
    """What the MPEC promises: necessity needs derivatives and a constraint qualification, which linear rows bring along."""
    if not all(t.kkt_necessary for t in traits):
        return Exactness.STATIONARY
    return Exactness.EXACT if all(t.convex for t in traits) else Exactness.RELAXATION


_ORDER = (Exactness.EXACT, Exactness.RELAXATION, Exactness.EPSILON, Exactness.STATIONARY, Exactness.APPROXIMATION)


def _weaker(a: Exactness, b: Exactness) -> Exactness:
    return max(a, b, key=_ORDER.index)


def _warnings(problem: BilevelProblem, traits: list[Traits]) -> list[str]:
    said = []
    for agent, found in zip(problem.agents, traits, strict=True):
        if found.agent_class in (AgentClass.NONCONVEX, AgentClass.NONCONVEX_VI):
            evidence = "; ".join(found.evidence)
            said.append(f"warning[E14]: {agent.name} is not proven convex ({evidence}): a KKT point need not be its optimum")
        elif not found.smooth:
            said.append(f"{agent.name} may have no derivative at its optimum, so optimality of the leader is not proved")
        elif not found.linear_rows:
            doubt = "there KKT conditions need a constraint qualification, so optimality of the leader is not proved"
            said.append(f"{agent.name} has nonlinear rows: {doubt}")
    return said


def _multipliers(built: BuiltMpec, problem: BilevelProblem) -> tuple[Multiplier, ...]:
    return tuple(
        Multiplier(name, terms, problem.agents[agent].rows[row].component) for name, terms, agent, row in built.multipliers
    )
