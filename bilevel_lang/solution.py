"""What a solve gives back: a point, what was measured about it, and three verdicts kept apart.

*termination* is what the solver said, *exactness* is what the method can promise, the *certificate* is what was measured on
the modeller's own model by solving every agent again.
"""

from __future__ import annotations

import enum
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyomo.common.collections import ComponentMap


class Exactness(enum.Enum):
    """What a method can promise about its answer."""

    EXACT = "exact"
    EPSILON = "epsilon"
    STATIONARY = "stationary"
    RELAXATION = "relaxation"
    APPROXIMATION = "approximation"


class Status(enum.Enum):
    """The one word for the answer; ``docs/json.md`` says what each needs."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    LIMIT = "limit"
    INTERRUPTED = "interrupted"
    VERIFICATION_FAILED = "verification_failed"
    UNKNOWN = "unknown"
    ERROR = "error"

    @property
    def exit_code(self) -> int:
        """The process exit code that goes with it."""
        return EXIT_CODES[self]


EXIT_CODES: Mapping[Status, int] = {
    Status.OPTIMAL: 0,
    Status.FEASIBLE: 0,
    Status.INFEASIBLE: 4,
    Status.UNBOUNDED: 4,
    Status.LIMIT: 5,
    Status.UNKNOWN: 5,
    Status.ERROR: 5,
    Status.VERIFICATION_FAILED: 7,
    Status.INTERRUPTED: 130,
}


@dataclass(frozen=True, eq=False)
class Point:
    """Values of the modeller's variables, and the agents' multipliers as (name, value, component)."""

    values: ComponentMap
    multipliers: tuple[tuple[str, float, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class FollowerReport:
    """One agent, solved again with everything else fixed.

    ``objective`` is its objective at the point, ``optimal_value`` the best it could have; for a ``vi`` both are None and ``gap``
    is the natural-map residual. ``gap`` is absolute, in the units of the objective, and >= 0 up to tolerances; ``relative_gap``
    is gap / ``size``, where ``size`` is that of the terms of the objective (docs/verification.md; None for a ``vi``, whose
    residual is relative by component). ``proven`` tells whether the verdict rests on a proof; ``how`` says which solver gave it.
    """

    name: str
    kind: str
    objective: float | None
    optimal_value: float | None
    gap: float | None
    relative_gap: float | None
    feasibility: float
    verified: bool
    proven: bool
    how: str
    size: float | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was measured on the modeller's own model.

    ``leader_feasibility`` and ``follower_feasibility`` are the largest violations, relative to max(1, |side|) (less where a whole
    row is smaller than 1); ``follower_gap`` the largest relative value gap (or VI residual), whatever its sign; ``dual_residual``
    the largest deviation of a ``dualvar`` variable from being a multiplier (None without ``dualvar``); ``common_residual`` how
    far agents are from having one multiplier of the rows that they share (None without ``visol``). ``verified`` iff all of them
    are within ``tolerance`` and every agent's optimum is proven.
    """

    leader_feasibility: float
    follower_feasibility: float
    follower_gap: float
    verified: bool
    tolerance: float
    followers: tuple[FollowerReport, ...] = ()
    dual_residual: float | None = None
    remarks: tuple[str, ...] = ()
    common_residual: float | None = None


@dataclass(frozen=True, slots=True)
class Tie:
    """What the leader gets from the best and the worst of one agent's optimal answers, everything else fixed at the point.

    ``best`` and ``worst`` are values of the leader's objective in its own sense, infinite where it has no limit, both None where
    they were not measured (``how`` says why, else what measured them). ``unique``: the two are equal up to tolerances, so that
    it does not matter for the leader's objective which answer is given. ``worst_answer`` maps the agent's variables to values;
    ``violated`` names the leader's rows that it breaks.
    """

    name: str
    best: float | None
    worst: float | None
    unique: bool
    how: str
    violated: tuple[str, ...] = ()
    worst_answer: Mapping[str, float] = field(default_factory=dict)

    @property
    def measured(self) -> bool:
        """Whether the two values are known."""
        return self.best is not None and self.worst is not None


@dataclass(frozen=True, slots=True)
class MultiplierRange:
    """A ``dualvar`` variable and the least and largest value that the multiplier of its row can have at the point.

    In the variable's own sign; infinite where there is no limit. ``unique``: the two are equal up to tolerances.
    """

    variable: str
    row: str
    value: float
    lower: float
    upper: float
    unique: bool


