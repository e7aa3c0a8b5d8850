"""A check on a solver's claim of optimality over SOS1 sets: is there really nothing better?

SCIP 10.0.2 has been seen to call a bounded point of an *unbounded* problem optimal when SOS1 sets meet a relaxation without a
bound (branching on the sets then meets nodes whose LP is unbounded). Where the relaxation is bounded, by the variables' own
bounds or by an LP without the sets, its claim stands. Otherwise the claim is put to the test by another question, which has no
objective and so no unbounded nodes: is there a point that is clearly better? It has called unbounded problems infeasible too, and
that is asked again without the objective.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.oracle.shapes import shape_of
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.features import features_of, why_not
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.scip import CURVED, CURVED_FEASIBILITY_TOLERANCE, FEASIBILITY_TOLERANCE
from bilevel_lang.solvers.solver import Solver, SolverOptions, SolverRun, Termination

BETTER = 1e-4
"""What counts as clearly better: by this much, relative to max(1, |objective|)."""

HUGE = 1e15
"""An objective beyond it has no correct digit after the point: it is a ray seen from far away."""

CALLED_INFEASIBLE = "called the problem infeasible, and a point exists: it is probably unbounded"

UNCONFIRMED = "called the problem infeasible, but nothing bounds the relaxation and the claim could not be confirmed"

LIMIT = 10.0
"""Seconds for the second question where the user set no limit."""


def run_with_second_opinion(model: Any, block: Any, solver: Solver, options: Options) -> SolverRun:
    """Solve ``model``; a claim of optimality that nothing bounds is tested, and withdrawn where it fails or cannot be tested.

    A claim over sides so large that SCIP's tolerance is no tolerance any more is withdrawn too, with a doubt.
    """
    return _within_reach(model, _solved(model, block, solver, options))


def _within_reach(model: Any, run: SolverRun) -> SolverRun:
    """``run``, without its claim where SCIP's tolerance times the largest member of a set is 1 or more; as it is for arrays."""
    if run.termination is not Termination.OPTIMAL or run.values is None or not run.solver.startswith("SCIP"):
        return run
    sets = model.component_data_objects(pyo.SOSConstraint, active=True)
    largest = max((run.values.get(v, 0.0) for each in sets for v in each.variables), default=0.0)
    limit = 1 / (CURVED_FEASIBILITY_TOLERANCE if features_of(model) & CURVED else FEASIBILITY_TOLERANCE)
    if largest < limit:
        return run
    said = f"not trusted: a slack or multiplier of {largest:.3g} is beyond what {run.solver} resolves ({limit:.0e})"
    return replace(run, termination=Termination.LOCALLY_OPTIMAL, bound=None, doubts=(*run.doubts, f"{said}; rescale the model"))


def _solved(model: Any, block: Any, solver: Solver, options: Options) -> SolverRun:
    run = solver.run(model, options.for_solver())
    objective = next(model.component_data_objects(pyo.Objective, active=True), None)
    if run.termination is Termination.INFEASIBLE_OR_UNBOUNDED and objective is not None:
        return _told_apart(model, objective, run, solver, options)
    if run.termination is Termination.INFEASIBLE and objective is not None and not _needs_no_test(model, objective, options):
        return _confirmed(model, objective, run, solver, options)
    if run.termination is not Termination.OPTIMAL or run.objective is None or objective is None:
        return run
    if abs(run.objective) >= HUGE:
        said = f"{run.solver} stopped at the objective {run.objective:.3g}: the problem is probably unbounded"
        return replace(run, termination=Termination.FAILED, values=None, objective=None, bound=None, message=said)
    if _needs_no_test(model, objective, options):
        return run
    return _tested(model, block, objective, run, solver, options)


def _told_apart(model: Any, objective: Any, run: SolverRun, solver: Solver, options: Options) -> SolverRun:
    """Infeasible or unbounded? Without the objective only one of the two is left."""
    second = _without_objective(model, objective, run, solver, options)
    seconds = run.seconds + second.seconds
    if second.termination is Termination.INFEASIBLE:
        return replace(run, termination=Termination.INFEASIBLE, seconds=seconds)
    return replace(run, termination=Termination.UNBOUNDED if second.has_solution else run.termination, seconds=seconds)


