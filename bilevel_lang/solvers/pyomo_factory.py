"""Any solver that Pyomo's ``SolverFactory`` knows by name: gurobi, cplex, xpress, baron, cbc, ...

Such a solver is a stranger: some ignore integrality or SOS constraints without a word. So the point it returns is checked against
the model before it is believed, and its optimum counts as proven only where the kind of model or the solver allows it.
"""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from typing import Any

from pyomo.common.errors import ApplicationError, PyomoException
from pyomo.core.base import Var, value

from bilevel_lang.errors import SolverFailedError, SolverMissingError, UsageError
from bilevel_lang.solvers.features import features_of_program, require
from bilevel_lang.solvers.program import Program, restoring
from bilevel_lang.solvers.program_reading import read_program
from bilevel_lang.solvers.settled import log_to_stderr, proven, settled
from bilevel_lang.solvers.solver import Feature, Missing, SolverOptions, SolverRun, Termination

LOCAL = frozenset(
    {"ipopt", "cyipopt", "conopt", "conopt4", "minos", "snopt", "loqo", "filter", "filtersqp", "asl", "path", "pounce"}
)
"""Solvers of continuous models to local optimality (knitro takes integers, and is local too)."""

GLOBAL = frozenset({"gurobi", "baron", "scip", "couenne", "antigone", "lindoglobal", "octeract-engine"})
"""Solvers whose "optimal" is a proven global optimum for nonconvex models as well."""

_CONVEX = frozenset({Feature.INTEGER, Feature.SOS1, Feature.QUADRATIC_OBJECTIVE})

POINT_TOLERANCE = 1e-5
"""How far, relative to max(1, |side|), a returned point may break the model and be taken as the solver's rounding."""

_OPTIONS = {
    "gurobi": ("TimeLimit", "MIPGap", "Threads", "Seed"),
    "cplex": ("timelimit", "mip_tolerances_mipgap", "threads", "randomseed"),
    "xpress": ("maxtime", "miprelstop", "threads", "randomseed"),
    "cbc": ("seconds", "ratioGap", "threads", "randomCbcSeed"),
    "glpk": ("tmlim", "mipgap", None, None),
    "baron": ("MaxTime", "EpsR", "threads", None),
    "highs": ("time_limit", "mip_rel_gap", "threads", "random_seed"),
    "scip": ("limits/time", "limits/gap", "lp/threads", "randomization/randomseedshift"),
    "ipopt": ("max_cpu_time", None, None, None),
}
"""What a solver calls time_limit, gap, threads and seed."""

_TERMINATION = {
    "optimal": Termination.OPTIMAL,
    "globallyOptimal": Termination.OPTIMAL,
    "locallyOptimal": Termination.LOCALLY_OPTIMAL,
    "feasible": Termination.LIMIT,
    "infeasible": Termination.INFEASIBLE,
    "unbounded": Termination.UNBOUNDED,
    "infeasibleOrUnbounded": Termination.INFEASIBLE_OR_UNBOUNDED,
    "maxTimeLimit": Termination.LIMIT,
    "maxIterations": Termination.LIMIT,
    "maxEvaluations": Termination.LIMIT,
    "minFunctionValue": Termination.LIMIT,
    "minStepLength": Termination.LIMIT,
    "userInterrupt": Termination.INTERRUPTED,
    "resourceInterrupt": Termination.INTERRUPTED,
}
"""Pyomo's words for why a solver stopped; every other one is FAILED."""


