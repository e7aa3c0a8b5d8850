"""Labels of followers with few whole answers: all of them listed once, the best feasible one looked up for every sample.

Exact, also where the objective is quadratic and not convex; a hundred times quicker than a branch and bound where there are a few
hundred answers.
"""

from __future__ import annotations

import math

import numpy as np

from bilevel_lang.oracle.parametric import Features, ParametricAgent
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.dataset import DataSet, Outcome
from bilevel_lang.surrogate.sampling.space import InputSpace

MOST_CELLS = 2_000_000
"""Whole points within the bounds that are looked at to find the answers."""

MOST_WORK = 200_000
"""Answers times rows that are compared for each sample: above, a branch and bound is quicker."""

FEASIBILITY = 1e-9
"""How far a row may be missed, relative to max(1, |side|): the tolerance that HiGHS gets."""

_ROUNDS = 10
_CHUNK = 4_000_000


class Enumeration:
    """Labels by ``answers`` (c, m), as :func:`all_answers` gives them."""

    again = 0

    def __init__(self, agent: ParametricAgent, answers: Floats) -> None:
        self.agent, self.answers = agent, answers
        self._activity = np.asarray(agent.matrix @ answers.T)
        quadratic = agent.goal.quadratic
        self._fixed = np.zeros(len(answers))
        if quadratic is not None:
            self._fixed = 0.5 * np.einsum("cm,cm->c", answers, np.asarray((quadratic @ answers.T).T))
        self.has_gradients = agent.row_slope.nnz == 0

    def __call__(self, points: Floats) -> DataSet:
        """:meth:`labels`."""
        return self.labels(points)

    def labels(self, points: Floats) -> DataSet:
        """The samples at ``points`` (k, n); of several best answers the first in lexicographic order."""
        agent, goal = self.agent, self.agent.goal
        points = np.ascontiguousarray(points, dtype=float)
        features = agent.features.at(points)
        chosen = self._best(features)
        feasible = chosen >= 0
        responses = np.full((len(points), len(agent.response_names)), np.nan)
        responses[feasible] = self.answers[chosen[feasible]]
        gradients = None
        if self.has_gradients:
            gradients = agent.features.gradient(points, goal.slope + np.asarray((goal.cost_slope.T @ responses.T).T))
            gradients[~feasible] = np.nan
        return DataSet(
            inputs=points,
            feasible=feasible,
            values=np.where(feasible, goal.values(features, responses), np.nan),
            gradients=gradients,
            responses=responses,
            leader=None if agent.leader is None else np.where(feasible, agent.leader.values(features, responses), np.nan),
            input_names=agent.inputs.names,
            response_names=agent.response_names,
            outcomes=np.where(feasible, Outcome.OPTIMAL, Outcome.INFEASIBLE).astype(np.int8),
        )

    def _best(self, features: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """(k,): the number of the best feasible answer, -1 where there is none."""
        found = np.full(len(features), -1, dtype=np.int64)
        if not len(self.answers):
            return found
        step = max(1, _CHUNK // len(self.answers))
        for begin in range(0, len(features), step):
            part = features[begin : begin + step]
            value = self.agent.goal.sense * (self.agent.goal.costs(part) @ self.answers.T + self._fixed)
            value[~self._feasible(part)] = np.inf
            best = value.argmin(axis=1)
            found[begin : begin + step] = np.where(np.isfinite(value[np.arange(len(part)), best]), best, -1)
        return found

    def _feasible(self, features: Floats) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """(k, c): which answers satisfy all rows."""
        agent = self.agent
        shift = np.asarray((agent.row_slope @ features.T).T)
        good = np.ones((len(features), len(self.answers)), dtype=bool)
        for i, activity in enumerate(self._activity):
            low, up = agent.row_lower[i] - shift[:, i], agent.row_upper[i] - shift[:, i]
            if math.isfinite(agent.row_lower[i]):
                good &= activity >= (low - FEASIBILITY * np.maximum(1.0, np.abs(low)))[:, None]
            if math.isfinite(agent.row_upper[i]):
                good &= activity <= (up + FEASIBILITY * np.maximum(1.0, np.abs(up)))[:, None]
        return good


def all_answers(agent: ParametricAgent) -> Floats | None:
    """Every whole answer (c, m) that some inputs of the box admit, in lexicographic order; None where listing does not pay.

    It does for agents whose variables are all whole and bounded, by themselves or by their rows, whose matrix does not depend on
    inputs, and that have few answers.
    """
    m = len(agent.response_names)
    if not m or not agent.integer.all() or len(agent.entries):
        return None
    row_low, row_up = _widest_sides(agent)
    lower, upper = _propagated(agent, row_low, row_up)
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return None
    widths = np.maximum(0, upper - lower + 1)
    if math.prod(widths.tolist()) > MOST_CELLS:
        return None
    axes = [np.arange(low, up + 1) for low, up in zip(lower, upper, strict=True)]
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, m)
    activity = np.asarray(agent.matrix @ cells.T)
    slack = 1e-6 * np.maximum(1.0, np.abs(activity))
    kept = ((activity >= row_low[:, None] - slack) & (activity <= row_up[:, None] + slack)).all(axis=0)
    answers = cells[kept]
    return answers if len(answers) * (1 + len(agent.row_names)) <= MOST_WORK else None


def _widest_sides(agent: ParametricAgent) -> tuple[Floats, Floats]:
    """The loosest sides of each row over the box of the inputs."""
    low, up = _feature_ranges(agent.inputs, agent.features)
    slope = agent.row_slope.toarray()
    with np.errstate(invalid="ignore"):
        ends = np.stack([np.where(slope == 0, 0.0, slope * low), np.where(slope == 0, 0.0, slope * up)])
    least, most = ends.min(axis=0).sum(axis=1), ends.max(axis=0).sum(axis=1)
    return agent.row_lower - most, agent.row_upper - least


def _feature_ranges(space: InputSpace, features: Features) -> tuple[Floats, Floats]:
    if not len(features.pairs):
        return space.lower, space.upper
    i, j = features.pairs.T
    with np.errstate(invalid="ignore"):
        corners = [a[i] * b[j] for a in (space.lower, space.upper) for b in (space.lower, space.upper)]
    products = np.nan_to_num(np.stack(corners), nan=0.0, posinf=np.inf, neginf=-np.inf)
    return np.append(space.lower, products.min(axis=0)), np.append(space.upper, products.max(axis=0))


def _propagated(agent: ParametricAgent, row_low: Floats, row_up: Floats) -> tuple[Floats, Floats]:
    """Whole bounds of the responses that follow from rows and bounds."""
    lower, upper = np.ceil(agent.lower - 1e-9), np.floor(agent.upper + 1e-9)
    for _ in range(_ROUNDS):
        before = (lower.copy(), upper.copy())
        for i in range(agent.matrix.shape[0]):
            part = slice(agent.matrix.indptr[i], agent.matrix.indptr[i + 1])
            _tighten(agent.matrix.indices[part], agent.matrix.data[part], row_low[i], row_up[i], lower, upper)
        if np.array_equal(before[0], lower) and np.array_equal(before[1], upper):
            break
    return lower, upper


def _tighten(
    columns: np.ndarray[tuple[int], np.dtype[np.int64]],
    data: Floats,
    low: float,
    up: float,
    lower: Floats,
    upper: Floats,
) -> None:
    """What one row makes of the bounds of its columns, in place."""
    for j, a in zip(columns.tolist(), data.tolist(), strict=True):
        others = columns != j
        ends = np.stack([data[others] * lower[columns[others]], data[others] * upper[columns[others]]])
        rest_low, rest_up = float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum())
        # a y <= up - rest_low and a y >= low - rest_up; an infinite difference says nothing.
        most, least = (up - rest_low) / a, (low - rest_up) / a
        most, least = (most, least) if a > 0 else (least, most)
        if math.isfinite(most):
            upper[j] = min(upper[j], math.floor(most + 1e-6 * max(1.0, abs(most))))
        if math.isfinite(least):
            lower[j] = max(lower[j], math.ceil(least - 1e-6 * max(1.0, abs(least))))