def _confirmed(model: Any, objective: Any, run: SolverRun, solver: Solver, options: Options) -> SolverRun:
    """Whether there is no point without the objective either."""
    second = _without_objective(model, objective, run, solver, options)
    seconds = run.seconds + second.seconds
    if second.termination is Termination.INFEASIBLE:
        return replace(run, seconds=seconds)
    if second.has_solution:
        return replace(run, termination=Termination.FAILED, seconds=seconds, message=f"{run.solver} {CALLED_INFEASIBLE}")
    return replace(run, termination=second.termination, seconds=seconds, message=f"{run.solver} {UNCONFIRMED}")


def _without_objective(model: Any, objective: Any, run: SolverRun, solver: Solver, options: Options) -> SolverRun:
    objective.deactivate()
    try:
        return solver.run(model, options.for_solver(_time_left(run, options)))
    finally:
        objective.activate()


def _time_left(run: SolverRun, options: Options) -> float:
    return LIMIT if options.time_limit is None else max(0.1, options.time_limit - run.seconds)


def _needs_no_test(model: Any, objective: Any, options: Options) -> bool:
    """Whether the relaxation is bounded for sure."""
    return _bounded_by_variables(objective) or _bounded_without_sets(model, options)


def _bounded_by_variables(objective: Any) -> bool:
    """Whether interval arithmetic over the variables' bounds bounds the objective on its good side."""
    shape = shape_of(objective.expr, ComponentSet())
    return math.isfinite(shape.lower if objective.sense == pyo.minimize else shape.upper)


def _bounded_without_sets(model: Any, options: Options) -> bool:
    """Whether the LP without SOS1 sets and integrality has a finite optimum, or no point; False where it is no LP or QP."""
    highs = by_name("highs")
    with _without_sets(model):
        if why_not(highs, features_of(model)) is not None:
            return False
        limit = LIMIT if options.time_limit is None else min(LIMIT, options.time_limit)
        run = highs.run(model, SolverOptions(time_limit=limit, extra={"solve_relaxation": True}))
    return run.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)


@contextmanager
def _without_sets(model: Any) -> Iterator[None]:
    sets = list(model.component_data_objects(pyo.SOSConstraint, active=True))
    for each in sets:
        each.deactivate()
    try:
        yield
    finally:
        for each in sets:
            each.activate()


def _tested(model: Any, block: Any, objective: Any, run: SolverRun, solver: Solver, options: Options) -> SolverRun:
    assert run.objective is not None
    step = BETTER * max(1.0, abs(run.objective))
    if objective.sense == pyo.minimize:
        block.better = pyo.Constraint(expr=objective.expr <= run.objective - step)
    else:
        block.better = pyo.Constraint(expr=objective.expr >= run.objective + step)
    objective.deactivate()
    try:
        second = solver.run(model, replace(options, solver_options={}).for_solver(_time_left(run, options)))
    except SolverFailedError as error:
        second = SolverRun(Termination.FAILED, run.solver, message=error.diagnostics[0].message)
    finally:
        objective.activate()
        block.del_component(block.better)
    seconds = run.seconds + second.seconds
    if second.termination is Termination.INFEASIBLE:
        return replace(run, seconds=seconds)
    if second.has_solution:
        claim = f"{run.solver} called {run.objective:.8g} optimal"
        said = f"{claim}, and a clearly better point exists: the problem is probably unbounded"
        return replace(
            run, termination=Termination.FAILED, values=None, objective=None, bound=None, seconds=seconds, message=said
        )
    said = f"{run.solver} calls this optimal, but nothing bounds the relaxation and the claim could not be confirmed"
    return replace(run, termination=Termination.LOCALLY_OPTIMAL, bound=None, seconds=seconds, message=said)
