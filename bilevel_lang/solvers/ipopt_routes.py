"""The two ways to Ipopt: through cyipopt, or through the Ipopt that CasADi carries.

Both get the same functions and give the same :class:`RawAnswer`. They differ in the Ipopt they run (each wheel carries its own)
and in speed; never in the problem.
"""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bilevel_lang.errors import UsageError
from bilevel_lang.solvers.nlp import CASADI_MISSING, Nlp
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.settled import load_module, log_to_stderr
from bilevel_lang.solvers.solver import Missing

CYIPOPT_MISSING = Missing("cyipopt is not installed", "pip install 'bilevel-lang[nlp]', or see docs/install.md")

_NAMES = {
    0: "Solve_Succeeded",
    1: "Solved_To_Acceptable_Level",
    2: "Infeasible_Problem_Detected",
    3: "Search_Direction_Becomes_Too_Small",
    4: "Diverging_Iterates",
    5: "User_Requested_Stop",
    6: "Feasible_Point_Found",
    -1: "Maximum_Iterations_Exceeded",
    -2: "Restoration_Failed",
    -3: "Error_In_Step_Computation",
    -4: "Maximum_CpuTime_Exceeded",
    -5: "Maximum_WallTime_Exceeded",
    -10: "Not_Enough_Degrees_Of_Freedom",
    -11: "Invalid_Problem_Definition",
    -12: "Invalid_Option",
    -13: "Invalid_Number_Detected",
    -100: "Unrecoverable_Exception",
    -101: "NonIpopt_Exception_Thrown",
    -102: "Insufficient_Memory",
    -199: "Internal_Error",
}
"""Ipopt's return codes by the names its manual (and CasADi) gives them."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What Ipopt returned, for the minimisation it was given.

    ``row_multipliers`` and ``bound_multipliers`` are those of L = f + lambda'g + mu'x:
    minus the derivatives of the optimal value.
    """

    status: str
    x: Floats
    row_multipliers: Floats
    bound_multipliers: Floats
    iterations: int


class Route(Protocol):
    """One way to Ipopt, made for one Nlp."""

    def solve(self, start: Floats, parameters: Floats, settings: Mapping[str, Any], verbose: bool) -> RawAnswer:
        """Run Ipopt from ``start``. Raises UsageError for an option that Ipopt does not know."""


class CyipoptRoute:
    """Ipopt through cyipopt, with the derivatives compiled once."""

    def __init__(self, nlp: Nlp) -> None:
        self._cyipopt = load_module("cyipopt", CYIPOPT_MISSING)
        self._nlp = nlp
        self._functions = Derivatives(nlp)

    def solve(self, start: Floats, parameters: Floats, settings: Mapping[str, Any], verbose: bool) -> RawAnswer:
        """See :class:`Route`. An exception inside a callback stops Ipopt and is raised here."""
        nlp = self._nlp
        callbacks = Callbacks(self._functions, parameters, verbose)
        problem = self._cyipopt.Problem(
            n=len(nlp.lower),
            m=len(nlp.row_lower),
            problem_obj=callbacks,
            lb=nlp.lower,
            ub=nlp.upper,
            cl=nlp.row_lower,
            cu=nlp.row_upper,
        )
        for key, setting in {"print_level": 0, "sb": "yes", **settings}.items():
            _set_option(problem, key, setting)
        with interruptible() as stop:
            callbacks.stop = stop
            x, info = problem.solve(np.array(start, dtype=float))
        if callbacks.error is not None:
            raise callbacks.error
        return RawAnswer(
            _NAMES.get(info["status"], f"status {info['status']}"),
            np.asarray(x, dtype=float),
            np.asarray(info["mult_g"], dtype=float),
            np.asarray(info["mult_x_U"], dtype=float) - np.asarray(info["mult_x_L"], dtype=float),
            callbacks.iterations,
        )


