"""``SolverFactory('bilevel')``: :func:`bilevel_lang.solve` in the two solver interfaces of Pyomo.

Only Pyomo and the options are imported with this module; the rest of the package comes when something is solved.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import io
from collections.abc import Iterator
from typing import Any

from pyomo.common.config import Bool, ConfigValue, NonNegativeFloat, document_kwargs_from_configdict
from pyomo.common.timing import HierarchicalTimer
from pyomo.contrib.solver.common.base import Availability, LegacySolverWrapper, SolverBase
from pyomo.contrib.solver.common.config import SolverConfig
from pyomo.contrib.solver.common.results import Results, SolutionStatus, TerminationCondition
from pyomo.contrib.solver.common.util import NoFeasibleSolutionError, NoOptimalSolutionError
from pyomo.core.base.objective import minimize
from pyomo.opt.results.solver import TerminationCondition as LegacyTerminationCondition

from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.options import Options
from bilevel_lang.version import __version__

_PYOMO_HAS = {
    "gap": "rel_gap",
    "verbose": "tee",
    "time_limit": "time_limit",
    "threads": "threads",
    "solver_options": "solver_options",
}
"""Options of ours under the names that Pyomo's solvers share."""


def _config() -> SolverConfig:
    config = SolverConfig()
    config.declare("annotation", ConfigValue(description="Who decides what: EMP text, a pathlib.Path, or an EmpInfo; required"))
    config.declare("strict", ConfigValue(default=False, domain=Bool, description="Warnings about the annotation are errors"))
    config.declare("rel_gap", ConfigValue(domain=NonNegativeFloat, description="Relative gap at which the solver may stop"))
    for field in dataclasses.fields(Options):
        if field.name not in _PYOMO_HAS:
            said = f"As `{field.name}` of bilevel_lang.solve, see docs/cli.md"
            config.declare(field.name, ConfigValue(default=getattr(Options(), field.name), description=said))
    return config


class BilevelSolver(SolverBase):  # type: ignore[misc]
    """Bilevel and equilibrium models by bilevel-lang, every follower verified."""

    CONFIG = _config()

    def available(self) -> Availability:
        """FullLicense if the solver named by ``config.solver``, or else one that proves its answers, can run here."""
        from bilevel_lang.solvers.registry import SOLVERS, by_name

        wanted = self.config.solver
        candidates = [by_name(wanted)] if wanted is not None else [s for s in SOLVERS if s.proves]
        return Availability.FullLicense if any(s.missing() is None for s in candidates) else Availability.NotFound

    def version(self) -> tuple[int, ...]:
        """That of bilevel-lang."""
        return tuple(int(part) for part in __version__.split(".")[:3])

    @document_kwargs_from_configdict(CONFIG)  # type: ignore[untyped-decorator]
    def solve(self, model: Any, **kwds: Any) -> Results:
        """Solve ``model`` under ``annotation`` and check the answer.

        With ``load_solutions`` the variables, and importing suffixes ``dual`` and ``rc``, get an answer that was verified.
        Raises NoOptimalSolutionError where nothing was found that passes verification within the limits, or, with
        ``raise_exception_on_nonoptimal_result=False``, NoFeasibleSolutionError where there is nothing to load; UsageError without
        an annotation; the errors of :func:`bilevel_lang.solve`.
        """
        started = datetime.datetime.now(datetime.timezone.utc)
        config = self.config(value=kwds, preserve_implicit=True)
        timer = config.timer if config.timer is not None else HierarchicalTimer()
        config.timer = timer
        timer.start(self.name)
        try:
            with _log_to(config.tee) as log:
                results = _run(model, config)
        finally:
            timer.stop(self.name)
        results.solver_name = self.name
        results.solver_version = self.version()
        results.solver_config = config
        results.solver_log = log.getvalue()
        results.timing_info.start_timestamp = started
        results.timing_info.wall_time = (datetime.datetime.now(datetime.timezone.utc) - started).total_seconds()
        results.timing_info.timer = timer
        _deliver(results, config)
        return results


def _run(model: Any, config: Any) -> Results:
    from bilevel_lang.api import as_info, find_solution
    from bilevel_lang.clock import Clock
    from bilevel_lang.interoperation.results import results_of
    from bilevel_lang.resolver import resolve

    options = _options(config)
    clock = Clock()
    info = as_info(config.annotation)
    clock.tick("parse")
    problem = resolve(model, info, strict=config.strict)
    clock.tick("resolve")
    solution = find_solution(problem, options, clock)
    return results_of(problem, solution, options.time_limit is not None)


