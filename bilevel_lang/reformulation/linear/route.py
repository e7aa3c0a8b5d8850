"""The arrays route of the KKT rewrite: from a problem to something that runs, without a clone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.traits import traits_of
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.complementarity.registry import ENCODINGS
from bilevel_lang.reformulation.encoding_choice import Choice
from bilevel_lang.reformulation.linear.answer import solver_run
from bilevel_lang.reformulation.linear.choice import choose_linear_encoding
from bilevel_lang.reformulation.linear.encoding import EncodedArrays, LinearEncoding
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.objective_products import without_products
from bilevel_lang.reformulation.linear.reading import NotLinear, read_mpec
from bilevel_lang.reformulation.linear.registry import linear_encoding
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.promises import warnings_of, weaker
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.reformulation.two_stage import Prepare, TwoStage, budget_for
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.features import why_not
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import Feature, SolverRun

_REPLACED = "replaced  the products in the leader's objective: strong duality of the agents gives them without products"


def arrays_route(problem: BilevelProblem, options: Options, local: Callable[[str], Prepare]) -> Reformulation | NotLinear:
    """The reformulation of a linear problem on arrays, or why this route does not take it.

    ``local(encoding)`` prepares the local search that a plan of several searches falls back on. Raises RefusedError where the
    encoding asked for cannot be had.
    """
    if not problem.agents and next(conditions(problem.model), None) is None:
        return NotLinear("there are neither agents nor complementarities")
    mpec = read_mpec(problem)
    if isinstance(mpec, NotLinear):
        return mpec
    simpler = without_products(mpec)
    choice = choose_linear_encoding(simpler or mpec, options)
    if isinstance(choice, str):
        return NotLinear(choice)
    found = _reformulation(simpler or mpec, choice, options, local)
    return found if simpler is None else replace(found, why=(*found.why, _REPLACED))


def refuse_components(encoding: str, solver: str | None, reason: str) -> None:
    """RefusedError if ``encoding`` exists on arrays only: it is not for ``solver``, or for ``reason`` not for the problem."""
    found = linear_encoding(encoding)
    if found is None or encoding in {e.name for e in ENCODINGS}:
        return
    if solver is not None and solver not in found.solvers:
        said = f"`{encoding}` goes to {' or '.join(found.solvers)}, not to {solver}"
        raise RefusedError(said, "leave --solver out, or choose another encoding")
    said = f"`{encoding}` takes problems whose rows and optimality conditions are linear, and {reason}"
    raise RefusedError(said, "use `--encoding sos1`, or leave the choice to the engine")


def _reformulation(mpec: LinearMpec, choice: Choice, options: Options, local: Callable[[str], Prepare]) -> Reformulation:
    encoding = linear_encoding(choice.encoding)
    assert encoding is not None
    solver = options.solver or _own_solver(encoding, mpec)
    encoded = encoding.encode(mpec, solver, options)
    run = _Run(mpec, encoded)
    promise = Exactness.EXACT if all(a.convex for a in mpec.agents) else Exactness.RELAXATION
    plan: Callable[[Options], SolverRun] = run
    if choice.local is not None:
        plan = TwoStage(
            float(mpec.program.sense),
            run,
            local(choice.local),
            choice.local,
            choice.again,
            choice.local_first,
            budget=budget_for(mpec.program.columns),
        )
    meant = "asked for" if options.solver else f"the solver that `{encoding.name}` is meant for"
    return Reformulation(
        problem=mpec.problem,
        model=None,
        method="kkt",
        encoding=encoding.name,
        solver=solver,
        exactness=weaker(promise, encoded.exactness),
        variables=ComponentMap((v, v) for v in mpec.variables),
        multipliers=(),
        run=plan,
        why=(
            f"chosen    arrays: {_classes(mpec)}",
            *choice.reasons,
            f"chosen    {solver}: {meant}",
            *(f"bound     {note}" for note in encoded.notes),
        ),
        warnings=_warnings(mpec),
    )


def _own_solver(encoding: LinearEncoding, mpec: LinearMpec) -> str:
    """The encoding's own solver; of several the first that takes the leader's objective together with binaries."""
    wanted = mpec.program.features() | {Feature.INTEGER} if len(encoding.solvers) > 1 else frozenset[Feature]()
    return next((name for name in encoding.solvers if why_not(by_name(name), wanted) is None), encoding.solvers[0])


class _Run:
    """One search on arrays, in terms of the modeller's variables."""

    def __init__(self, mpec: LinearMpec, encoded: EncodedArrays) -> None:
        self.mpec = mpec
        self.encoded = encoded

    def __call__(self, options: Options) -> SolverRun:
        given = options.solver_options.get("start")
        plain = {key: value for key, value in options.solver_options.items() if key != "start"}
        start = self._start(given) if given is not None else None
        return solver_run(self.mpec, self.encoded.run(replace(options, solver_options=plain), start))

    def _start(self, values: ComponentMap) -> Floats:
        """The modeller's variables as columns; what the conditions have added is unknown."""
        start = np.full(self.mpec.program.columns, np.nan)
        start[: len(self.mpec.variables)] = [values.get(v, np.nan) for v in self.mpec.variables]
        return start


def _classes(mpec: LinearMpec) -> str:
    """``2 agents: LP, convex QP``."""
    if not mpec.agents:
        return f"{len(mpec.left)} pairs of the model's own"
    found = {"VI" if not a.optimises else "LP" if not a.quadratic else "convex QP" if a.convex else "QP" for a in mpec.agents}
    count = len(mpec.agents)
    return f"{count} agent{'s' if count > 1 else ''}: {', '.join(sorted(found))}"


def _warnings(mpec: LinearMpec) -> tuple[str, ...]:
    """Only agents that are not convex need words; only theirs is worth the time to find them."""
    doubtful = [agent for agent, system in zip(mpec.problem.agents, mpec.agents, strict=True) if not system.convex]
    return tuple(warnings_of(doubtful, [traits_of(agent) for agent in doubtful]))
