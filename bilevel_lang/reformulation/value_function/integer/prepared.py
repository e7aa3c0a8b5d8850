"""What a search is given, and what every search does with its answer at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.follower import Follower
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination


@dataclass(slots=True)
class Incumbent:
    """The best solution (columns of ``Extended.program``) that any search has found; ``objective`` is that of a minimisation."""

    extended: Extended
    point: Floats | None = None
    objective: float = math.inf

    def offer(self, z: Floats) -> None:
        """Keep ``z`` where it is better."""
        program = self.extended.program
        objective = float(program.sense * program.objective_at(z))
        if objective < self.objective:
            self.point, self.objective = z.copy(), objective


@dataclass(frozen=True, slots=True)
class Prepared:
    """The program with columns for activities and value, its oracle, where lines go, what is left of the time, the best point."""

    extended: Extended
    follower: Follower
    progress: Progress
    options: SolverOptions
    incumbent: Incumbent = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "incumbent", Incumbent(self.extended))


def with_best(run: MatrixRun, extended: Extended, best: Floats | None) -> MatrixRun:
    """``run`` with ``best`` where that is better: the solver may have refused a point at the edge of its tolerance."""
    if best is None:
        return run
    program, sense = extended.program, extended.program.sense
    z = best.copy()
    z[program.integer] = np.rint(z[program.integer])
    objective = program.objective_at(z)
    if run.objective is not None and sense * run.objective < sense * objective - 1e-9 * max(1.0, abs(objective)):
        return run
    termination = Termination.OPTIMAL if run.termination is Termination.INFEASIBLE else run.termination
    bound = run.bound
    if bound is None and termination is Termination.OPTIMAL:
        bound = objective
    elif bound is not None:
        # The solver's bound is that of what is left, where it has refused the point.
        bound = sense * min(sense * bound, sense * objective)
    if bound is not None and not math.isfinite(bound):
        bound = None
    return replace(run, termination=termination, x=z, objective=objective, bound=bound)
