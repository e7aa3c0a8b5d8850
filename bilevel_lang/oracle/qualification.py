"""A constraint qualification for convex agents with nonlinear rows: a Slater point for every decision of the others.

Without one an optimum need not be a KKT point, and rewriting the agent by its KKT conditions may lose the best answer. Slater's
condition asks for a point that satisfies the linear rows, and the nonlinear ones strictly. Two proofs are tried, one after the
other, each for all values of the others' variables within their bounds:

* *a way out*: an own variable that enters nonlinear rows linearly, can grow (or fall) without limit, and hurts no row: from any
  feasible point it leads to a strictly feasible one (``t`` in ``norm(y) <= t``);
* *a fixed point*: found by an NLP solver for some values of the others, then checked by interval arithmetic (or at the corners of
  the box, where a row is convex in the others' variables) for all of them. The check does not trust the solver.

Reference: Bazaraa, Sherali and Shetty, Nonlinear Programming (2006), section 5.2; Boyd and Vandenberghe, section 5.2.3 (the
refined condition, with linear rows that need not be strict).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.visitor import identify_variables, replace_expressions
from pyomo.repn import generate_standard_repn

from bilevel_lang.errors import RefusedError, SolverFailedError
from bilevel_lang.oracle.value_range import defined_everywhere, value_range
from bilevel_lang.problem import Row
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions

MARGIN = 1e-6
"""How far inside a nonlinear row, and every inequality, the fixed point has to be, relative to max(1, |side|)."""

EXACT = 1e-12
"""How well it has to satisfy equalities (relative to the terms), so that the margin is worth its name."""

SCENARIOS = 9
"""Values of the others for which the fixed point is sought."""

LARGEST = 500
"""Rows among which a fixed point is sought: beyond that the search is not worth its time."""


@dataclass(frozen=True, eq=False)
class _Reading:
    """A row with its coefficients of the owned variables that enter linearly, and the owned variables that enter otherwise."""

    row: Row
    linear: dict[int, float]
    curved: frozenset[int]
    nonlinear: bool

    @property
    def own(self) -> set[int]:
        return set(self.linear) | self.curved

    def loosens(self, variable: int, direction: int) -> bool:
        """Whether moving the variable cannot hurt the row; it does no harm where it is absent."""
        if variable in self.curved:
            return False
        change = self.linear.get(variable, 0.0) * direction
        return change == 0 or (self.row.lower is None and change < 0) or (self.row.upper is None and change > 0)


def qualification(rows: tuple[Row, ...], nonlinear: list[Row], owned: ComponentSet) -> str | None:
    """Evidence of a Slater point for every value of the others, in words; None where neither proof goes through.

    ``rows`` are all rows of an agent, each describing a convex set in ``owned``; ``nonlinear`` those not linear in them.
    """
    curved = {id(row) for row in nonlinear}
    readings = [_read(row, owned, id(row) in curved) for row in rows]
    if any(r is None for r in readings):
        return None
    known = [r for r in readings if r is not None and r.own]
    ways = [(v, d) for v in owned for d in (1, -1) if _is_way_out(v, d, known)]
    strict = {id(r): v for r in known for v, d in ways if r.linear.get(id(v), 0.0) != 0 and r.loosens(id(v), d)}
    rest = _coupled([r for r in known if id(r) not in strict])
    used = ComponentSet(strict[id(r)] for r in known if r.nonlinear and id(r) in strict)
    said = [f"`{v.name}` loosens its rows without limit" for v in itertools.islice(used, 3)]
    if not rest:
        return "strictly feasible whatever the others decide: " + ", ".join(said)
    reached = {v for r in rest for v in r.own}
    moved = [r for r in known if id(r) in strict and r.own & reached]
    if len(rest) > LARGEST or not all(defined_everywhere(r.row.body, owned) for r in moved):
        return None
    point = _fixed_point(rest, owned)
    if point is None:
        return None
    where = ", ".join(f"{v.name}={value:.4g}" for v, value in list(point.items())[:4]) + (", ..." if len(point) > 4 else "")
    return f"Slater point {where}, strictly feasible whatever the others decide" + "".join(f"; {s}" for s in said)


def _read(row: Row, owned: ComponentSet, nonlinear: bool) -> _Reading | None:
    try:
        repn = generate_standard_repn(row.body, quadratic=True)
    except (ValueError, ArithmeticError, TypeError):
        return None
    linear = {id(v): float(c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True) if v in owned and c != 0}
    curved = [v for pair in repn.quadratic_vars for v in pair] + list(repn.nonlinear_vars)
    return _Reading(row, linear, frozenset(id(v) for v in curved if v in owned), nonlinear)


def _is_way_out(variable: Any, direction: int, readings: list[_Reading]) -> bool:
    bound = variable.ub if direction > 0 else variable.lb
    return bound is None and variable.is_continuous() and all(r.loosens(id(variable), direction) for r in readings)


def _coupled(readings: list[_Reading]) -> list[_Reading]:
    """The nonlinear rows and all that share variables with them, directly or by others; the rest has points of its own."""
    reached = {v for r in readings if r.nonlinear for v in r.own}
    waiting = [r for r in readings if not r.nonlinear]
    found = [r for r in readings if r.nonlinear]
    grown = True
    while grown:
        near = [r for r in waiting if r.own & reached]
        waiting = [r for r in waiting if not r.own & reached]
        reached |= {v for r in near for v in r.own}
        found += near
        grown = bool(near)
    return found


def _fixed_point(readings: list[_Reading], owned: ComponentSet) -> ComponentMap | None:
    rows = [r.row for r in readings]
    present = ComponentSet(v for row in rows for v in identify_variables(row.body, include_fixed=False))
    own, others = [v for v in present if v in owned], [v for v in present if v not in owned]
    if any(v.lb is None or v.ub is None for v in others):
        return None
    point = _candidate(rows, own, others)
    if point is None:
        return None
    _polish([r for r in readings if r.row.is_equality], own, point)
    inside = all((v.lb is None or v.lb <= point[v]) and (v.ub is None or point[v] <= v.ub) for v in own)
    return point if inside and all(_holds(row, point) for row in rows) else None


def _candidate(rows: list[Row], own: list[Any], others: list[Any]) -> ComponentMap | None:
    """Where the least slack over the scenarios is largest (at most 1), by the local NLP solver; None without one."""
    solver = by_name("ipopt")
    if solver.missing():
        return None
    model = pyo.ConcreteModel()
    model.y = pyo.VarList()
    model.slack = pyo.Var(bounds=(None, 1.0), initialize=0.0)
    twins = {id(v): _shrunk(model.y.add(), v) for v in own}
    model.row = pyo.ConstraintList()
    for values in _scenarios(others):
        known = {id(v): value for v, value in zip(others, values, strict=True)}
        for row in rows:
            body = replace_expressions(row.body, {**twins, **known}) if hasattr(row.body, "args") else twins[id(row.body)]
            if row.is_equality:
                model.row.add(body == row.lower)
                continue
            if row.lower is not None:
                model.row.add(body - max(1.0, abs(row.lower)) * model.slack >= row.lower)
            if row.upper is not None:
                model.row.add(body + max(1.0, abs(row.upper)) * model.slack <= row.upper)
    model.objective = pyo.Objective(expr=model.slack, sense=pyo.maximize)
    try:
        run = solver.run(model, SolverOptions())
    except (RefusedError, SolverFailedError):
        return None  # no candidate, no proof: the caller says so
    if run.values is None:
        return None
    return ComponentMap((v, float(run.values.get(twins[id(v)], twins[id(v)].value))) for v in own)


def _shrunk(twin: Any, variable: Any) -> Any:
    """A twin that keeps clear of the bounds: an interior-point answer may lie outside them by its tolerance."""
    lower, upper = variable.lb, variable.ub
    width = 1.0 if lower is None or upper is None else min(1.0, upper - lower)
    twin.setlb(None if lower is None else lower + 1e-3 * width)
    twin.setub(None if upper is None else upper - 1e-3 * width)
    middle = (lower + upper) / 2 if lower is not None and upper is not None else None
    start = middle if middle is not None else lower + 1.0 if lower is not None else upper - 1.0 if upper is not None else 0.0
    twin.set_value(start, skip_validation=True)
    return twin


def _scenarios(others: list[Any]) -> list[tuple[float, ...]]:
    """The middle of the box, and corners: all of them where there are few, some at random otherwise."""
    low, up = np.array([v.lb for v in others], dtype=float), np.array([v.ub for v in others], dtype=float)
    if 2 ** len(others) < SCENARIOS:
        corners = list(itertools.product(*zip(low, up, strict=True))) if others else []
    else:
        random = np.random.default_rng(0)
        picks = [np.zeros(len(low)), np.ones(len(low)), *random.integers(0, 2, (SCENARIOS - 3, len(low)))]
        corners = [tuple(low + pick * (up - low)) for pick in picks]
    return [tuple((low + up) / 2), *corners]


def _polish(equalities: list[_Reading], own: list[Any], point: ComponentMap) -> None:
    """Move the point onto the equalities (which are linear) as well as floating point can, in place."""
    if not equalities:
        return
    matrix = np.array([[r.linear.get(id(v), 0.0) for v in own] for r in equalities])
    for _ in range(3):
        off = np.array([_mean(value_range(_at(r.row.body, point))) - (r.row.lower or 0.0) for r in equalities])
        if not np.all(np.isfinite(off)):
            return
        step = np.linalg.lstsq(matrix, off, rcond=None)[0]
        for v, change in zip(own, step, strict=True):
            point[v] -= float(change)


def _mean(ends: tuple[float, float]) -> float:
    return ends[0] if ends[0] == ends[1] else float("nan")


def _at(body: Any, point: ComponentMap) -> Any:
    """``body`` with the owned variables at the point: an expression of the others' variables, or a number."""
    if not hasattr(body, "args"):
        return point.get(body, body)
    return replace_expressions(body, {id(v): value for v, value in point.items()})


def _holds(row: Row, point: ComponentMap) -> bool:
    """Whether the row holds at the point for all values of the others, an inequality with :data:`MARGIN` to spare."""
    low, up = value_range(_at(row.body, point))
    if row.is_equality:
        assert row.lower is not None
        size = max(1.0, abs(row.lower), *(abs(value) for value in point.values()))
        return bool(max(abs(low - row.lower), abs(up - row.lower)) <= EXACT * size)
    above = row.lower is None or low - row.lower >= MARGIN * max(1.0, abs(row.lower))
    return bool(above and (row.upper is None or row.upper - up >= MARGIN * max(1.0, abs(row.upper))))
