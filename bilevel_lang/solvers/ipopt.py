"""Ipopt: continuous nonlinear models, to a point that satisfies the first-order conditions (a local optimum, no proof).

:class:`Ipopt` is the adapter for one run; :func:`compile_nlp` prepares a model for many runs that differ only in their start and
in the values of some fixed variables.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import SolverMissingError, UsageError
from bilevel_lang.solvers.ipopt_routes import (
    CYIPOPT_MISSING,
    CasadiRoute,
    CyipoptRoute,
    Route,
    casadi_version,
    cyipopt_version,
)
from bilevel_lang.solvers.nlp import CASADI_MISSING, Nlp, read_nlp
from bilevel_lang.solvers.program import Floats, breaks
from bilevel_lang.solvers.settled import importable
from bilevel_lang.solvers.solver import Feature, Missing, SolverOptions, SolverRun, Termination

RouteName = Literal["auto", "cyipopt", "casadi"]

TOLERANCES = {
    "tol": 1e-9,
    "constr_viol_tol": 1e-9,
    "dual_inf_tol": 1e-6,
    "compl_inf_tol": 1e-9,
    "acceptable_tol": 1e-7,
    # Ipopt widens bounds by this before it starts; its default of 1e-8 is more than the tolerance asked for.
    "bound_relax_factor": 1e-9,
    "honor_original_bounds": "yes",
    # Without it a NaN among the derivatives reaches the linear solver.
    "check_derivatives_for_naninf": "yes",
}
"""Options set for every run; ``SolverOptions.extra`` overrides them."""

FEASIBLE = 1e-6
"""A stopped run's last point counts as a solution if no row and bound is violated by more, relative to max(1, |side|)."""

_STATUS = {
    "Solve_Succeeded": Termination.LOCALLY_OPTIMAL,
    "Solved_To_Acceptable_Level": Termination.LOCALLY_OPTIMAL,
    "Feasible_Point_Found": Termination.LOCALLY_OPTIMAL,
    "Infeasible_Problem_Detected": Termination.LOCALLY_INFEASIBLE,
    "Maximum_Iterations_Exceeded": Termination.LIMIT,
    "Maximum_CpuTime_Exceeded": Termination.LIMIT,
    "Maximum_WallTime_Exceeded": Termination.LIMIT,
    "User_Requested_Stop": Termination.INTERRUPTED,
}

_HINTS = {
    "Diverging_Iterates": "the iterates run away: the model may be unbounded",
    "Invalid_Number_Detected": "a function or derivative is not defined at the start (such as log(0)): give other start values",
    "Not_Enough_Degrees_Of_Freedom": "there are more equations than free variables",
    "Restoration_Failed": "no way back to feasible points was found from here: try another start",
    "Solved_To_Acceptable_Level": f"to {TOLERANCES['acceptable_tol']:g} only, not to {TOLERANCES['tol']:g}",
}


@dataclass(frozen=True, slots=True)
class NlpResult:
    """The answer of one solve of a :class:`CompiledNlp`; arrays follow its ``variables`` and ``constraints``.

    ``x`` is Ipopt's last point whatever the termination, ``violation`` how far it breaks a row or bound (relative to
    max(1, |side|)). ``objective`` is in the model's sense; ``duals`` and ``reduced_costs`` are d(optimal value)/d(side).
    """

    termination: Termination
    message: str
    x: Floats
    objective: float
    violation: float
    duals: Floats
    reduced_costs: Floats
    iterations: int
    seconds: float

    @property
    def solved(self) -> bool:
        """Whether Ipopt converged to a local optimum."""
        return self.termination is Termination.LOCALLY_OPTIMAL


