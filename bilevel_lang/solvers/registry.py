"""Which solvers there are, and which one a model gets.

Importing this module loads no solver library; each adapter does that when it runs.
"""

from __future__ import annotations

from difflib import get_close_matches

from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.solvers.features import describe, remedy, require, why_not
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.ipopt import Ipopt
from bilevel_lang.solvers.pyomo_factory import PyomoFactorySolver, pyomo_names
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import Feature, Solver

SOLVERS: tuple[Solver, ...] = (Highs(), Scip(), Ipopt())
"""The solvers with an adapter of their own, in the order in which :func:`pick` tries those that prove their answers."""


def by_name(name: str) -> Solver:
    """The solver called ``name``: one of :data:`SOLVERS`, or any other that Pyomo's SolverFactory knows.

    Raises UsageError for a name nobody knows.
    """
    for solver in SOLVERS:
        if solver.name == name:
            return solver
    others = pyomo_names()
    if name in others:
        return PyomoFactorySolver(name)
    known = [s.name for s in SOLVERS] + sorted(others)
    near = get_close_matches(name, known, n=1)
    hint = (
        f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(s.name for s in SOLVERS)}, or a solver that Pyomo knows"
    )
    raise UsageError(f"no solver is called '{name}'", help=hint)


def pick(features: frozenset[Feature], wanted: str | None = None) -> tuple[Solver, str]:
    """The solver for a model with ``features``, and why that one.

    ``wanted`` is taken or refused (RefusedError), never replaced. Without it: the first of :data:`SOLVERS` that takes the model
    and proves its answer; a local solver runs only when asked for. Whether the solver is installed is not looked at here (running
    it raises SolverMissingError), so that the answer never depends on what happens to be installed.
    """
    if wanted is not None:
        solver = by_name(wanted)
        require(solver, features)
        return solver, f"{solver.name}: asked for"
    passed: list[str] = []
    for solver in SOLVERS:
        reason = why_not(solver, features) if solver.proves else f"{solver.name} gives local optima only"
        if reason is None:
            return solver, f"{solver.name}: takes {describe(features)} and proves its optimum" + "".join(f"; {p}" for p in passed)
        passed.append(reason)
    raise RefusedError("no solver takes this model: " + "; ".join(passed), help=remedy(features))
