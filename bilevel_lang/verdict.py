"""What can be promised of an answer: from the rewrite's promise, the run, the bound and the certificate to its exactness and its
one status."""

from __future__ import annotations

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.oracle.magnitude import magnitude
from bilevel_lang.problem import BilevelProblem, Structure
from bilevel_lang.solution import Certificate, Exactness, Point, Status
from bilevel_lang.solvers.solver import SolverRun, Termination
from bilevel_lang.verification import complete_values

NOTHING_LOST = (Exactness.EXACT, Exactness.RELAXATION)
"""Rewrites that keep every solution of the problem: what is proven about them holds for it."""


CLOSED = 1e-6
"""A proven bound this near (relative) is reached: ten times the feasibility tolerance that SCIP has for curved models."""


CLOSED_ABSOLUTE = 1e-7
"""The same for objectives near 0: that tolerance itself."""


MEASURED = 1e-4
"""Relative gap up to which a run that claims an optimum is believed to have one, where no gap was asked for: what its tolerances
on rows may do to an objective that is computed anew. The answer has the figure."""


CONTRADICTION = 1e-5
"""A point better than the bound by more than this (relative to max(1, |objective|)) says that the bound is wrong."""


WITHOUT_POINT = {
    Termination.INFEASIBLE: Status.INFEASIBLE,
    Termination.UNBOUNDED: Status.UNBOUNDED,
    Termination.LIMIT: Status.LIMIT,
    Termination.INTERRUPTED: Status.INTERRUPTED,
    Termination.FAILED: Status.ERROR,
}


def exactness_of(
    problem: BilevelProblem,
    promised: Exactness,
    run: SolverRun,
    certificate: Certificate | None,
    point: Point | None,
    objective: float | None,
    bound: float | None,
    asked: float,
) -> Exactness:
    """What can be promised now that the answer is known.

    A relaxation keeps every solution of the problem, so that its optimum, if it passes verification, is the problem's. So is any
    verified point that reaches a proven bound, wherever it comes from. Without a leader every verified point is a full answer.
    """
    verified = certificate is not None and certificate.verified
    if problem.structure is Structure.EQUILIBRIUM and verified:
        return Exactness.EXACT
    if verified and (promised in NOTHING_LOST or run.bound_holds) and _reached(problem, point, objective, bound):
        sharp = run.termination is Termination.OPTIMAL and not run.epsilon
        return Exactness.EXACT if sharp else Exactness.EPSILON
    if run.termination is Termination.LOCALLY_OPTIMAL and promised is not Exactness.APPROXIMATION:
        return Exactness.STATIONARY
    if run.termination is Termination.OPTIMAL and verified and promised in NOTHING_LOST and problem.leader.objective is not None:
        # Proven, but only to the gap that was asked for. A wider one, as it is measured here, is no proof whatever the run says.
        gap = relative_gap(objective, bound)
        near = gap is not None and (gap <= max(asked, MEASURED) or bool(run.epsilon))
        return Exactness.EPSILON if near else Exactness.STATIONARY
    if promised is Exactness.RELAXATION and verified:
        return Exactness.EPSILON if run.epsilon and run.termination is Termination.OPTIMAL else Exactness.EXACT
    return promised


def _reached(problem: BilevelProblem, point: Point | None, objective: float | None, bound: float | None) -> bool:
    """Whether a proven bound leaves nothing to gain, up to what solvers call equal. Tiny objectives: tiny measure."""
    if objective is None or bound is None or point is None or problem.leader.objective is None:
        return False
    if abs(objective - bound) <= CLOSED * abs(objective):
        return True
    expression = problem.leader.objective.expr
    variables = list(identify_variables(expression, include_fixed=False))
    size = magnitude(expression, variables, complete_values(problem, point)).total
    return abs(objective - bound) <= CLOSED_ABSOLUTE * min(1.0, size)


def is_contradicted(problem: BilevelProblem, objective: float | None, bound: float | None) -> bool:
    """Whether the point is better than a bound that was called proven: then one of the two is a victim of rounding."""
    if objective is None or bound is None or problem.leader.objective is None:
        return False
    better = bound - objective if problem.leader.objective.sense == pyo.minimize else objective - bound
    return bool(better > CONTRADICTION * max(1.0, abs(objective)))


def status_of(
    problem: BilevelProblem,
    promised: Exactness,
    run: SolverRun,
    certificate: Certificate | None,
    exactness: Exactness,
    contradicted: bool,
) -> Status:
    """The one status of an answer that can be promised with ``exactness``; ``contradicted``: its bound is not to be believed."""
    if certificate is None or run.termination is Termination.UNBOUNDED:
        return _status_without_point(Exactness.RELAXATION if run.bound_holds else promised, run)
    if run.termination is Termination.INTERRUPTED:
        return Status.INTERRUPTED
    if not certificate.verified:
        return Status.VERIFICATION_FAILED
    if problem.structure is Structure.EQUILIBRIUM:
        return Status.OPTIMAL
    ended = run.termination in (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL)
    promises = exactness is Exactness.EPSILON or (exactness is Exactness.EXACT and ended)
    if promises and not contradicted:
        return Status.OPTIMAL
    if run.termination is Termination.LIMIT:
        return Status.LIMIT
    return Status.ERROR if run.termination is Termination.FAILED else Status.FEASIBLE


def _status_without_point(promised: Exactness, run: SolverRun) -> Status:
    """A proof of infeasibility carries over only if no solution of the original problem was lost in the rewrite.

    Unboundedness carries over only if nothing was added either.
    """
    status = WITHOUT_POINT.get(run.termination, Status.UNKNOWN)
    if status is Status.INFEASIBLE and promised not in NOTHING_LOST:
        return Status.UNKNOWN
    if status is Status.UNBOUNDED and promised is not Exactness.EXACT:
        return Status.UNKNOWN
    return status


def relative_gap(objective: float | None, bound: float | None) -> float | None:
    """Between an objective and its bound, relative to max(1, |objective|); None where one of them is missing."""
    if objective is None or bound is None:
        return None
    return abs(objective - bound) / max(1.0, abs(objective))