def _options(config: Any) -> Options:
    if config.annotation is None:
        mend = "add annotation='...' or annotation=Path('model.emp'); annotation='' for an MPEC or an ordinary model"
        raise UsageError("the solver `bilevel` needs an annotation", mend)
    if config.working_dir is not None:
        raise UsageError("the solver `bilevel` writes no files", "drop working_dir; `bilevel-solve --write` saves models")
    settings = {f.name: config.get(_PYOMO_HAS.get(f.name, f.name)).value() for f in dataclasses.fields(Options)}
    settings["verbose"] = bool(config.tee)
    return Options(**settings)


def _deliver(results: Results, config: Any) -> None:
    """Load the answer or say why there is none to load."""
    told = results.extra_info
    found = results.solution_status in (SolutionStatus.feasible, SolutionStatus.optimal)
    converged = results.termination_condition is TerminationCondition.convergenceCriteriaSatisfied
    why = "; ".join([f"the status is {told.status}", *told.messages])
    if config.raise_exception_on_nonoptimal_result and not (found and converged):
        mend = "Set raise_exception_on_nonoptimal_result=False (and load_solutions=False) to look at the results"
        raise NoOptimalSolutionError(f"{why}. {mend}")
    if not config.load_solutions:
        return
    if not found:
        raise NoFeasibleSolutionError(f"{why}. Set load_solutions=False to look at the results")
    results.solution_loader.load_solution()


@contextlib.contextmanager
def _log_to(streams: list[Any]) -> Iterator[io.StringIO]:
    """What solvers log (they use stderr) goes to ``streams`` and is kept; without streams nothing is redirected."""
    log = io.StringIO()
    if not streams:
        yield log
        return
    with contextlib.redirect_stderr(_Tee([log, *streams])):
        yield log


class _Tee(io.TextIOBase):
    def __init__(self, streams: list[Any]) -> None:
        self._streams = streams

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self._streams:
            stream.flush()


class LegacyBilevelSolver(LegacySolverWrapper, BilevelSolver):  # type: ignore[misc]
    """The same in the classic interface: ``pyomo.environ.SolverFactory('bilevel')``."""

    def solve(self, model: Any, *args: Any, **kwds: Any) -> Any:
        """As Pyomo's classic ``solve``, with the options of the new interface besides; they hold for this call only."""
        own = {name: kwds.pop(name) for name in list(kwds) if name in self.CONFIG and name not in _CLASSIC}
        kept = self.config
        # The wrapper writes the arguments of a call into the configuration, where they would stay.
        self.__dict__["config"] = kept(value=own, preserve_implicit=True)
        try:
            return super().solve(model, *args, **kwds)
        finally:
            self.__dict__["config"] = kept

    def set_options(self, options: Any) -> None:
        """``solver=NAME``, as ``SolverFactory('bilevel:scip')`` gives it; else as in the wrapper."""
        if isinstance(options, str):
            key, _, value = options.partition("=")
            if key != "solver":
                raise UsageError(f"the solver `bilevel` has no option {options!r}", "set it by opt.config or opt.options")
            self.config.solver = value
        else:
            super().set_options(options)

    def _map_results(self, model: Any, results: Results) -> Any:
        legacy, answer = super()._map_results(model, results)
        solution = results.extra_info.bilevel_solution
        converged = results.termination_condition is TerminationCondition.convergenceCriteriaSatisfied
        if converged and results.solution_status is not SolutionStatus.optimal:
            # Verified, but nobody proved that the leader has nothing better: `optimal` would be too much.
            legacy.solver.termination_condition = LegacyTerminationCondition.feasible
        legacy.solver.termination_message = "; ".join([solution.status.value, *solution.messages])
        objective = results.solution_loader.problem.leader.objective
        if objective is not None:
            # The wrapper takes the model's only active objective, which may be a follower's.
            sides = (results.objective_bound, results.incumbent_objective)
            legacy.problem.number_of_objectives = 1
            legacy.problem.sense = objective.sense
            legacy.problem.lower_bound, legacy.problem.upper_bound = sides if objective.sense == minimize else sides[::-1]
        return legacy, answer


_CLASSIC = frozenset(
    {"tee", "load_solutions", "symbolic_solver_labels", "raise_exception_on_nonoptimal_result", "solver_options"}
)
"""Options of both interfaces, which the wrapper itself takes."""
