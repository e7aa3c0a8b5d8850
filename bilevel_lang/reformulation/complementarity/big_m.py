"""Big-M: one binary a pair chooses the side that is zero.

Formulation: ``left <= M_left z``, ``right <= M_right (1 - z)``, z binary.
Accepts: any MPEC in which every side has a bound that is derived here or given by the user. Produces: a MILP (MIQP, MINLP).
Exactness: exact where every M is derived (from variable bounds, bound propagation or an LP over the relaxation: all valid for
every feasible point); an approximation as soon as one M is only given, because a smaller multiplier than the true one cuts
solutions off without a trace.
Reference: Fortuny-Amat and McCarl 1981, J. Oper. Res. Soc. 32:783; Pineda and Morales 2019, IEEE Trans. Power Syst. 34:2469.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.contrib.fbbt.fbbt import fbbt

from bilevel_lang.errors import Diagnostic, RefusedError
from bilevel_lang.reformulation.complementarity.encoding import Encoded, run_once
from bilevel_lang.reformulation.complementarity.homotopy import Starter
from bilevel_lang.reformulation.complementarity.pairs import Pair, as_variable, take_pairs
from bilevel_lang.reformulation.given_bounds import BINDING, MEND, check_given_names, described, given_bound
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverRun, Termination

LARGEST = 1e7
"""A derived M above this is numerically worthless: a binary off by 1e-9 would let 1 % through."""


@dataclass(frozen=True, eq=False)
class Bound:
    """M of one side and where it comes from; ``proven`` False for a given one."""

    name: str
    variable: Any
    value: float
    proven: bool
    origin: str


@dataclass(frozen=True, eq=False)
class Stated:
    """What the rows of some pairs rest on: an M for every side."""

    bounds: tuple[Bound, ...]

    @property
    def exactness(self) -> Exactness:
        """Exact only if every M is proven."""
        return Exactness.EXACT if all(b.proven for b in self.bounds) else Exactness.APPROXIMATION

    @property
    def notes(self) -> tuple[str, ...]:
        """Every M with its origin."""
        return tuple(f"M of {b.name} = {b.value:g} ({b.origin})" for b in self.bounds)

    def doubted(self, run: SolverRun) -> SolverRun:
        """``run`` with what it says about the given bounds."""
        return replace(run, doubts=(*run.doubts, *_doubts([b for b in self.bounds if not b.proven], run)))


class BigM:
    """Pairs with a binary and two bounds."""

    name = "big-m"
    solver = "highs"

    def encode(self, model: Any, options: Options, starter: Starter) -> Encoded:
        """One binary ``encoding.side[name]`` for every pair; every M is listed in the notes with its origin."""
        block, pairs = take_pairs(model)
        check_given_names(options.big_m, [pair.name for pair in pairs])
        stated = self.state(model, block, pairs, options)
        once = run_once(model)
        return Encoded(stated.exactness, lambda solver, wanted: stated.doubted(once(solver, wanted)), stated.notes)

    def state(self, model: Any, block: Any, pairs: Sequence[Pair], options: Options) -> Stated:
        """The rows of ``pairs`` in ``block``. Raises RefusedError for sides without a bound."""
        sides = {}
        for pair in pairs:
            sides[pair.name] = (
                as_variable(block, f"{pair.name}.left", pair.left),
                as_variable(block, f"{pair.name}.right", pair.right),
            )
        labels = {
            f"{name}.{word}": side
            for name, both in sides.items()
            for word, side in zip(("slack", "multiplier"), both, strict=True)
        }
        bounds = _bounds(model, labels, options)
        block.side = pyo.Var(list(sides), domain=pyo.Binary)
        block.left = pyo.Constraint(list(sides), rule=lambda b, n: sides[n][0] <= bounds[f"{n}.slack"].value * b.side[n])
        block.right = pyo.Constraint(
            list(sides), rule=lambda b, n: sides[n][1] <= bounds[f"{n}.multiplier"].value * (1 - b.side[n])
        )
        return Stated(tuple(bounds.values()))


def _bounds(model: Any, sides: dict[str, Any], options: Options) -> dict[str, Bound]:
    """A bound for every side: its own, propagated, from an LP, or given; RefusedError names those that have none."""
    bounds: dict[str, Bound] = {}
    _collect(bounds, sides, "bound of the variable")
    if len(bounds) < len(sides):
        if _propagate(model):
            _collect(bounds, sides, "derived by bound propagation")
        else:
            _collect_anything(bounds, sides)
    if len(bounds) < len(sides):
        _collect_lp(bounds, sides, model)
    missing = {n: v for n, v in sides.items() if n not in bounds}
    given = {name: given_bound(options.big_m, name.rpartition(".")[0]) for name in missing}
    refused = [_no_bound(name) for name, value in given.items() if value is None]
    if refused:
        raise RefusedError(refused)
    bounds.update((n, Bound(n, missing[n], value, False, "given, not proven")) for n, value in given.items() if value is not None)
    return bounds


def _collect(bounds: dict[str, Bound], sides: dict[str, Any], origin: str) -> None:
    for name, variable in sides.items():
        if name not in bounds and variable.ub is not None and variable.ub <= LARGEST:
            bounds[name] = Bound(name, variable, float(variable.ub), True, origin)


def _collect_anything(bounds: dict[str, Bound], sides: dict[str, Any]) -> None:
    """The relaxation has no point at all, so every M is valid: the encoded model stays infeasible, and the solver proves it."""
    for name, variable in sides.items():
        bounds.setdefault(name, Bound(name, variable, 0.0, True, "any, since the relaxation is infeasible"))


def _propagate(model: Any) -> bool:
    """Feasibility-based bound tightening over all rows of the relaxation, in place: what it cuts off is infeasible anyway.

    False where it proves that there is no feasible point.
    """
    try:
        fbbt(model, deactivate_satisfied_constraints=False)
    except InfeasibleConstraintException:
        return False
    return True


def _collect_lp(bounds: dict[str, Bound], sides: dict[str, Any], model: Any) -> None:
    """Maximise each side over the linear rows, without complementarity and integrality (an outer approximation)."""
    relaxed, twins = _linear_relaxation(model, [v for n, v in sides.items() if n not in bounds])
    highs = by_name("highs")
    for name, variable in sides.items():
        if name in bounds:
            continue
        relaxed.objective.set_value(twins[variable])
        run = highs.run(relaxed, Options().for_solver())
        if run.termination is Termination.INFEASIBLE:
            _collect_anything(bounds, sides)
            return
        if run.termination is Termination.OPTIMAL and run.objective is not None and run.objective <= LARGEST:
            # A little room, so that the LP's own tolerance cannot cut anything off.
            value = max(0.0, run.objective) * (1 + 1e-6) + 1e-6
            bounds[name] = Bound(name, variable, value, True, "derived by an LP over the relaxation")


def _linear_relaxation(model: Any, wanted: list[Any]) -> tuple[Any, ComponentMap]:
    memo: dict[int, Any] = {}
    relaxed = model.clone(memo)
    twins = ComponentMap((v, memo[id(v)]) for v in wanted)
    for objective in list(relaxed.component_data_objects(pyo.Objective, active=True)):
        objective.deactivate()
    for row in list(relaxed.component_data_objects(pyo.Constraint, active=True)):
        if row.body.polynomial_degree() not in (0, 1):
            row.deactivate()
    for sets in relaxed.component_data_objects(pyo.SOSConstraint, active=True):
        sets.deactivate()
    for variable in relaxed.component_data_objects(pyo.Var):
        lower, upper = variable.lb, variable.ub
        variable.domain = pyo.Reals
        variable.setlb(lower)
        variable.setub(upper)
    relaxed.objective = pyo.Objective(expr=0.0, sense=pyo.maximize)
    return relaxed, twins


def _no_bound(name: str) -> Diagnostic:
    row, _, word = name.rpartition(".")
    what = f"the multiplier of `{row}`" if word == "multiplier" else f"the slack of `{row}`"
    help = (
        "use `--encoding sos1`, which needs no bound; or give one you can prove with `--big-m M`; or bound the variables involved"
    )
    return Diagnostic("R1", f"no bound could be derived for {what}: `big-m` would be a guess", help)


def _doubts(given: list[Bound], run: SolverRun) -> tuple[str, ...]:
    """What a run says about the given bounds."""
    if not given:
        return ()
    what = described([b.value for b in given])
    if run.values is None:
        said = f"no solution has all its slacks and multipliers within the given {what}"
        return (f"{said}: {MEND}",) if run.termination is Termination.INFEASIBLE else ()
    reasons = [f"{what} was given, not proven: optimality holds only if no slack and no multiplier exceeds it"]
    reached = [b for b in given if run.values.get(b.variable, 0.0) >= BINDING * b.value]
    reasons += [f"not trusted: {b.name} reaches the given M = {b.value:g}; {MEND}" for b in reached]
    return tuple(reasons)
