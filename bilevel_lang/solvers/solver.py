"""The contract between us and a solver.

A solver gets a plain single-level Pyomo model (no ``Complementarity`` left) and answers with a :class:`SolverRun`. It never
changes the model: values travel in the run, and :func:`load_values` puts them where the caller wants them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyomo.common.collections import ComponentMap


class Feature(enum.Enum):
    """What a model may need that not every solver has."""

    INTEGER = "integer variables"
    QUADRATIC_OBJECTIVE = "a convex quadratic objective"
    NONCONVEX_OBJECTIVE = "a nonconvex quadratic objective"
    QUADRATIC_ROWS = "quadratic rows"
    NONLINEAR = "nonlinear functions"
    SOS1 = "SOS1 constraints"
    INDICATOR = "indicator constraints"


class Termination(enum.Enum):
    """Why the solver stopped; what is known of the answer is told by :class:`SolverRun`."""

    OPTIMAL = "optimal"
    """Proven within the solver's tolerances and the gap asked for."""
    LOCALLY_OPTIMAL = "locally optimal"
    """A stationary point of an NLP: no proof of global optimality."""
    INFEASIBLE = "infeasible"
    """Proven."""
    LOCALLY_INFEASIBLE = "locally infeasible"
    """An NLP solver converged to a point of local infeasibility: no proof."""
    UNBOUNDED = "unbounded"
    INFEASIBLE_OR_UNBOUNDED = "infeasible or unbounded"
    LIMIT = "limit"
    """Time, node or iteration limit."""
    INTERRUPTED = "interrupted"
    """Ctrl-C."""
    FAILED = "failed"
    """Numerical trouble or an error of the solver; ``message`` says which."""


@dataclass(frozen=True, slots=True)
class SolverOptions:
    """What a run may cost and how hard it should try. None = the solver's own default.

    ``time_limit`` in seconds (> 0); ``gap`` relative (>= 0); ``threads`` >= 1; ``seed`` >= 0;
    ``verbose`` sends the solver's log to stderr; ``extra`` is handed to the solver as it is.
    """

    time_limit: float | None = None
    gap: float | None = None
    threads: int | None = None
    seed: int | None = None
    verbose: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SolverRun:
    """What one solver said of one model.

    ``values`` maps the model's variables (unfixed, appearing in an active component) to values, None without a solution;
    ``objective`` and ``bound`` are in the sense of the model's own objective (``bound`` None where none is proven);
    ``duals`` maps constraints to d(optimal value)/d(right-hand side), whatever the solver's own convention.
    ``solver`` is a name with a version and a route, e.g. ``Ipopt 3.14.11 (cyipopt)``.
    """

    termination: Termination
    solver: str
    values: ComponentMap | None = None
    objective: float | None = None
    bound: float | None = None
    seconds: float = 0.0
    message: str = ""
    nodes: int | None = None
    cuts: int | None = None
    """What a search of ours has added: cuts, disjunctions, policies."""
    follower_solves: int | None = None
    """How many problems of followers such a search has solved, of all kinds."""
    iterations: int | None = None
    duals: ComponentMap | None = None
    reduced_costs: ComponentMap | None = None
    encoding: str | None = None
    """The encoding that was solved, where a plan of several went another way than it began."""
    multipliers: tuple[tuple[str, float, Any], ...] | None = None
    """(row, reported multiplier, component) of the agents' rows, where the run itself knows them."""
    doubts: tuple[str, ...] = ()
    """Reasons not to trust the run that it has found itself: sentences for the user, with what to do."""
    others: tuple[SolverRun, ...] = ()
    """Further points of a search without proof, best first: for the case that this one does not pass verification."""
    epsilon: str = ""
    """The tolerances, in words, of a method whose best promise is epsilon-optimality."""
    bound_holds: bool = False
    """Whether ``bound``, or infeasibility, is proven of the problem itself, whatever the rewrite has made of it."""
    approximate_objective: float | None = None
    """What the leader's objective would be if the surrogate that was solved with were right."""
    surrogate: Mapping[str, Any] | None = None
    """What is known of that surrogate (docs/json.md)."""

    @property
    def has_solution(self) -> bool:
        """Whether there is a point to look at (feasible to the solver's tolerances)."""
        return self.values is not None


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a solver cannot run here, and what to install."""

    reason: str
    remedy: str


class Solver(Protocol):
    """One solver. Stateless: ``run`` may be called for any model, in any order."""

    name: str
    """As the user writes it after ``--solver``."""
    features: frozenset[Feature]
    """What it can take."""
    excludes: tuple[frozenset[Feature], ...]
    """Groups of features that it takes one by one but not together."""
    proves: bool
    """Whether its optimum is a proven global optimum for what it takes."""

    def missing(self) -> Missing | None:
        """None where the solver can run."""

    def version(self) -> str:
        """Name, version and route, as messages and ``--doctor`` print it. Raises SolverMissingError."""

    def run(self, model: Any, options: SolverOptions) -> SolverRun:
        """Solve ``model`` (one active objective or none). Raises SolverMissingError, RefusedError for a feature it lacks."""


def load_values(values: ComponentMap) -> None:
    """Write the values into their variables, without Pyomo's domain checks (solvers are off by 1e-9)."""
    for variable, value in values.items():
        variable.set_value(value, skip_validation=True)
