"""From a start that fails to a point of the MPEC: least squares on its rows and pairs, the objective left out.

Formulation: ``min sum r(x)**2`` within the bounds of ``x``, where ``r`` are the residuals of equalities, the violations of
inequalities, and ``a + b - sqrt(a**2 + b**2 + 2 mu)`` of every pair (Fischer-Burmeister, 0 where ``a b = mu``), for two values
of mu. Gauss-Newton steps within a trust region want no regular Jacobian: equations that depend on each other (Walras' law) and
prices without a unit, where an interior-point method wanders along the ray, are harmless here.
Accepts: a relaxed model with up to ``LARGEST`` variables. Produces: a start for Ipopt, complementary and feasible.
Reference: Facchinei and Pang 2003, Finite-Dimensional Variational Inequalities and Complementarity Problems, 9.1;
Branch, Coleman and Li 1999, SIAM J. Sci. Comput. 21:1 (the trust region with bounds, from SciPy).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bilevel_lang.reformulation.complementarity.finish import Budget
from bilevel_lang.reformulation.complementarity.relaxed_model import RelaxedModel, Side, is_variable
from bilevel_lang.solvers.ipopt import FEASIBLE, CompiledNlp
from bilevel_lang.solvers.nlp import CASADI_MISSING
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.settled import load_module

STEPS = (1e-2, 1e-10)
"""The values of mu, in turn: the first one leads off the kinks, the second one decides the pairs."""

EVALUATIONS = 300
"""Evaluations of the residuals a step."""

LARGEST = 300
"""Variables of the largest model that is tried: each step factorises a dense Jacobian."""


class _OutOfTimeError(Exception):
    """The budget is spent in the middle of a search."""


class FeasibleStart:
    """The residuals of one relaxed model, compiled once."""

    def __init__(self, relaxed: RelaxedModel, nlp: CompiledNlp) -> None:
        casadi = load_module("casadi", CASADI_MISSING)
        self._nlp = nlp
        self._unit: Floats | None = np.ones(len(nlp.variables))
        symbols = nlp.symbolic
        mu = casadi.SX.sym("mu")
        residuals = casadi.vertcat(*_rows(casadi, relaxed, symbols), *_pairs(casadi, relaxed, symbols, mu))
        slopes = casadi.densify(casadi.jacobian(residuals, symbols.x))
        # The rows of the pairs are replaced, and no other row knows the parameter of the relaxation.
        self._residuals = casadi.Function("r", [symbols.x, symbols.p, mu], [casadi.densify(residuals)])
        self._slopes = casadi.Function("j", [symbols.x, symbols.p, mu], [slopes])

    def lead(self, start: Floats, budget: Budget) -> Floats | None:
        """A point near ``start`` at which rows and pairs hold to ``FEASIBLE``; None where the search ends elsewhere.

        The first time that it does, it begins once more at 1 in every variable: the benchmark of models of prices and levels.
        """
        if len(start) > LARGEST:
            return None
        try:
            found = self._from(start, budget)
            if found is None and self._unit is not None:
                unit, self._unit = self._unit, None
                found = self._from(unit, budget)
        except _OutOfTimeError:
            return None
        return found

    def _from(self, start: Floats, budget: Budget) -> Floats | None:
        point: Floats | None = np.clip(start, self._nlp.lower, self._nlp.upper)
        for mu in STEPS:
            point = None if point is None else self._least_squares(point, mu, budget)
        if point is None or not np.max(np.abs(self._at(self._residuals, point, STEPS[-1])), initial=0.0) <= FEASIBLE:
            return None
        return point

    def _least_squares(self, start: Floats, mu: float, budget: Budget) -> Floats | None:
        """The best point found from ``start``; None where the residuals are not defined there."""
        from scipy.optimize import least_squares

        lower, upper = self._nlp.lower, self._nlp.upper
        free = lower < upper

        def whole(part: Floats) -> Floats:
            if budget.spent:
                raise _OutOfTimeError
            point = np.array(start)
            point[free] = part
            return point

        def residuals(part: Floats) -> Floats:
            return self._at(self._residuals, whole(part), mu).ravel()

        def slopes(part: Floats) -> Floats:
            return self._at(self._slopes, whole(part), mu)[:, free]

        inside = _off_the_bounds(start, lower, upper)[free]
        if not free.any() or not np.isfinite(residuals(inside)).all() or not np.isfinite(slopes(inside)).all():
            return None
        tight = {"xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14}
        try:
            found = least_squares(residuals, inside, slopes, (lower[free], upper[free]), max_nfev=EVALUATIONS, **tight)
        except np.linalg.LinAlgError:  # a derivative that is not finite, on the way
            return None
        point = np.array(start)
        point[free] = found.x
        return point

    def _at(self, function: Any, point: Floats, mu: float) -> Floats:
        numbers: Floats = function(point, self._nlp.parameter_values(), mu).full()
        return numbers


def _off_the_bounds(start: Floats, lower: Floats, upper: Floats) -> Floats:
    """Functions that have no value or slope on a bound (a power of a price) have one beside it."""
    room = np.minimum(1e-3, 0.1 * (upper - lower))
    inside: Floats = np.clip(start, lower + room, upper - room)
    return inside


def _rows(casadi: Any, relaxed: RelaxedModel, symbols: Any) -> list[Any]:
    """Residuals of the rows that are not the relaxation's own."""
    replaced = {id(row) for row in relaxed.rows}
    found = []
    for k, row in enumerate(symbols.constraints):
        if id(row) in replaced:
            continue
        lower, upper, body = symbols.row_lower[k], symbols.row_upper[k], symbols.g[k]
        if lower == upper:
            found.append(body - lower)
            continue
        found += [casadi.fmax(0, lower - body)] if np.isfinite(lower) else []
        found += [casadi.fmax(0, body - upper)] if np.isfinite(upper) else []
    return found


def _pairs(casadi: Any, relaxed: RelaxedModel, symbols: Any, mu: Any) -> list[Any]:
    variables = {id(v): symbols.x[k] for k, v in enumerate(symbols.variables)}
    rows = {id(row): symbols.g[k] - symbols.row_lower[k] for k, row in enumerate(symbols.constraints)}

    def side(one: Side) -> Any:
        if not is_variable(one):
            return rows[id(one)]
        return variables[id(one)] if id(one) in variables else float(one.value)

    sides = [(side(left), side(right)) for left, right in relaxed.sides]
    return [a + b - casadi.sqrt(a * a + b * b + 2 * mu) for a, b in sides]