@dataclass(frozen=True, slots=True)
class Stationarity:
    """What is known of a local answer as a stationary point of the MPEC (docs/after-the-solve.md).

    ``kind``: ``S``, ``B``, ``M``, ``C``, ``W``, the strongest that was shown, or None where not even W could be. ``multipliers``
    is the strongest class of multipliers found (S, M, C, W or None); ``descent`` whether a first-order descent direction exists,
    None where that was not computed. ``biactive`` of ``pairs`` conditions have both sides at zero. ``how`` says it in words.
    """

    kind: str | None
    multipliers: str | None
    descent: bool | None
    pairs: int
    biactive: int
    how: str


@dataclass(frozen=True, slots=True)
class RiskValue:
    """A measure of risk of one variable at the answer; ``level`` is the probability of the tail."""

    kind: str
    variable: str
    level: float
    value: float


@dataclass(frozen=True, slots=True)
class OutOfSample:
    """The answer tried out on fresh scenarios: their mean, and half the width of its 95 % confidence interval.

    ``infeasible`` of ``scenarios`` have no second stage at all for this first stage; then the mean is that of the others.
    """

    scenarios: int
    mean: float
    half_width: float
    infeasible: int


@dataclass(frozen=True, slots=True)
class StochasticReport:
    """What a stochastic program has beside an answer (docs/stochastic.md).

    ``values`` are what each scenario costs (the first stage included), in the sense of the objective, as (name, probability,
    value). ``wait_and_see`` and ``mean_value_cost`` are the optima that ``evpi`` and ``vss`` compare with; None where they
    were not had.
    """

    scenarios: int
    sampled: bool
    values: tuple[tuple[str, float, float], ...]
    wait_and_see: float | None = None
    evpi: float | None = None
    mean_value_cost: float | None = None
    vss: float | None = None
    risks: tuple[RiskValue, ...] = ()
    chances: tuple[tuple[str, float, float], ...] = ()
    """Rows of chance constraints, the probability that was asked for, and the one at the answer."""
    out_of_sample: OutOfSample | None = None


@dataclass(frozen=True, slots=True)
class SearchCounts:
    """What the search did, as far as it is known: nodes of branch and bound, cuts, problems of followers solved."""

    nodes: int | None = None
    cuts: int | None = None
    follower_solves: int | None = None


@dataclass(frozen=True, eq=False)
class BilevelSolution:
    """The answer. ``objective``, ``bound`` in the leader's own sense; ``gap`` relative; None where there is none."""

    status: Status
    termination: str
    exactness: Exactness | None
    objective: float | None
    bound: float | None
    gap: float | None
    method: str
    encoding: str | None
    solver: str
    variables: Mapping[str, float]
    duals: Mapping[str, float]
    certificate: Certificate | None
    summary: Mapping[str, int]
    seconds: Mapping[str, float]
    messages: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    point: Point | None = field(default=None, repr=False)
    has_leader: bool = True
    position: str = "optimistic"
    ties: tuple[Tie, ...] = ()
    """One for each agent that the leader's objective depends on; empty where there is none, or no verified point."""
    multiplier_ranges: tuple[MultiplierRange, ...] = ()
    """One for each ``dualvar`` variable of a verified point."""
    stationarity: Stationarity | None = None
    """Of an answer that a local solver gave, None otherwise."""
    stochastic: StochasticReport | None = None
    """Of a stochastic program, None otherwise; then ``variables`` are those of the first stage."""
    approximate_objective: float | None = None
    """What the surrogate of nn-embed says of the objective; never the answer. None of other methods."""
    surrogate: Mapping[str, Any] | None = None
    """What is known of that surrogate (docs/json.md)."""
    search: SearchCounts | None = None
    """None where nothing of it is known."""

    @property
    def exit_code(self) -> int:
        """The process exit code that goes with the status."""
        return self.status.exit_code

    @property
    def followers(self) -> tuple[FollowerReport, ...]:
        """The agents, each solved again at the point; empty without a point."""
        return self.certificate.followers if self.certificate else ()

    @property
    def verified(self) -> bool:
        """Whether every agent's optimality was confirmed on the original model."""
        return bool(self.certificate and self.certificate.verified)

    def _repr_html_(self) -> str:
        """A table for notebooks; names are escaped."""
        rows = [("status", self.status.value), ("objective", self.objective), ("verified", self.verified), ("bound", self.bound)]
        rows += list(self.variables.items())
        cells = "".join(f"<tr><td>{html.escape(str(k))}</td><td>{html.escape(str(v))}</td></tr>" for k, v in rows)
        return f"<table>{cells}</table>"
