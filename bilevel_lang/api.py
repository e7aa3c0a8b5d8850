"""The public functions, one for each stage. Read this first: :func:`solve` is the whole pipeline.

text --parse--> EmpInfo --resolve--> BilevelProblem --rewrite--> Reformulation
     --run--> SolverRun --recover--> Point --verify--> Certificate
"""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyomo.common.collections import ComponentMap
from pyomo.common.gc_manager import PauseGC

from bilevel_lang.analysis.findings import examine_answer
from bilevel_lang.assembly import assemble, better_of
from bilevel_lang.clock import Clock
from bilevel_lang.errors import RefusedError, SolverFailedError, UsageError
from bilevel_lang.files import read_text
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.handover import of_modeller, to_modeller, to_problem, write
from bilevel_lang.model_file import check_model
from bilevel_lang.mps_files.exchange import write_pair
from bilevel_lang.mps_files.extraction import extract
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_recourse.box_search import BoxSearch
from bilevel_lang.reformulation.nn_recourse.method import NnRecourse
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.registry import choose, in_hand
from bilevel_lang.reformulation.rewrite import Reformulation, Rewrite
from bilevel_lang.reformulation.stochastic.l_shaped import LShaped
from bilevel_lang.reformulation.stochastic.method import ExtensiveForm
from bilevel_lang.reformulation.stochastic.mpi_sppy import ScenarioCreator
from bilevel_lang.resolver import resolve as resolve_info
from bilevel_lang.solution import BilevelSolution, Certificate, Point, Status
from bilevel_lang.solvers.solver import SolverOptions, SolverRun
from bilevel_lang.stochastic_solution import solve_stochastic
from bilevel_lang.verification import verify as verify_point

SETTLED = (Status.OPTIMAL, Status.INFEASIBLE, Status.UNBOUNDED, Status.INTERRUPTED)
"""Ends of a first method after which no second one is asked."""

SECOND = 120.0
"""Seconds for the second one, where there is no time limit."""


def load(path: str | Path) -> EmpInfo:
    """Read and parse the annotation file at ``path``. Raises UsageError (no such file), EmpSyntaxError."""
    path = Path(path)
    return parse(read_text(path, "the annotation "), str(path))


def as_info(info: EmpInfo | str | Path) -> EmpInfo:
    """``info`` as a syntax tree: itself, EMP text, or the file a Path names.

    Raises UsageError for a one-line string that ends in ``.emp`` (the mend is ``Path(...)``), EmpSyntaxError.
    """
    if isinstance(info, EmpInfo):
        return info
    if isinstance(info, Path):
        return load(info)
    if not isinstance(info, str):
        raise UsageError(f"an annotation is an EmpInfo, EMP text or a pathlib.Path, not a {type(info).__name__}")
    if "\n" not in info and info.strip().lower().endswith(".emp"):
        raise UsageError(f"{info.strip()!r} is a string, and a string is EMP text", f"for the file, write Path({info.strip()!r})")
    return parse(info)


def resolve(model: Any, info: EmpInfo | str | Path, *, strict: bool = False) -> BilevelProblem:
    """Find the names of ``info`` in the Pyomo ``model`` and settle who owns what.

    ``strict`` makes warnings errors. Raises EmpSyntaxError, ModelFileError for what is no Pyomo model, and ResolutionError with
    every mistake at once.
    """
    info = as_info(info)
    return resolve_info(check_model(model, "the model"), info, strict=strict)


def reformulate(
    model: Any,
    info: EmpInfo | str | Path,
    *,
    method: str = "auto",
    encoding: str | Mapping[str, str] | None = None,
    strict: bool = False,
    **options: Any,
) -> Reformulation:
    """Rewrite ``model`` (a clone of it) as a single-level model and stop there.

    Without ``encoding`` the result holds ``pyomo.mpec`` complementarities, for anything that reads them; with one (``sos1``,
    ``big-m``, ``scholtes``) it is ready for a solver. ``options`` are the fields of
    :class:`~bilevel_lang.reformulation.rewrite.Options`. Raises RefusedError where no method takes the problem.
    """
    named: dict[str, Any] = {"encoding": encoding, **options}
    wanted = Options(method=method, **named)
    with PauseGC():  # else everything that resolving made is looked through before the rewriting begins
        problem = resolve(model, info, strict=strict)
        rewrite, _ = choose(problem, wanted)
        reformulation = rewrite.apply(problem, wanted)
    return of_modeller(rewrite.encode(reformulation, wanted) if encoding is not None else reformulation)


