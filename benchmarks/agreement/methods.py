"""Every way to solve an instance whose answer is exact, and what each of them claims."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.agreement.instances import Floats, Instance
from bilevel_lang.api import resolve, solve_problem
from bilevel_lang.errors import RefusedError, SolverFailedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.kkt import Kkt
from bilevel_lang.reformulation.linear.answer import solver_run
from bilevel_lang.reformulation.linear.encoding import LinearEncoding
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.reading import read_mpec
from bilevel_lang.reformulation.linear.registry import LINEAR_ENCODINGS
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.solver import SolverRun, Termination

COMPONENTS = ("sos1", "big-m")
"""The encodings of Pyomo components that are exact."""

DEFAULT = "solve()"

METHODS = (*(e.name for e in LINEAR_ENCODINGS), *(f"{name} (components)" for name in COMPONENTS), DEFAULT)

SECONDS = {"strong-duality": 2.0}
"""Time limits; bilinear rows may take SCIP for ever."""

LIMIT = 10.0


@dataclass(frozen=True, eq=False)
class Claim:
    """What a method says of an instance.

    ``verdict``: ``optimal``, ``infeasible``, ``unbounded``: a claim; ``refused``; or ``open``: nothing is claimed but the point
    and the bound, if there are any. ``z`` (n,): the point; ``multipliers``: reported, by name of the row; ``said``: for people.
    """

    method: str
    verdict: str
    objective: float | None = None
    bound: float | None = None
    z: Floats | None = None
    multipliers: dict[str, float] | None = None
    said: str = ""


def claims(instance: Instance, methods: tuple[str, ...] = METHODS) -> Iterator[Claim]:
    """What each of ``methods`` says, every one of a model of its own."""
    for method in methods:
        model, text = instance.model()
        yield _claim_of(method, instance, resolve(model, text))


def _claim_of(method: str, instance: Instance, problem: BilevelProblem) -> Claim:
    arrays = {e.name: e for e in LINEAR_ENCODINGS}
    try:
        if method == DEFAULT:
            return _by_solve(instance, problem)
        if method in arrays:
            return _by_arrays(instance, problem, arrays[method])
        return _by_components(instance, problem, method, method.partition(" ")[0])
    except RefusedError as refusal:
        return Claim(method, "refused", said=str(refusal).splitlines()[0])
    except SolverFailedError as failure:
        return Claim(method, "open", said=str(failure).splitlines()[0])


def _options(name: str | None) -> Options:
    return Options(encoding=name, time_limit=SECONDS.get(name or "", LIMIT), threads=1)


def _by_arrays(instance: Instance, problem: BilevelProblem, encoding: LinearEncoding) -> Claim:
    """The encoding alone: no verification that could stand in the way of a wrong answer."""
    mpec = read_mpec(problem)
    assert isinstance(mpec, LinearMpec), mpec
    options = _options(encoding.name)
    solver = encoding.solvers[0] if len(encoding.solvers) == 1 else _solver_for(instance, encoding)
    encoded = encoding.encode(mpec, solver, options)
    found = encoded.run(options, None)
    run = solver_run(mpec, found)
    return _claim(instance, problem, encoding.name, run, encoded.exactness is Exactness.EXACT)


def _solver_for(instance: Instance, encoding: LinearEncoding) -> str:
    """HiGHS takes no quadratic objective beside integers."""
    return "scip" if instance.quadratic.any() or encoding.solvers[0] == "scip" else "highs"


def _by_components(instance: Instance, problem: BilevelProblem, method: str, encoding: str) -> Claim:
    """The MPEC as Pyomo components, encoded; again without verification."""
    options = _options(encoding)
    rewrite = Kkt()
    made = rewrite.encode(rewrite.apply(problem, options), options)
    run = made.run(options)
    if run.has_solution:
        point = made.recover(run)
        run = SolverRun(
            run.termination, run.solver, point.values, run.objective, run.bound, multipliers=point.multipliers, doubts=run.doubts
        )
    return _claim(instance, problem, method, run, made.exactness is Exactness.EXACT)


_VERDICTS = {
    Termination.OPTIMAL: "optimal",
    Termination.INFEASIBLE: "infeasible",
    Termination.UNBOUNDED: "unbounded",
}


def _claim(instance: Instance, problem: BilevelProblem, method: str, run: SolverRun, exact: bool) -> Claim:
    doubts = run.doubts
    verdict = _VERDICTS.get(run.termination, "open") if exact and not doubts else "open"
    z = None
    if run.values is not None:
        z = np.array([run.values.get(v, math.nan) for v in _variables(instance, problem.model)])
    multipliers = {name: value for name, value, _ in run.multipliers or ()}
    said = "; ".join((run.termination.value, *doubts, run.message))
    return Claim(method, verdict, run.objective, run.bound if exact else None, z, multipliers, said)


def _by_solve(instance: Instance, problem: BilevelProblem) -> Claim:
    """The default route with everything that belongs to it."""
    found = solve_problem(problem, _options(None))
    status = found.status.value
    verdict = status if status in _VERDICTS.values() else "open"
    z = np.array([found.variables.get(name, math.nan) for name in instance.column_names()]) if found.point else None
    said = "; ".join((status, *found.messages))
    return Claim(DEFAULT, verdict, found.objective, found.bound, z, dict(found.duals), said)


def _variables(instance: Instance, model: Any) -> list[Any]:
    return [model.find_component(name) for name in instance.column_names()]