class PyomoFactorySolver:
    """A solver by its Pyomo name; see the module's docstring. ``options.extra`` holds the solver's own options."""

    excludes: tuple[frozenset[Feature], ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self.family = _family(name)
        """The name without the prefixes and suffixes of Pyomo's interfaces: ``gurobi`` for ``appsi_gurobi``."""
        continuous = frozenset(Feature) - {Feature.INTEGER, Feature.SOS1}
        self.features = continuous if self.family in LOCAL else frozenset(Feature)
        self.proves = self.family in GLOBAL

    def missing(self) -> Missing | None:
        """None where Pyomo finds the solver and its licence."""
        try:
            if self._solver().available(exception_flag=False):
                return None
            reason = f"Pyomo knows '{self.name}' but does not find it, or its licence, on this machine"
        except (ApplicationError, PyomoException, ImportError, RuntimeError) as error:
            reason = f"Pyomo cannot use '{self.name}': {error}"
        return Missing(reason, f"install {self.family} (or its licence), or use --solver highs, scip or ipopt")

    def version(self) -> str:
        """``gurobi 12.0.1 (pyomo)``. Raises SolverMissingError."""
        self._demand()
        numbers = self._solver().version()
        return f"{self.name} {'.'.join(str(k) for k in numbers)} (pyomo)" if numbers else f"{self.name} (pyomo)"

    def run(self, model: Any, options: SolverOptions) -> SolverRun:
        """Solve ``model``. No duals: the solvers' sign conventions differ, and so do Pyomo's interfaces to them.

        Raises SolverFailedError if the solver breaks down or returns a point that is not one of the model.
        """
        began = time.perf_counter()
        name = self.version()
        program = read_program(model)
        features = features_of_program(program)
        require(self, features)
        run = settled(program, name)
        if run is not None:
            return run
        known = {id(v): v for v in model.component_data_objects(Var, descend_into=True)}
        known.update({id(v): v for v in program.variables})
        with restoring(list(known.values())):
            results = self._solve(model, self._settings(options), options.verbose)
            return self._report(model, results, program, features, name, began)

    def _solver(self) -> Any:
        import pyomo.environ as pyo

        return pyo.SolverFactory(self.name)

    def _demand(self) -> None:
        lacking = self.missing()
        if lacking:
            raise SolverMissingError(lacking.reason, help=lacking.remedy)

    def _settings(self, options: SolverOptions) -> dict[str, Any]:
        wanted = {"time_limit": options.time_limit, "gap": options.gap, "threads": options.threads, "seed": options.seed}
        names = dict(zip(wanted, _OPTIONS.get(self.family, (None,) * 4), strict=True))
        settings: dict[str, Any] = {}
        for ours, setting in wanted.items():
            theirs = names[ours]
            if setting is not None and theirs is None:
                raise UsageError(
                    f"we do not know what '{self.name}' calls {ours}", help="pass it under the solver's own option name"
                )
            if setting is not None:
                settings[str(theirs)] = setting
        return settings | dict(options.extra)

    def _solve(self, model: Any, settings: dict[str, Any], verbose: bool) -> Any:
        with log_to_stderr() if verbose else nullcontext():
            try:
                return self._solver().solve(model, load_solutions=False, tee=verbose, options=settings)
            except (ApplicationError, PyomoException, ValueError, TypeError, RuntimeError, NotImplementedError) as error:
                raise SolverFailedError(f"{self.name} broke down: {error}", help="run with --verbose to see its log") from error

    def _report(
        self, model: Any, results: Any, program: Program, features: frozenset[Feature], name: str, began: float
    ) -> SolverRun:
        """Read the answer; the point goes into the model for a moment, to be evaluated there."""
        termination = self._termination(results, features)
        point = None
        if len(results.solution) > 0 and termination in _WITH_POINT:
            model.solutions.load_from(results)
            point = [math.nan if v.value is None else float(v.value) for v in program.variables]
            self._check(program, point)
        objective = None if point is None else program.objective_at(point)
        if point is None and termination in (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL):
            raise SolverFailedError(f"{self.name} says '{termination.value}' but returns no point")
        return SolverRun(
            termination,
            name,
            values=None if point is None else program.values(point),
            objective=objective,
            bound=_bound(results, program, objective) if termination in _WITH_BOUND else None,
            seconds=time.perf_counter() - began,
            message=f"{self.name}: {results.solver.termination_condition} {results.solver.message or ''}".strip(),
        )

    def _termination(self, results: Any, features: frozenset[Feature]) -> Termination:
        termination = _TERMINATION.get(str(results.solver.termination_condition), Termination.FAILED)
        sure = self.family in GLOBAL or (features <= _CONVEX and self.family not in LOCAL)
        if termination is Termination.OPTIMAL and not sure:
            return Termination.LOCALLY_OPTIMAL
        if termination is Termination.INFEASIBLE and not sure:
            return Termination.LOCALLY_INFEASIBLE
        return termination

    def _check(self, program: Program, point: list[float]) -> None:
        broken = _first_broken(program, point)
        if broken:
            raise SolverFailedError(
                f"the point that {self.name} returned breaks {broken}",
                help="the solver may have ignored a part of the model (integers, SOS constraints); use --solver scip",
            )


_WITH_POINT = (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL, Termination.LIMIT, Termination.INTERRUPTED)
_WITH_BOUND = (Termination.OPTIMAL, Termination.LIMIT, Termination.INTERRUPTED)


def pyomo_names() -> frozenset[str]:
    """The solver names registered with Pyomo."""
    import pyomo.environ as pyo

    return frozenset(n for n in pyo.SolverFactory if not n.startswith("_"))


def _family(name: str) -> str:
    base = name.lower().removeprefix("appsi_").removeprefix("_")
    for suffix in ("_minlp", "_persistent", "_direct", "_v2"):
        base = base.removesuffix(suffix)
    return base


def _bound(results: Any, program: Program, objective: float | None) -> float | None:
    """The dual bound, where the results hold one that does not contradict the objective (some interfaces fill in defaults)."""
    stated = results.problem.lower_bound if program.sense > 0 else results.problem.upper_bound
    if not isinstance(stated, (int, float)):
        return None
    bound = proven(float(stated))
    if bound is None or objective is None:
        return bound
    ahead = program.sense * (bound - objective)
    return bound if ahead <= POINT_TOLERANCE * max(1.0, abs(objective)) else None


def _first_broken(program: Program, point: list[float]) -> str | None:
    """The first part of the model that the model's present values break, for messages."""
    for j, (variable, number) in enumerate(zip(program.variables, point, strict=True)):
        if _off(number, program.lower[j], program.upper[j]):
            return f"the bounds of '{variable.name}' (value {number:g})"
        if program.integer[j] and abs(number - round(number)) > POINT_TOLERANCE:
            return f"the integrality of '{variable.name}' (value {number:g})"
    for row in program.rows:
        body = _defined(value(row.constraint.body, exception=False))
        sides = (value(row.constraint.lower), value(row.constraint.upper))
        if _off(body, -math.inf if sides[0] is None else sides[0], math.inf if sides[1] is None else sides[1]):
            return f"constraint '{row.constraint.name}' (value {body:g})"
    for group in program.sos1:
        if sum(abs(point[j]) > POINT_TOLERANCE for j in group.columns) > 1:
            return f"SOS1 constraint '{group.constraint.name}'"
    return None


def _defined(number: Any) -> float:
    return math.nan if number is None else float(number)


def _off(number: float, lower: float, upper: float) -> bool:
    low = -math.inf if lower == -math.inf else lower - POINT_TOLERANCE * max(1.0, abs(lower))
    high = math.inf if upper == math.inf else upper + POINT_TOLERANCE * max(1.0, abs(upper))
    return not low <= number <= high
