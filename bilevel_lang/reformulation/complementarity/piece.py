"""One piece of an MPEC: every pair decided, so that what is left is an ordinary program.

A branch-and-bound stops within its tolerances, and where the objective is flat these are wide in the variables: 1e-7 in
``(x - 3)**2`` is 3e-4 in x. Solved once more on its own piece by Ipopt, the same answer has the digits that a user expects.
Where a follower is flat, tolerances may have given the leader what no follower answers; then the sharper point shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import ModelFileError, RefusedError
from bilevel_lang.reformulation.complementarity.sharpening import VIOLATED, may_be_flat, sharpened
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.features import features_of
from bilevel_lang.solvers.ipopt import NlpResult, compile_nlp
from bilevel_lang.solvers.program_reading import sense_of
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import Feature, SolverRun, Termination, load_values

Sides = Sequence[tuple[Any, Any]]

CURVED = frozenset({Feature.QUADRATIC_OBJECTIVE, Feature.NONCONVEX_OBJECTIVE, Feature.QUADRATIC_ROWS, Feature.NONLINEAR})

CLEAN = 1e-8
"""Largest violation of a polished point, relative to max(1, |side|)."""

SAME = 1e-8
"""How much worse the polished objective may be, relative to max(1, |objective|): more would open the gap to the bound."""

ZERO = 1e-6
"""A side up to this counts as zero: where both are, both stay, and a multiplier that the search left at 0 does too."""

NEAR = 0.1
"""How far a variable may move, relative to max(1, |value|)."""

UNEARNED = 1e-5
"""What a search may have gained by its tolerances, relative to max(1, |objective|), before its own point is given up."""

SECONDS = 5.0
"""What polishing may take."""


@contextmanager
def pinned(sides: Sides, zero: float = 0.0) -> Iterator[None]:
    """Within, the smaller side of every pair (by present values) has the upper bound 0, and so has any side up to ``zero``."""
    smaller = [left if _worth(left) <= _worth(right) else right for left, right in sides]
    smaller += [side for pair in sides for side in pair if _worth(side) <= zero]
    # A bound, not `fix`: Ipopt counts a pinned variable among its degrees of freedom where it would otherwise have too few.
    with held_bounds((v, v.lb, 0.0) for v in smaller if not v.fixed and v.lb == 0):
        yield


@contextmanager
def _near(values: ComponentMap) -> Iterator[None]:
    """Within, no variable can go far: multipliers that are not unique would run away along their ray."""
    with held_bounds((v, *_box(v, value)) for v, value in values.items() if not v.fixed and v.is_continuous()):
        yield


def _box(variable: Any, value: float) -> tuple[float, float]:
    reach = NEAR * max(1.0, abs(value))
    lower = value - reach if variable.lb is None else max(variable.lb, value - reach)
    upper = value + reach if variable.ub is None else min(variable.ub, value + reach)
    return lower, max(lower, upper)


@contextmanager
def held_bounds(wanted: Iterable[tuple[Any, float | None, float | None]]) -> Iterator[None]:
    """Within, each variable has the lower and upper bound that comes with it; a later entry for it overrides an earlier one."""
    before: list[tuple[Any, float | None, float | None]] = []
    try:
        for variable, lower, upper in list(wanted):
            before.append((variable, variable.lb, variable.ub))
            variable.setlb(lower)
            variable.setub(upper)
        yield
    finally:
        for variable, lower, upper in reversed(before):
            variable.setlb(lower)
            variable.setub(upper)


def _worth(variable: Any) -> float:
    return float(variable.value if variable.value is not None else 0.0)


def polished(model: Any, sides: Sides, run: SolverRun, options: Options) -> SolverRun:
    """``run`` with its point solved again on its piece, where that helps; the bound and the claim are those of ``run``.

    Taken only if the new point is feasible to ``CLEAN`` and no worse than ``SAME``, or sharp and worse by so much that the search
    owed the rest to its tolerances: then the gap to its bound is told. Linear models need none; without Ipopt, and
    where Ipopt cannot take the model, the point stays as it is.
    """
    if run.termination not in (Termination.OPTIMAL, Termination.LIMIT) or run.values is None or run.objective is None:
        return run
    if by_name("ipopt").missing() is not None or not features_of(model) & CURVED:
        return run
    flat = may_be_flat(model)
    if run.termination is Termination.LIMIT and not flat:
        return (
            run  # nobody takes the last digits of an unproven point for more than they are; what is not there is another matter
        )
    load_values(run.values)
    zeros = [(v, 0.0, 0.0) for v in _zero_members(model, run.values)]
    with _continuous(model, run.values), _near(run.values), held_bounds(zeros), pinned(sides, ZERO):
        try:
            nlp = compile_nlp(model)
        except (RefusedError, ModelFileError):
            return run  # functions that Ipopt lacks: the answer is as good as before
        seconds = SECONDS if options.time_limit is None else min(SECONDS, options.time_limit)
        again = replace(options, solver_options={"max_iter": 200}).for_solver(seconds)
        result = nlp.solve(options=again)
        result = sharpened(nlp, result, options) if flat else result
    worse = sense_of(model) * (result.objective - run.objective) / max(1.0, abs(run.objective))
    if not result.solved or result.violation > CLEAN or (worse > SAME and not (flat and _unearned(result, worse))):
        return run
    values = ComponentMap(run.values.items())
    values.update(zip(nlp.variables, map(float, result.x), strict=True))
    doubts = run.doubts
    if worse > SAME and run.termination is Termination.OPTIMAL:
        doubts += (
            f"{run.solver} called {run.objective:.8g} optimal, which its tolerances alone allow: a follower's optimum is flat",
        )
    return replace(run, values=values, objective=result.objective, doubts=doubts, seconds=run.seconds + result.seconds)


def _unearned(result: NlpResult, worse: float) -> bool:
    """Whether the search's point is better by its tolerances alone."""
    return result.violation <= VIOLATED and worse > UNEARNED


def _zero_members(model: Any, values: ComponentMap) -> Iterator[Any]:
    """The variables that SOS sets hold at 0: all members of a set but the largest one (SOS1) or two (SOS2)."""
    for sets in model.component_data_objects(pyo.SOSConstraint, active=True):
        members = [variable for variable, _ in sets.get_items() if not variable.fixed]
        by_size = sorted(members, key=lambda v: abs(values.get(v, 0.0)), reverse=True)
        yield from (v for v in by_size[sets.level :] if v.is_continuous())


@contextmanager
def _continuous(model: Any, values: ComponentMap) -> Iterator[None]:
    """Within, SOS sets are off and integers are fixed where they are."""
    sets = list(model.component_data_objects(pyo.SOSConstraint, active=True))
    integers = [v for v in values if not v.fixed and not v.is_continuous()]
    try:
        for each in sets:
            each.deactivate()
        for variable in integers:
            variable.fix(round(values[variable]))
        yield
    finally:
        for each in sets:
            each.activate()
        for variable in integers:
            variable.unfix()