def verify(model: Any, info: EmpInfo | str | Path, point: Point | Mapping[Any, float], *, tolerance: float = 1e-5) -> Certificate:
    """Check ``point`` on ``model``: a Point, a ComponentMap from variables to values, or a mapping from their names.

    What is measured: docs/verification.md.

    Raises UsageError for a name that is no variable, a value that is no number, and what :func:`resolve` raises.
    """
    tolerance = Options(tolerance=tolerance).tolerance
    problem = resolve(model, info)
    if problem.stochastic is not None:
        said = "a point has one second stage, and a stochastic program one for each scenario"
        raise RefusedError(said, "fix the first stage in the model and solve it: the answer is examined in every scenario")
    if not isinstance(point, Point):
        point = _point(model, point)
    return verify_point(problem, to_problem(problem, point), tolerance=tolerance)


def write_mps_aux(
    model: Any, info: EmpInfo | str | Path, mps: str | Path, aux: str | Path | None = None, *, dialect: str = "named"
) -> None:
    """Write a mixed-integer linear bilevel problem with one follower as an MPS file and its ``.aux`` file.

    Without ``aux``: beside ``mps``, with the suffix ``.aux``. ``dialect`` is ``named`` (BOBILib) or ``index`` (MibS's older one).
    docs/mps-files.md has what the files cannot say; what other programs may read differently, or a side that is off in its last
    digit, is told by ``warnings.warn``. Raises RefusedError for other problems, UsageError, and what :func:`resolve` raises.
    """
    mps = Path(mps)
    instance = extract(resolve(model, info))
    for doubt in write_pair(instance, mps, mps.with_suffix(".aux") if aux is None else Path(aux), dialect):
        warnings.warn(f"{mps}: {doubt}", stacklevel=2)


def scenario_creator(
    model: Any, info: EmpInfo | str | Path, *, scenarios: int | None = None, seed: int = 0, strict: bool = False
) -> ScenarioCreator:
    """What mpi-sppy takes as ``scenario_creator``, with the names of the scenarios as its ``all_scenario_names``.

    ``scenarios`` and ``seed`` as in :func:`solve`. Raises RefusedError for what is no stochastic program, or has a measure of
    risk or a chance constraint, and what :func:`resolve` raises.
    """
    problem = resolve(model, info, strict=strict)
    if problem.stochastic is None:
        raise RefusedError("nothing in the annotation is random", "say what is: `randvar d discrete 0.5 30 0.5 60`")
    return ScenarioCreator(problem, problem.stochastic.scenarios(scenarios, seed))


def _point(model: Any, values: Mapping[Any, float]) -> Point:
    found: ComponentMap = ComponentMap()
    for key, value in values.items():
        variable = model.find_component(key) if isinstance(key, str) else key
        if variable is None or not hasattr(variable, "is_variable_type") or not variable.is_variable_type():
            raise UsageError(f"the model has no variable {key if isinstance(key, str) else str(key)!r}")
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise UsageError(f"the value of `{variable.name}` is a number, not {value!r}")
        found[variable] = float(value)
    return Point(found)


def solve(
    model: Any, info: EmpInfo | str | Path, *, method: str = "auto", strict: bool = False, **options: Any
) -> BilevelSolution:
    """Solve the hierarchical problem that ``model`` and ``info`` describe, and check the answer.

    ``model`` keeps its components; afterwards its variables hold the solution, and its ``dual`` suffix is filled where it has
    one. ``options`` are the fields of :class:`~bilevel_lang.reformulation.rewrite.Options` (``encoding``, ``solver``,
    ``time_limit`` s, ``gap``, ``threads``, ``seed``, ``big_m``, ``starts``, ``tolerance``, ...).
    Raises the errors of ``errors.py``: syntax, names, refusals, missing solvers; what a solve finds out (infeasible, limit, not
    verified) is told by :attr:`BilevelSolution.status`.
    """
    clock = Clock()
    info = as_info(info)
    clock.tick("parse")
    problem = resolve_info(check_model(model, "the model"), info, strict=strict)
    clock.tick("resolve")
    return solve_problem(problem, Options(method=method, **options), clock)