class Derivatives:
    """Values and derivatives of an Nlp as CasADi functions of (x, p)."""

    def __init__(self, nlp: Nlp) -> None:
        ca = load_module("casadi", CASADI_MISSING)
        x, p, f, g = nlp.x, nlp.p, nlp.f, nlp.g
        multipliers, weight = ca.SX.sym("lam", g.shape[0]), ca.SX.sym("sigma")
        jacobian = ca.jacobian(g, x)
        hessian = ca.tril(ca.hessian(weight * f + ca.dot(multipliers, g), x)[0])
        self.f = ca.Function("f", [x, p], [f])
        self.g = ca.Function("g", [x, p], [ca.densify(g)])
        self.gradient = ca.Function("gradient", [x, p], [ca.densify(ca.gradient(f, x))])
        self.jacobian = ca.Function("jacobian", [x, p], [ca.densify(jacobian.nz[:])])
        self.hessian = ca.Function("hessian", [x, p, multipliers, weight], [ca.densify(hessian.nz[:])])
        self.jacobian_places = tuple(np.array(k, dtype=int) for k in jacobian.sparsity().get_triplet())
        self.hessian_places = tuple(np.array(k, dtype=int) for k in hessian.sparsity().get_triplet())


class Callbacks:
    """What cyipopt calls. No exception may leave a callback: cyipopt drops those of ``hessian`` and goes on with old numbers.

    So each is kept in ``error``, the callback answers NaN, and the next ``intermediate`` tells Ipopt to stop.
    """

    def __init__(self, functions: Derivatives, parameters: Floats, verbose: bool) -> None:
        self._functions = functions
        self._parameters = parameters
        self._verbose = verbose
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.iterations = 0

    def objective(self, x: Floats) -> float:
        """f(x)."""
        return float(self._call(self._functions.f, 1, x)[0])

    def constraints(self, x: Floats) -> Floats:
        """g(x)."""
        return self._call(self._functions.g, self._functions.g.size1_out(0), x)

    def gradient(self, x: Floats) -> Floats:
        """The gradient of f."""
        return self._call(self._functions.gradient, len(x), x)

    def jacobianstructure(self) -> tuple[Any, ...]:
        """Rows and columns of the Jacobian's entries."""
        return self._functions.jacobian_places

    def jacobian(self, x: Floats) -> Floats:
        """The Jacobian's entries."""
        return self._call(self._functions.jacobian, len(self._functions.jacobian_places[0]), x)

    def hessianstructure(self) -> tuple[Any, ...]:
        """Rows and columns of the lower triangle of the Lagrangian's Hessian."""
        return self._functions.hessian_places

    def hessian(self, x: Floats, multipliers: Floats, weight: float) -> Floats:
        """The entries of that triangle."""
        return self._call(self._functions.hessian, len(self._functions.hessian_places[0]), x, multipliers, weight)

    def intermediate(self, mode: int, iteration: int, objective: float, primal: float, dual: float, *rest: Any) -> bool:
        """Called once an iteration; False stops Ipopt."""
        self.iterations = iteration
        if self._verbose:
            line = f"ipopt {iteration:5d}  f = {objective: .10e}  primal {primal:.2e}  dual {dual:.2e}\n"
            sys.stderr.write(line)
        return self.error is None and not self.stop.is_set()

    def _call(self, function: Callable[..., Any], size: int, x: Floats, *more: Any) -> Floats:
        if self.error is not None:
            return np.full(size, np.nan)
        try:
            result: Floats = np.asarray(function(x, self._parameters, *more), dtype=float).ravel()
        except BaseException as error:
            self.error = error
            return np.full(size, np.nan)
        return result