class CompiledNlp:
    """A model translated and differentiated once, to be solved many times. Made by :func:`compile_nlp`.

    ``route`` is None for a model without variables, where there is nothing to run.
    """

    def __init__(self, nlp: Nlp, route: Route | None, name: str) -> None:
        self._nlp = nlp
        self._route = route
        self.solver = name
        """Name, version and route."""
        self.variables: tuple[Any, ...] = nlp.variables
        """The Pyomo variables behind ``x``, in order."""
        self.parameters: tuple[Any, ...] = nlp.parameters
        """The fixed Pyomo variables that a solve may give other values."""
        self.constraints: tuple[Any, ...] = nlp.constraints
        """The Pyomo constraints behind ``duals``, in order; rows without a free variable are not among them."""
        import casadi

        self._f = casadi.Function("f", [nlp.x, nlp.p], [nlp.f])
        self._g = casadi.Function("g", [nlp.x, nlp.p], [casadi.densify(nlp.g)])

    @property
    def symbolic(self) -> Nlp:
        """The functions as CasADi expressions, for those who need other derivatives of them."""
        return self._nlp

    @property
    def lower(self) -> Floats:
        """Lower bounds of ``x`` (a copy), -inf for none."""
        return np.array(self._nlp.lower)

    @property
    def upper(self) -> Floats:
        """Upper bounds of ``x`` (a copy), inf for none."""
        return np.array(self._nlp.upper)

    def start(self) -> Floats:
        """The variables' present values within their bounds; 0 (or the nearest bound) for those without."""
        values = np.array([0.0 if v.value is None else float(v.value) for v in self.variables], dtype=float)
        inside: Floats = np.clip(values, self._nlp.lower, self._nlp.upper)
        return inside

    def parameter_values(self) -> Floats:
        """The present values of the parameters."""
        return np.array([float(v.value) for v in self.parameters], dtype=float)

    def solve(
        self, start: Floats | None = None, parameters: Floats | None = None, options: SolverOptions | None = None
    ) -> NlpResult:
        """Run Ipopt from ``start`` with ``parameters`` (both: present values if None). The model is not touched.

        Of ``options``, ``gap``, ``threads`` and ``seed`` mean nothing to Ipopt. Raises UsageError for arrays of a wrong length
        and for unknown Ipopt options.
        """
        began = time.perf_counter()
        options = options or SolverOptions()
        x0 = _array(self.start() if start is None else start, len(self.variables), "start")
        p = _array(self.parameter_values() if parameters is None else parameters, len(self.parameters), "parameters")
        broken = self._nlp.contradiction or self._broken_row(p)
        if broken:
            return self._without_ipopt(Termination.INFEASIBLE, broken, x0, p, began)
        if self._route is None:
            return self._without_ipopt(Termination.LOCALLY_OPTIMAL, "the model has no variables", x0, p, began)
        settings: dict[str, Any] = dict(TOLERANCES)
        if options.time_limit is not None:
            settings["max_wall_time"] = float(options.time_limit)
        settings.update(options.extra)
        raw = self._route.solve(x0, p, settings, options.verbose)
        sense, hint = self._nlp.sense, _HINTS.get(raw.status)
        return NlpResult(
            termination=_STATUS.get(raw.status, Termination.FAILED),
            message=f"Ipopt: {raw.status}" + (f" ({hint})" if hint else ""),
            x=raw.x,
            objective=self.objective_at(raw.x, p),
            violation=self.violation_at(raw.x, p),
            duals=-sense * raw.row_multipliers,
            reduced_costs=-sense * raw.bound_multipliers,
            iterations=raw.iterations,
            seconds=time.perf_counter() - began,
        )

    def objective_at(self, x: Floats, parameters: Floats) -> float:
        """The model's objective, in its own sense; NaN where it is not defined."""
        return self._nlp.sense * float(self._f(x, parameters))

    def violation_at(self, x: Floats, parameters: Floats) -> float:
        """The largest violation of a row or bound, relative to max(1, |side|); NaN where a row is not defined."""
        nlp = self._nlp
        g = self._g(x, parameters).full().ravel()
        return max(_excess(g, nlp.row_lower, nlp.row_upper), _excess(np.asarray(x), nlp.lower, nlp.upper), key=_nan_first)

    def _broken_row(self, p: Floats) -> str | None:
        nlp = self._nlp
        numbers = nlp.pinned(p).full().ravel()
        for row, number, lower, upper in zip(nlp.pinned_constraints, numbers, nlp.pinned_lower, nlp.pinned_upper, strict=True):
            if math.isnan(number) or breaks(number, lower, upper):
                return f"constraint '{row.name}' is the constant {number:g}, outside [{lower:g}, {upper:g}]"
        return None

    def _without_ipopt(self, termination: Termination, message: str, x: Floats, p: Floats, began: float) -> NlpResult:
        solved = termination is Termination.LOCALLY_OPTIMAL
        return NlpResult(
            termination=termination,
            message=message,
            x=x,
            objective=self.objective_at(x, p) if solved else math.nan,
            violation=0.0 if solved else math.inf,
            duals=np.zeros(len(self.constraints)),
            reduced_costs=np.zeros(len(self.variables)),
            iterations=0,
            seconds=time.perf_counter() - began,
        )