def solve_problem(problem: BilevelProblem, options: Options, clock: Clock | None = None) -> BilevelSolution:
    """The stages after resolve; ``clock`` knows what the stages before it took."""
    solution = find_solution(problem, options, clock or Clock())
    write(problem, solution)
    return solution


def find_solution(problem: BilevelProblem, options: Options, clock: Clock) -> BilevelSolution:
    """The same, and the model keeps its values: the answer is in the solution alone."""
    rewrite, path = choose(problem, options)
    if isinstance(rewrite, (ExtensiveForm, LShaped, BoxSearch, NnRecourse)):
        return solve_stochastic(problem, options, clock, rewrite, path)
    solution = _attempt(problem, options, clock, rewrite, path)
    other = None if solution.status in SETTLED else in_hand(problem, options, rewrite)
    if other is not None:
        spent = solution.seconds["total"]
        left = SECOND if options.time_limit is None else options.time_limit - spent
        if left > 0:
            went_on = [*solution.why, f"went on   {other.name}: {rewrite.name} ended {solution.status.value}"]
            try:
                found = _attempt(problem, replace(options, time_limit=left), clock, other, went_on)
                solution = better_of(solution, found)
            except (SolverFailedError, RefusedError) as error:  # what the first has found must not be lost with it
                said = f"{other.name} could not go on: {error.diagnostics[0].message}"
                solution = replace(solution, messages=(*solution.messages, said), why=tuple(went_on))
    return to_modeller(problem, solution)


def _attempt(problem: BilevelProblem, options: Options, clock: Clock, rewrite: Rewrite, path: list[str]) -> BilevelSolution:
    """One rewrite, from the reformulation to the answer."""
    reformulation = rewrite.prepare(problem, options)
    clock.tick("reformulate")
    run = reformulation.run(options)
    clock.tick("solve")
    run, point, certificate = _examined(problem, reformulation, run, options)
    findings = None
    if point is not None and certificate is not None:
        findings = examine_answer(problem, run, point, certificate, options.position, _checking(options))
    clock.tick("verify")
    return assemble(problem, reformulation, run, point, certificate, tuple(path), clock.seconds, findings, options.gap)


def _examined(
    problem: BilevelProblem, reformulation: Reformulation, run: SolverRun, options: Options
) -> tuple[SolverRun, Point | None, Certificate | None]:
    """The run's point with its certificate; where it fails, the best other point of the search that passes."""
    if not run.has_solution:
        return run, None, None

    def examine(point: Point) -> Certificate:
        return verify_point(problem, point, tolerance=options.tolerance, options=_checking(options))

    point = reformulation.recover(run)
    certificate = examine(point)
    for other in () if certificate.verified else run.others:
        next_best = reformulation.recover(other)
        found = examine(next_best)
        if found.verified:
            said = f"a point with the objective {run.objective:.8g} was not verified; this is another one of the search"
            other = replace(other, bound=run.bound, seconds=run.seconds, message=run.message, doubts=(*run.doubts, said))
            return other, next_best, found
    return run, point, certificate


def _checking(options: Options) -> SolverOptions:
    """What a check may cost: the user's own limit, or a minute for each agent."""
    limit = 60.0 if options.time_limit is None else max(1.0, options.time_limit)
    # A tenth of the tolerance: a follower's optimum need not be known any better than the gap that it is compared with.
    return replace(options.for_solver(limit), gap=options.tolerance / 10, extra={})


__all__ = [
    "as_info",
    "load",
    "parse",
    "reformulate",
    "resolve",
    "scenario_creator",
    "solve",
    "solve_problem",
    "verify",
    "write_mps_aux",
]