class CasadiRoute:
    """Ipopt through ``casadi.nlpsol``; needs nothing but CasADi."""

    def __init__(self, nlp: Nlp) -> None:
        self._casadi = load_module("casadi", CASADI_MISSING)
        self._nlp = nlp
        self._watch = _stop_watch(self._casadi, len(nlp.lower), len(nlp.row_lower), len(nlp.parameters))
        self._solvers: dict[tuple[Any, ...], Any] = {}

    def solve(self, start: Floats, parameters: Floats, settings: Mapping[str, Any], verbose: bool) -> RawAnswer:
        """See :class:`Route`."""
        nlp = self._nlp
        solver = self._solver(settings, verbose)
        with interruptible() as stop, log_to_stderr() if verbose else nullcontext():
            self._watch.stop = stop
            answer = solver(x0=start, p=parameters, lbx=nlp.lower, ubx=nlp.upper, lbg=nlp.row_lower, ubg=nlp.row_upper)
        stats = solver.stats()
        # Where Ipopt never began, CasADi's own count is that of an earlier run; the record of iterations is then missing.
        record = stats.get("iterations", {}).get("inf_pr", [])
        return RawAnswer(
            str(stats["return_status"]),
            answer["x"].full().ravel(),
            answer["lam_g"].full().ravel(),
            answer["lam_x"].full().ravel(),
            max(0, len(record) - 1),
        )

    def _solver(self, settings: Mapping[str, Any], verbose: bool) -> Any:
        key = (verbose, *sorted((k, repr(v)) for k, v in settings.items()))
        if key not in self._solvers:
            ipopt = {"print_level": 5 if verbose else 0, "sb": "yes", **settings}
            options = {"print_time": 0, "calc_lam_p": False, "show_eval_warnings": False, "ipopt": ipopt}
            nlp = self._nlp
            problem = {"x": nlp.x, "p": nlp.p, "f": nlp.f, "g": nlp.g}
            try:
                self._solvers[key] = self._casadi.nlpsol(
                    "ipopt", "ipopt", problem, {**options, "iteration_callback": self._watch}
                )
            except (RuntimeError, NotImplementedError) as error:
                raise UsageError(f"Ipopt does not take these options: {error}", help="see the list of Ipopt options") from error
        return self._solvers[key]


def _stop_watch(casadi: Any, columns: int, rows: int, parameters: int) -> Any:
    """A CasADi callback that looks, once an iteration, whether Ctrl-C was pressed."""
    sizes = {"x": columns, "f": 1, "g": rows, "lam_x": columns, "lam_g": rows, "lam_p": parameters}

    class StopWatch(casadi.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            casadi.Callback.__init__(self)
            self.stop = threading.Event()
            self.construct("stop_watch", {})

        def get_n_in(self) -> int:
            return int(casadi.nlpsol_n_out())

        def get_n_out(self) -> int:
            return 1

        def get_sparsity_in(self, i: int) -> Any:
            return casadi.Sparsity.dense(sizes[casadi.nlpsol_out(i)], 1)

        def eval(self, arguments: Any) -> list[float]:
            return [float(self.stop.is_set())]

    return StopWatch()


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Turn Ctrl-C into an event for as long as a solver runs that must not be torn out of its callbacks by an exception.

    Outside the main thread Python delivers no signals; the event is then never set.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def cyipopt_version() -> str:
    """``Ipopt 3.14.11 (cyipopt)``. Raises SolverMissingError."""
    cyipopt = load_module("cyipopt", CYIPOPT_MISSING)
    return f"Ipopt {'.'.join(str(k) for k in cyipopt.IPOPT_VERSION)} (cyipopt)"


def casadi_version() -> str:
    """``Ipopt 3.14.19 (casadi)``: CasADi has no call for it, but its wheel ships Ipopt's pkg-config file."""
    casadi = load_module("casadi", CASADI_MISSING)
    record = Path(casadi.__file__).parent / "pkgconfig" / "ipopt.pc"
    found = re.search(r"^Version:\s*(\S+)", record.read_text(encoding="utf-8"), flags=re.MULTILINE) if record.is_file() else None
    return f"Ipopt {found.group(1)} (casadi)" if found else f"Ipopt (casadi {casadi.__version__})"


def _set_option(problem: Any, key: str, setting: Any) -> None:
    try:
        problem.add_option(key, setting)
    except TypeError as error:
        message = f"Ipopt has no option '{key}' that takes the value {setting!r}"
        raise UsageError(message, help="see the list of Ipopt options") from error
