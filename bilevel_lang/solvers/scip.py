"""SCIP: integers, SOS1, quadratic and nonlinear functions, to proven global optimality, through pyscipopt.

Linear and quadratic terms go in as SCIP polynomials, only the rest as expression trees. A nonlinear objective becomes one
column and one row; its linear part stays a linear objective.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np

from bilevel_lang.errors import SolverFailedError, UsageError
from bilevel_lang.solvers.c_output import c_output_to_stderr
from bilevel_lang.solvers.features import features_of_program, require
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun, settled_matrix
from bilevel_lang.solvers.program import Floats, Form, Program
from bilevel_lang.solvers.program_reading import read_program
from bilevel_lang.solvers.scip_arrays import add_arrays
from bilevel_lang.solvers.scip_expressions import Translator
from bilevel_lang.solvers.settled import importable, load_module, log_to_stderr, proven, settled
from bilevel_lang.solvers.solver import Feature, Missing, SolverOptions, SolverRun, Termination

_MISSING = Missing("pyscipopt is not installed", "pip install pyscipopt")

FEASIBILITY_TOLERANCE = 1e-9
"""``numerics/feastol`` of models whose rows and objective are linear."""

CURVED_FEASIBILITY_TOLERANCE = 1e-7
"""``numerics/feastol`` of all others. Below it SCIP asks its LP solver for more than double precision can give ("without GMP"):
the example ``many_followers`` (50 convex QP followers) took 4 s at 1e-7 and had no proof after 15 s at 1e-8 and 1e-9."""

CURVED = frozenset({Feature.NONLINEAR, Feature.QUADRATIC_ROWS, Feature.QUADRATIC_OBJECTIVE, Feature.NONCONVEX_OBJECTIVE})

_relayed = threading.Event()
"""Set by the first verbose run. SCIP's messages then come through Python: the log of that run, and for the rest of the process
its error messages. A run that may print through Python has to keep the interpreter lock; the others let it go."""

_STATUS = {
    "optimal": Termination.OPTIMAL,
    "gaplimit": Termination.OPTIMAL,
    "infeasible": Termination.INFEASIBLE,
    "unbounded": Termination.UNBOUNDED,
    "inforunbd": Termination.INFEASIBLE_OR_UNBOUNDED,
    "userinterrupt": Termination.INTERRUPTED,
    "terminate": Termination.INTERRUPTED,
    **dict.fromkeys(
        (
            "nodelimit",
            "totalnodelimit",
            "stallnodelimit",
            "timelimit",
            "memlimit",
            "primallimit",
            "duallimit",
            "sollimit",
            "bestsollimit",
            "restartlimit",
        ),
        Termination.LIMIT,
    ),
}


WITH_INDICATORS = {"misc/allowstrongdualreds": False}
"""With dual reductions in its presolve SCIP 10.0.2 has called feasible problems with indicators infeasible."""


class Scip:
    """The adapter; see the module's docstring.

    ``options.extra`` holds SCIP parameters by name (``"limits/nodes": 100``) and, under ``"start"``, a ComponentMap with values
    of some or all variables to begin from; SCIP completes a partial start, and drops one it cannot.
    """

    name = "scip"
    features = frozenset(Feature)
    excludes: tuple[frozenset[Feature], ...] = ()
    proves = True

    def missing(self) -> Missing | None:
        """None where pyscipopt can be imported."""
        return None if importable("pyscipopt") else _MISSING

    def version(self) -> str:
        """``SCIP 10.0.2``. Raises SolverMissingError."""
        return _version(load_module("pyscipopt", _MISSING))

    def run(self, model: Any, options: SolverOptions) -> SolverRun:
        """Solve ``model``. Raises RefusedError for a function SCIP does not know. No duals: branch and bound has none."""
        started = time.perf_counter()
        name = self.version()
        program = read_program(model)
        features = features_of_program(program)
        require(self, features)
        run = settled(program, name)
        if run is None:
            scip, columns = _load(program, options, bool(features & CURVED))
            _start(scip, columns, program, options.extra.get("start"))
            solve(scip, options)
            found = report(scip, columns, name, time.perf_counter() - started)
            run = _on_the_model(program, found)
        return run

    def run_matrix(self, program: MatrixProgram, options: SolverOptions) -> MatrixRun:
        """Solve a program given as arrays; ``options.extra["start"]``: values (n,) to begin from, NaN where there is none.

        Besides SCIP's parameters ``options.extra`` may hold ``"cutoff"``: an objective known to be reached (in the program's
        sense); only better points are then looked for, and INFEASIBLE means that there is none.
        """
        started = time.perf_counter()
        name = self.version()
        settled_run = settled_matrix(program, name)
        if settled_run is not None:
            return settled_run
        if program.indicators:
            options = replace(options, extra={**WITH_INDICATORS, **options.extra})
        scip = fresh(options, bool(program.features() & CURVED))
        columns = add_arrays(scip, program)
        if options.extra.get("cutoff") is not None:
            scip.setObjlimit(float(options.extra["cutoff"]))
        start = options.extra.get("start")
        if start is not None:
            _hand_over(scip, columns, start)
        solve(scip, options)
        run = report(scip, columns, name, time.perf_counter() - started)
        return run if run.x is None else replace(run, objective=program.objective_at(run.x))


@functools.cache
def _version(library: Any) -> str:
    """Asked once: the answer takes a whole SCIP model."""
    model = library.Model()
    return f"SCIP {model.getMajorVersion()}.{model.getMinorVersion()}.{model.getTechVersion()}"


def fresh(options: SolverOptions, curved: bool) -> Any:
    """A SCIP model without content, with its parameters set; ``curved``: not everything in it will be linear."""
    scip = load_module("pyscipopt", _MISSING).Model("bilevel-lang")
    scip.hideOutput()
    for key, setting in _settings(options, curved).items():
        _set_parameter(scip, key, setting)
    return scip


def _load(program: Program, options: SolverOptions, curved: bool) -> tuple[Any, list[Any]]:
    """The SCIP model and its columns, in the order of the program's."""
    scip = fresh(options, curved)
    kinds = "CI"
    columns = [
        scip.addVar(lb=_bound_or_none(lower), ub=_bound_or_none(upper), vtype=kinds[int(integer)])
        for lower, upper, integer in zip(program.lower, program.upper, program.integer, strict=True)
    ]
    translator = Translator(columns, program.variables)
    for row in program.rows:
        scip.addCons(translator.row(row.form, row.lower, row.upper, f"constraint '{row.constraint.name}'"))
    for group in program.sos1:
        # Weights only order the members; SCIP wants them distinct, so ranks stand in for them.
        order = sorted(range(len(group.columns)), key=group.weights.__getitem__)
        scip.addConsSOS1([columns[group.columns[k]] for k in order], weights=[float(rank) for rank in range(1, len(order) + 1)])
    _objective(scip, translator, program)
    return scip, columns


