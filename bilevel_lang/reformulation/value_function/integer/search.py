"""A mixed-integer linear bilevel program from its arrays to an answer with a proof."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.extended import Extended, extend
from bilevel_lang.reformulation.value_function.integer.follower import Follower, OutOfTimeError
from bilevel_lang.reformulation.value_function.integer.listing import NAME, listed, small_boxes
from bilevel_lang.reformulation.value_function.integer.one_tree import in_one_tree
from bilevel_lang.reformulation.value_function.integer.outer_loop import outer_loop
from bilevel_lang.reformulation.value_function.integer.pessimistic import PessimisticFollower, ties_matter
from bilevel_lang.reformulation.value_function.integer.prepared import Prepared, with_best
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.reformulation.value_function.integer.tightening import propagated
from bilevel_lang.reformulation.value_function.integer.turns import IN_TURNS, in_turns
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import warm_relaxation

UNBOUNDED = "the relaxation without the follower's optimality is unbounded, and nothing is known of the problem itself"


TREE_ITERATIONS = 400
"""Simplex iterations for bounds where only the tree is used: it has no big-M, and the bounds took a fifth of whole searches."""

Engine = Callable[[Prepared], MatrixRun]

ENGINES: dict[str, Engine] = {"scip": in_one_tree, "highs": outer_loop}
"""By the solver's name, as the user asks for them; the first is the default."""

_ALL = {**ENGINES, IN_TURNS: in_turns}


def find_optimum(source: BilevelProgram, solver: str, options: Options) -> MatrixRun:
    """The best point of ``source`` (its columns only), by the engine of ``solver``, in the position of ``options``.

    ``solver`` may also be what only :mod:`.choice` chooses: the list of :mod:`.listing`, or both engines in turns.

    Raises SolverMissingError, SolverFailedError. ``source`` has whole linking columns with fractions as coefficients.
    """
    started = time.perf_counter()
    boxes = small_boxes(source) if solver == NAME else None
    if boxes is not None:
        return replace(listed(source, boxes), seconds=time.perf_counter() - started)
    deadline = None if options.time_limit is None else started + options.time_limit
    extended = extend(source, TREE_ITERATIONS) if solver == "scip" else extend(source)
    plain = SolverOptions(seed=options.seed)
    oracle = PessimisticFollower if options.position == "pessimistic" and ties_matter(source) else Follower
    follower: Follower = oracle(extended, plain, deadline)
    try:
        run = _settled(extended, follower, solver)
        if run is None:
            extended = narrowed(extended, follower)
            run = _without_bound(extended, solver)
    except OutOfTimeError:
        run = MatrixRun(Termination.LIMIT, solver, message="the time was spent before the search began")
    if run is None:
        left = None if deadline is None else max(0.01, deadline - time.perf_counter())
        follower = oracle(extended, plain, deadline)
        run = _ALL[solver](
            Prepared(extended, follower, Progress(options.verbose), replace(options.for_solver(left), verbose=False))
        )
        run = with_best(run, extended, follower.late)
    x = None if run.x is None else run.x[: extended.n]
    return replace(run, x=x, seconds=time.perf_counter() - started)


def _settled(extended: Extended, follower: Follower, solver: str) -> MatrixRun | None:
    """What is known without a search."""
    if extended.infeasible:
        return MatrixRun(Termination.INFEASIBLE, solver, message="no point satisfies the rows of leader and follower")
    if follower.is_unbounded():
        said = "the follower has no best answer to any decision of the leader: its objective is unbounded"
        return MatrixRun(Termination.INFEASIBLE, solver, message=said)
    return None


def narrowed(extended: Extended, follower: Follower) -> Extended:
    """With the value bounded by the best answer that is feasible whatever the leader does, if there is one."""
    program = extended.program
    _, sigma_up = extended.rows.sigma_range(program.lower[extended.activity_columns], program.upper[extended.activity_columns])
    found = follower.lasting(sigma_up)
    if found is None or found.value >= program.upper[extended.value]:
        return extended
    upper = program.upper.copy()
    upper[extended.value] = found.value if extended.value_whole else found.value + 1e-7 * max(1.0, abs(found.value))
    tighter, infeasible = propagated(replace(program, upper=upper))
    return replace(extended, program=tighter, infeasible=infeasible)


def _without_bound(extended: Extended, solver: str) -> MatrixRun | None:
    """Where even the relaxation has no optimum, a search over it would not end."""
    if extended.infeasible:
        return MatrixRun(Termination.INFEASIBLE, solver, message="no best answer of the follower fits the rows")
    program = extended.program
    used = np.flatnonzero(program.cost)
    found = warm_relaxation(program, 1_000_000).largest(used, -program.sense * program.cost[used])
    if found.termination is Termination.UNBOUNDED:
        return MatrixRun(Termination.INFEASIBLE_OR_UNBOUNDED, solver, message=f"{UNBOUNDED}: give the leader's variables bounds")
    return None
