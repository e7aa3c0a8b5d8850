"""The contract of a rewrite: what it takes, what it makes of it, and what its answer can promise."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import Diagnostic
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness, Point
from bilevel_lang.solvers.solver import SolverRun


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rewrite takes the problem; ``reason`` says why it fits."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rewrite does not take the problem: why, and what the user can do."""

    reason: str
    remedy: str
    diagnostics: tuple[Diagnostic, ...] = ()


Verdict: TypeAlias = Accepted | Refusal


@dataclass(frozen=True, eq=False, slots=True)
class Multiplier:
    """Where the reported multiplier of one row is found in the rewritten model: ``factor`` * ``expression``."""

    name: str
    expression: Any
    component: Any
    """The row (or variable, for a bound) of the modeller's model."""


@dataclass(frozen=True, eq=False)
class Reformulation:
    """A rewritten model and the way back to the modeller's own.

    ``model`` is single-level Pyomo; ``variables`` maps each variable of the modeller's model to its twin in ``model``;
    ``multipliers`` tell where the agents' multipliers are. ``run`` solves it (a sequence of solves for a homotopy).

    What :meth:`Rewrite.prepare` gives may have no ``model`` (None): it goes to the solver as arrays, and its runs speak of the
    modeller's own variables.
    """

    problem: BilevelProblem
    model: Any
    method: str
    encoding: str | None
    solver: str
    exactness: Exactness
    variables: Mapping[Any, Any]
    multipliers: Sequence[Multiplier]
    run: Callable[[Options], SolverRun]
    why: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def recover(self, run: SolverRun) -> Point:
        """The modeller's variables at the run's solution. Raises ValueError where the run has none."""
        if run.values is None:
            raise ValueError("the run has no solution to recover")
        if run.multipliers is not None:
            return Point(run.values, run.multipliers)
        values = ComponentMap((original, run.values[twin]) for original, twin in self.variables.items() if twin in run.values)
        return Point(values, tuple(self._multiplier_values(run)))

    def _multiplier_values(self, run: SolverRun) -> list[tuple[str, float, Any]]:
        assert run.values is not None
        return [(m.name, _value_at(m.expression, run.values), m.component) for m in self.multipliers]


def free_name(model: Any, name: str) -> str:
    """``name``, or the first of ``name_1``, ``name_2``, ... that the model has not taken.

    Pyomo's ``unique_component_name`` appends random digits; files written twice would differ.
    """
    candidates = (f"{name}_{k}" if k else name for k in itertools.count())
    return next(c for c in candidates if not hasattr(model, c))


def _value_at(terms: Any, values: ComponentMap) -> float:
    """The value of a sum of (factor, variable) terms; a fixed or absent variable counts with its own value or 0."""
    total = 0.0
    for factor, variable in terms:
        value = values.get(variable, variable.value)
        total += factor * float(value if value is not None else 0.0)
    return total


class Rewrite(Protocol):
    """One family of rewrites. Holds no state."""

    name: str
    """As the user writes it after ``--method``."""

    def accepts(self, problem: BilevelProblem, options: Options) -> Verdict:
        """Whether it takes the problem, with the reason either way."""

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """Rewrite a clone; the problem's model is left alone. Raises RefusedError with the reason where it cannot."""

    def encode(self, reformulation: Reformulation, options: Options) -> Reformulation:
        """Make what :meth:`apply` gave ready for a solver, in place: choose encoding and solver. Raises RefusedError."""

    def prepare(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """The shortest way to something that can be run; components only where it needs them. Raises RefusedError."""