def _set_parameter(scip: Any, key: str, setting: Any) -> None:
    try:
        scip.setParam(key, setting)
    except (LookupError, ValueError, TypeError) as error:
        raise UsageError(f"SCIP has no parameter '{key}' that takes {setting!r}: {error}", help="see SCIP's list") from error


def _settings(options: SolverOptions, curved: bool) -> dict[str, Any]:
    tolerance = CURVED_FEASIBILITY_TOLERANCE if curved else FEASIBILITY_TOLERANCE
    settings: dict[str, Any] = {"numerics/feastol": tolerance, "numerics/dualfeastol": tolerance}
    wanted = {
        "limits/time": options.time_limit,
        "limits/gap": options.gap,
        "lp/threads": options.threads,
        "randomization/randomseedshift": options.seed,
    }
    settings.update({key: setting for key, setting in wanted.items() if setting is not None})
    settings.update({key: setting for key, setting in options.extra.items() if key not in ("start", "cutoff")})
    return settings


def _bound_or_none(bound: float) -> float | None:
    return float(bound) if math.isfinite(bound) else None


def _objective(scip: Any, translator: Translator, program: Program) -> None:
    cost = program.cost
    goal = translator.polynomial(Form(0.0, cost.linear, {}, None))
    if not cost.is_linear:
        # SCIP's objectives are linear: the rest is bounded from its bad side by a column of its own.
        column = scip.addVar(lb=None, ub=None)
        rest = translator.expression(Form(0.0, {}, cost.quadratic, cost.nonlinear), f"objective '{program.objective.name}'")
        scip.addCons(rest - column <= 0 if program.sense > 0 else rest - column >= 0)
        goal = goal + column
    scip.setObjective(goal, "minimize" if program.sense > 0 else "maximize")
    scip.addObjoffset(cost.constant)


def _start(scip: Any, columns: list[Any], program: Program, start: Any) -> None:
    """Hand SCIP a starting point: ``start`` maps variables to values; those without one are left to SCIP."""
    if not start:
        return
    known = (start.get(variable) for variable in program.variables)
    _hand_over(scip, columns, np.array([np.nan if number is None else float(number) for number in known]))


def _hand_over(scip: Any, columns: list[Any], start: Floats) -> None:
    """``start`` (n,) as a starting point; NaN: left to SCIP."""
    solution = scip.createPartialSol()
    for j in np.flatnonzero(np.isfinite(start)):
        scip.setSolVal(solution, columns[j], float(start[j]))
    scip.addSol(solution)


def solve(scip: Any, options: SolverOptions) -> None:
    """Run. SCIP has its own Ctrl-C handler for the time of the run and stops with the best point found."""
    try:
        with c_output_to_stderr():
            _optimize(scip, options.verbose)
    except Exception as error:  # pyscipopt raises bare Exception for every SCIP error code.
        raise SolverFailedError(f"SCIP stopped: {error}", help="run with --verbose and look at the last lines") from error


def _optimize(scip: Any, verbose: bool) -> None:
    if verbose:
        scip.hideOutput(False)
        scip.redirectOutput()
        _relayed.set()
        with log_to_stderr():
            scip.optimize()
    elif _relayed.is_set():
        scip.optimize()
    else:
        scip.optimizeNogil()


def report(scip: Any, columns: list[Any], name: str, seconds: float) -> MatrixRun:
    """What SCIP ended with. ``seconds``: what the run took."""
    status = scip.getStatus()
    termination = _STATUS.get(status, Termination.FAILED)
    x = None
    if scip.getNSols() > 0 and termination not in (Termination.INFEASIBLE, Termination.UNBOUNDED):
        best = scip.getBestSol()
        x = np.array([scip.getSolVal(best, column) for column in columns])
    bound = None
    if termination in (Termination.OPTIMAL, Termination.LIMIT, Termination.INTERRUPTED):
        bound = proven(float(scip.getDualbound()))
    return MatrixRun(
        termination,
        name,
        x=x,
        objective=None if x is None else float(scip.getSolObjVal(best)),
        bound=bound,
        seconds=seconds,
        message=f"SCIP: {status}",
        nodes=int(scip.getNTotalNodes()),
        iterations=int(scip.getNLPIterations()),
    )


def _on_the_model(program: Program, found: MatrixRun) -> SolverRun:
    if found.x is None:
        return found.on_components(None)
    return replace(found.on_components(program.values(found.x)), objective=program.objective_at(found.x))
