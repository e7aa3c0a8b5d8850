"""What is installed here, and does it compute: the findings behind ``bilevel-solve --doctor``.

A version number does not prove that a solver works, so each one solves tiny models whose answers are known. PyTorch and ONNX are
looked up in the package records only: importing them takes seconds, and nothing here needs them.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bilevel_lang.errors import BilevelError, SolverMissingError
from bilevel_lang.solvers.features import features_of, why_not
from bilevel_lang.solvers.ipopt import Ipopt
from bilevel_lang.solvers.registry import SOLVERS
from bilevel_lang.solvers.solver import Solver, SolverOptions, SolverRun, Termination

Verdict = Literal["ok", "wrong", "missing", "info"]

ACCURACY = 1e-6
"""How close, absolutely, an answer must be to the known one (which is of the size of 1)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, and what to do about it (empty where nothing is to be done).

    ``info`` is for facts that are neither good nor bad, such as the operating system.
    """

    subject: str
    verdict: Verdict
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A tiny model and its optimal value."""

    name: str
    build: Callable[[], Any]
    optimum: float


def diagnose() -> list[Finding]:
    """All findings: versions first, then each solver on each probe it takes. Takes a few seconds; raises nothing."""
    return [*_platform(), *_packages(), *_solvers()]


def _platform() -> Iterator[Finding]:
    yield Finding("python", "info", f"{platform.python_version()} ({sys.executable})")
    yield Finding("system", "info", f"{platform.system()} {platform.release()} {platform.machine()}")


_REQUIRED = ("pyomo", "lark", "numpy", "scipy", "highspy", "pyscipopt")
_OPTIONAL = {
    "casadi": "pip install 'bilevel-lang[nlp]'",
    "cyipopt": "pip install 'bilevel-lang[nlp]', or see docs/install.md",
    "torch": "pip install 'bilevel-lang[nn]'",
    "onnx": "pip install 'bilevel-lang[nn]'",
}


def _packages() -> Iterator[Finding]:
    for name in _REQUIRED:
        version = _version(name)
        yield Finding(name, "ok", version) if version else Finding(name, "missing", "not installed", f"pip install {name}")
    for name, remedy in _OPTIONAL.items():
        if name == "cyipopt":
            yield _cyipopt(remedy)
            continue
        version = _version(name)
        yield Finding(name, "ok", version) if version else Finding(name, "missing", "not installed (optional)", remedy)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _cyipopt(remedy: str) -> Finding:
    """Which of the two packages that install a module ``cyipopt`` is here, or both, which is a mistake."""
    here = [f"{name} {_version(name)}" for name in ("cyipopt", "cyipopt-wheels") if _version(name)]
    if len(here) == 2:
        detail = f"{' and '.join(here)} overwrite each other's files"
        return Finding("cyipopt", "wrong", detail, "uninstall both, then install one of them")
    return Finding("cyipopt", "ok", here[0]) if here else Finding("cyipopt", "missing", "not installed (optional)", remedy)


def _solvers() -> Iterator[Finding]:
    solvers: list[Solver] = [s for s in SOLVERS if s.name != "ipopt"]
    # Both ways to Ipopt are tried, because either may be the one that a run takes.
    solvers += [Ipopt("cyipopt"), Ipopt("casadi")]
    for solver in solvers:
        label = f"{solver.name} ({solver.route})" if isinstance(solver, Ipopt) else solver.name
        for probe in PROBES:
            finding = _try(solver, label, probe)
            if finding is not None:
                yield finding
            if finding is not None and finding.verdict == "missing":
                break


def _try(solver: Solver, label: str, probe: Probe) -> Finding | None:
    """The finding of one probe; None where the solver does not take such a model."""
    model = probe.build()
    if why_not(solver, features_of(model)):
        return None
    subject = f"{label}: {probe.name}"
    try:
        run = solver.run(model, SolverOptions(time_limit=10.0))
    except SolverMissingError as error:
        first = error.diagnostics[0]
        return Finding(label, "missing", first.message, first.help)
    except BilevelError as error:
        return Finding(subject, "wrong", str(error), "reinstall the solver's package")
    return _judge(subject, run, probe)


def _judge(subject: str, run: SolverRun, probe: Probe) -> Finding:
    solved = run.termination in (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL)
    if solved and run.objective is not None and abs(run.objective - probe.optimum) <= ACCURACY:
        return Finding(subject, "ok", f"{run.solver}, {run.seconds:.3f} s")
    detail = f"{run.solver}: {run.termination.value}, objective {run.objective} instead of {probe.optimum}; {run.message}"
    return Finding(subject, "wrong", detail, "reinstall the solver's package")


def _lp() -> Any:
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    model.x, model.y = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    model.gain = pyo.Objective(expr=3 * model.x + 2 * model.y, sense=pyo.maximize)
    model.work = pyo.Constraint(expr=model.x + model.y <= 1)
    return model


def _milp() -> Any:
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(3), domain=pyo.Binary)
    model.gain = pyo.Objective(expr=3 * model.x[0] + 2 * model.x[1] + 2 * model.x[2], sense=pyo.maximize)
    # The relaxation reaches 4.5, the whole numbers 4.
    model.weight = pyo.Constraint(expr=3 * model.x[0] + 2 * model.x[1] + 2 * model.x[2] <= 4.5)
    return model


def _sos1() -> Any:
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    model.x = pyo.Var([1, 2], bounds=(0, 1))
    model.gain = pyo.Objective(expr=2 * model.x[1] + model.x[2], sense=pyo.maximize)
    model.either = pyo.SOSConstraint(var=model.x, sos=1)
    return model


def _nlp() -> Any:
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(-5, 5), initialize=1.0)
    # exp(x) - x has its minimum 1 at 0.
    model.cost = pyo.Objective(expr=pyo.exp(model.x) - model.x)
    return model


PROBES: tuple[Probe, ...] = (Probe("LP", _lp, 3.0), Probe("MILP", _milp, 4.0), Probe("SOS1", _sos1, 2.0), Probe("NLP", _nlp, 1.0))
"""The known models."""
