"""Decisions that a network ranks next to its own. In few scenarios it is least sure, and trying decisions out costs least."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.network import Network

SOLVES, MOST = 1000, 50
"""Second stages that are solved to try them out, and decisions, at most."""

SECONDS = 15.0
"""What that may take, as far as the decisions before tell; and of a time limit that is left no more than :data:`SHARE`."""

SHARE = 0.2

LISTED = 5000
"""Whole decisions up to which all of them are ranked; otherwise those around the network's own."""


def how_many(scenarios: int, asked: int, seconds: float, left: float = np.inf) -> int:
    """Decisions worth trying out in so many ``scenarios``, after ``asked`` took ``seconds``; ``left``: seconds to go."""
    each = seconds / max(1, asked)
    affordable = min(SECONDS, SHARE * left) / max(each, 1e-9)
    return int(min(MOST, SOLVES // max(1, scenarios), affordable))


def ranked(decisions: Decisions, network: Network, point: Floats, count: int) -> Floats:
    """(k, inputs), k <= ``count``: by first-stage costs and ``network``, the cheapest first, ``point`` itself left out.

    Decisions that the rows of the first stage do not allow are left out.
    """
    every = decisions.all(LISTED)
    points = decisions.around(point) if every is None else every
    points = points[np.abs(points - point).max(axis=1) > 1e-9]
    if not len(points):
        return np.zeros((0, len(point)))
    order = np.argsort(network(points).ravel() + points @ decisions.prices, kind="stable")
    some = [x for x, _ in zip(_allowed(decisions, points[order]), range(count), strict=False)]
    return np.array(some).reshape(-1, points.shape[1])


def _allowed(decisions: Decisions, points: Floats) -> Iterator[Floats]:
    """One after the other: only as many are looked at as are wanted."""
    return (point for point in points if decisions.completed(point) is not None)