def compile_nlp(model: Any, parameters: Sequence[Any] = (), route: RouteName = "auto") -> CompiledNlp:
    """Prepare ``model`` for many solves.

    ``parameters`` are fixed Pyomo variables whose values may change from solve to solve; their place in the model is arbitrary
    (a factor, a side, inside a function). For many small solves ``route="casadi"`` is the faster one, because its callbacks stay
    out of Python. Other fixed variables and all Params are constants as they are now.

    Raises what :func:`bilevel_lang.solvers.nlp.read_nlp` raises, and SolverMissingError if ``route`` cannot run here.
    """
    chosen = pick_route(route)
    nlp = read_nlp(model, parameters)
    if chosen == "cyipopt":
        return CompiledNlp(nlp, CyipoptRoute(nlp) if nlp.variables else None, cyipopt_version())
    return CompiledNlp(nlp, CasadiRoute(nlp) if nlp.variables else None, casadi_version())


def pick_route(route: RouteName) -> Literal["cyipopt", "casadi"]:
    """Which route runs: the one asked for, and for ``auto`` cyipopt where it can be imported, else casadi.

    Raises SolverMissingError: both routes need CasADi for derivatives.
    """
    lacking = _lacking(route)
    if lacking:
        raise SolverMissingError(lacking.reason, help=lacking.remedy)
    if route == "auto":
        return "cyipopt" if importable("cyipopt") else "casadi"
    return route


def _lacking(route: RouteName) -> Missing | None:
    if not importable("casadi"):
        return CASADI_MISSING
    if route == "cyipopt" and not importable("cyipopt"):
        return CYIPOPT_MISSING
    return None


class Ipopt:
    """The adapter. ``route`` says which Ipopt runs; ``auto`` takes cyipopt where it is installed, else CasADi's own.

    The start is the variables' present values; see :meth:`CompiledNlp.start`. Functions that are not defined at 0 (log, division,
    fractional powers) need start values from the modeller.
    """

    name = "ipopt"
    features = frozenset({Feature.QUADRATIC_OBJECTIVE, Feature.NONCONVEX_OBJECTIVE, Feature.QUADRATIC_ROWS, Feature.NONLINEAR})
    excludes: tuple[frozenset[Feature], ...] = ()
    proves = False

    def __init__(self, route: RouteName = "auto") -> None:
        self.route: RouteName = route

    def missing(self) -> Missing | None:
        """None where the route can run."""
        return _lacking(self.route)

    def version(self) -> str:
        """``Ipopt 3.14.11 (cyipopt)`` or ``Ipopt 3.14.19 (casadi)``. Raises SolverMissingError."""
        return cyipopt_version() if pick_route(self.route) == "cyipopt" else casadi_version()

    def run(self, model: Any, options: SolverOptions) -> SolverRun:
        """Solve ``model`` from its present values. ``duals`` are given only where Ipopt converged."""
        began = time.perf_counter()
        nlp = compile_nlp(model, route=self.route)
        result = nlp.solve(options=options)
        known = result.termination in _WITH_POINT and result.violation <= FEASIBLE and math.isfinite(result.objective)
        return SolverRun(
            result.termination,
            nlp.solver,
            values=ComponentMap(zip(nlp.variables, map(float, result.x), strict=True)) if known else None,
            objective=result.objective if known else None,
            seconds=time.perf_counter() - began,
            message=result.message,
            iterations=result.iterations,
            duals=ComponentMap(zip(nlp.constraints, map(float, result.duals), strict=True)) if result.solved else None,
            reduced_costs=ComponentMap(zip(nlp.variables, map(float, result.reduced_costs), strict=True))
            if result.solved
            else None,
        )


_WITH_POINT = (Termination.LOCALLY_OPTIMAL, Termination.LIMIT, Termination.INTERRUPTED)


def _array(numbers: Any, size: int, what: str) -> Floats:
    array = np.asarray(numbers, dtype=float).ravel()
    if len(array) != size:
        raise UsageError(f"{what}: {len(array)} numbers for {size} places")
    return array


def _excess(numbers: Floats, lower: Floats, upper: Floats) -> float:
    if not len(numbers):
        return 0.0
    with np.errstate(invalid="ignore"):
        below = np.where(np.isfinite(lower), (lower - numbers) / np.maximum(1.0, np.abs(lower)), 0.0)
        above = np.where(np.isfinite(upper), (numbers - upper) / np.maximum(1.0, np.abs(upper)), 0.0)
    return float(max(np.maximum(below, above).max(), 0.0)) if np.isfinite(numbers).all() else math.nan


def _nan_first(number: float) -> float:
    return math.inf if math.isnan(number) else number
