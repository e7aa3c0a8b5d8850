"""KKT -> MPEC -> encoding: the rewrite for continuous agents.

Formulation: see :mod:`bilevel_lang.reformulation.optimality_conditions`.
Accepts: agents without integer variables, ``min``, ``max`` or ``vi``, in Nash equilibrium; also an MPEC that the user wrote with
``pyomo.mpec``, and an ordinary model. Produces: a model with ``Complementarity`` components, then an encoding of them.
Exactness: exact where every agent is proven convex with rows linear in its own variables (then the conditions are necessary and
sufficient); a relaxation where only necessity is known (nonconvex objective, linear rows): an answer that passes verification is
still optimal; stationary otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.common.gc_manager import PauseGC

from bilevel_lang.errors import Diagnostic, RefusedError
from bilevel_lang.oracle.traits import Traits, is_pinned, traits_of
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.reformulation.complementarity.encoding import Encoding
from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.complementarity.registry import encoding_by_name
from bilevel_lang.reformulation.encoding_choice import choose_encoding
from bilevel_lang.reformulation.linear.route import arrays_route, refuse_components
from bilevel_lang.reformulation.no_answer import without_answer
from bilevel_lang.reformulation.optimality_conditions import BuiltMpec, build_mpec
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.pessimistic import why_not_pessimistic, worst_case
from bilevel_lang.reformulation.problem_clone import own_model
from bilevel_lang.reformulation.promises import exactness_of, one_of_many, warnings_of, weaker
from bilevel_lang.reformulation.rewrite import Accepted, Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.starts import Starts, UnitStarts
from bilevel_lang.reformulation.two_stage import OTHERWISE, Prepare, TwoStage
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.features import features_of, why_not
from bilevel_lang.solvers.program_reading import sense_of
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
        """Continuous agents only; for the pessimistic position see :func:`why_not_pessimistic`."""
        integer = [_integer(agent, names, problem) for agent in problem.agents if (names := _integers(agent))]
        if integer:
            reason = f"{integer[0].message}: KKT conditions do not hold for integer decisions"
            return Refusal(reason, integer[0].help, tuple(integer))
        if options.position == "pessimistic" and (refusal := why_not_pessimistic(problem)) is not None:
            return refusal
        return Accepted(_accepted(problem))

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """The MPEC, not yet encoded: ``pyomo.mpec`` components in block ``kkt``."""
        with PauseGC():  # millions of objects are made, and next to none of them becomes garbage
            return self._applied(problem, options)

    def _applied(self, problem: BilevelProblem, options: Options) -> Reformulation:
        if options.position == "pessimistic":
            return self._of_worst_case(problem)
        traits = _traits(problem)  # before the clone is made: what is needed on the way is free again for it
        return self.of_mpec(problem, build_mpec(problem, implicit=options.implicit), traits)

    def _of_worst_case(self, problem: BilevelProblem) -> Reformulation:
        """The MPEC of the pessimistic position; the multipliers reported are the follower's own."""
        worst = worst_case(problem)
        mpec = self.of_mpec(worst.problem, build_mpec(worst.problem, own_model(worst.problem)))
        reported = (replace(m, component=worst.rows[m.component]) for m in mpec.multipliers if m.component in worst.rows)
        return replace(mpec, problem=problem, variables=worst.variables, multipliers=tuple(reported))

    def of_mpec(self, problem: BilevelProblem, built: BuiltMpec, traits: Sequence[Traits] | None = None) -> Reformulation:
        """The MPEC that was built, with what it promises and the way back; ``traits`` of the agents where they are known."""
        traits = _traits(problem) if traits is None else traits
        return Reformulation(
            problem=problem,
            model=built.twin.model,
            method=self.name,
            encoding=None,
            solver="",
            exactness=weaker(Exactness.STATIONARY if built.assumed else exactness_of(traits), built.choices.exactness),
            variables=built.twin.variables,
            multipliers=built.reported,
            run=_unencoded,
            warnings=(*warnings_of(problem.agents, traits), *built.choices.warnings, *built.assumed, *one_of_many(problem)),
        )

    def prepare(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """Arrays where everything is linear, else the MPEC as components, encoded."""

        def local(encoding: str) -> Prepare:
            return lambda known: self._locally(problem, encoding, options, known)

        if (settled := without_answer(problem, self.name)) is not None:
            return settled
        if options.position == "pessimistic":
            return self.encode(self.apply(problem, options), options)
        found = arrays_route(problem, options, local)
        if isinstance(found, Reformulation):
            return found
        if options.encoding is not None:
            refuse_components(options.encoding, options.solver, found.reason)
        return self.encode(self.apply(problem, options), options)

    def _locally(
        self, problem: BilevelProblem, encoding: str, options: Options, known: ComponentMap | None
    ) -> Callable[[Options], SolverRun]:
        """A search with ``encoding`` whose runs speak of the modeller's variables, and so does ``known``."""
        other = self._encoded(self.apply(problem, options), encoding, replace(options, solver=None), known)

        def search(wanted: Options) -> SolverRun:
            return carried(other.run(wanted))

        def carried(run: SolverRun) -> SolverRun:
            if run.values is None:
                return run
            point = other.recover(run)
            others = tuple(carried(each) for each in run.others)
            return replace(run, values=point.values, multipliers=point.multipliers, others=others)

        return search

    def encode(self, mpec: Reformulation, options: Options) -> Reformulation:
        """Choose an encoding and a solver for the MPEC, and make it solvable, in place."""
        if next(conditions(mpec.model), None) is None:
            solver, why = pick(features_of(mpec.model), options.solver)
            runner = _Runner(solver, lambda s, o: s.run(mpec.model, o.for_solver()))
            promise = Exactness.EXACT if solver.proves else Exactness.STATIONARY
            return replace(
                mpec, solver=solver.name, run=runner, why=(f"chosen    {why}",), exactness=weaker(mpec.exactness, promise)
            )
        choice = choose_encoding(mpec.model, options)
        encoded = self._encoded(mpec, choice.encoding, options)
        local = choice.local
        if local is None:
            return replace(encoded, why=(*choice.reasons, *encoded.why))

        def locally(encoding: str) -> Prepare:
            def prepared(known: ComponentMap | None) -> Callable[[Options], SolverRun]:
                twins = mpec.variables.items()
                mine = None if known is None else ComponentMap((v, known[twin]) for v, twin in twins if twin in known)
                other = self._encoded(self.apply(mpec.problem, options), encoding, replace(options, solver=None), mine)
                return speaking_of(mpec.model, other.run)

            return prepared

        otherwise = None if choice.again else locally(OTHERWISE)
        sense = sense_of(mpec.model)
        run = TwoStage(sense, encoded.run, locally(local), local, choice.again, choice.local_first, otherwise)
        return replace(encoded, run=run, why=(*choice.reasons, *encoded.why))

    def _encoded(self, mpec: Reformulation, name: str, options: Options, known: ComponentMap | None = None) -> Reformulation:
        encoding = encoding_by_name(name)
        kind = UnitStarts if name == OTHERWISE and options.encoding is None else Starts
        starts = kind(mpec.problem, mpec.variables, options, mpec.multipliers, known)
        encoded = encoding.encode(mpec.model, options, starts.write)
        solver, why = _solver_for(encoding, features_of(mpec.model), options.solver)
        promise = encoded.exactness if solver.proves or encoded.exactness is not Exactness.EXACT else Exactness.STATIONARY
        return replace(
            mpec,
            encoding=encoding.name,
            solver=solver.name,
            exactness=weaker(mpec.exactness, promise),
            run=_Runner(solver, encoded.run),
            why=(f"chosen    {why}", *(f"bound     {note}" for note in encoded.notes)),
        )


def speaking_of(model: Any, run: Callable[[Options], SolverRun]) -> Callable[[Options], SolverRun]:
    """``run`` of a twin of ``model`` with the same names, its values on the variables of ``model``."""

    def carried(found: SolverRun) -> SolverRun:
        if found.values is None:
            return found
        by_name = {v.name: value for v, value in found.values.items()}
        mine = model.component_data_objects(pyo.Var)
        values = ComponentMap((v, by_name[v.name]) for v in mine if v.name in by_name)
        return replace(found, values=values, others=tuple(carried(each) for each in found.others))

    return lambda options: carried(run(options))


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


def _integers(agent: Agent) -> list[str]:
    return [v.name for v in agent.variables if not v.is_continuous() and not is_pinned(v)]


def _integer(agent: Agent, integers: list[str], problem: BilevelProblem) -> Diagnostic:
    names = ", ".join(f"`{n}`" for n in integers[:4])
    message = f"{agent.name} decides integer variables ({names})"
    help = "`--method value-function` takes integer followers. Or fix the variables, or relax their domain"
    return Diagnostic("E13", message, help, agent.span, problem.source)


def _accepted(problem: BilevelProblem) -> str:
    count = len(problem.agents)
    return f"{count} agent{'s' if count > 1 else ''} without integer decisions" if count else "no agents: an ordinary model"


def _traits(problem: BilevelProblem) -> list[Traits]:
    return [traits_of(agent) for agent in problem.agents]
