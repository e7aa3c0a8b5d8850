"""On which sides of which rows an output stands, so whether one half of the network is enough; and the check after the solve.

Everything is brought to one side: with ``t`` the output, a minimised objective and every row ``<=`` push it down where t's
coefficient is positive and up where it is negative; ``>=`` rows and a maximised objective are turned round. An output that all
of them push down may be embedded by columns that are no smaller than the network's, and the other way round; an equality, or two
that disagree, need both halves. The test is of the text, sufficient and not necessary: :func:`untight` certifies a single answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.embedding.arrays import Embedding
from bilevel_lang.surrogate.embedding.polarity import Push
from bilevel_lang.surrogate.network import Bools, Floats, Network


@dataclass(frozen=True, eq=False)
class Use:
    """Where outputs stand: ``objective`` (outputs,) their coefficients there, ``sense`` +1 min or -1 max; ``rows`` (rows,
    outputs) their coefficients in rows with the sides ``row_lower`` and ``row_upper`` (rows,), named ``row_names``."""

    objective: Floats
    sense: int
    rows: Floats
    row_lower: Floats
    row_upper: Floats
    row_names: tuple[str, ...]


@dataclass(frozen=True)
class Side:
    """What pushes one output: names of rows, or ``objective``."""

    down: tuple[str, ...]
    up: tuple[str, ...]

    @property
    def push(self) -> Push:
        """The direction; an output that stands nowhere may be pushed either way."""
        if self.down and self.up:
            return "both"
        return "up" if self.up else "down"


def sides_of(use: Use) -> tuple[Side, ...]:
    """For every output what pushes it down and what pushes it up."""
    cost = use.sense * use.objective
    below, above = np.isfinite(use.row_upper), np.isfinite(use.row_lower)
    return tuple(_side(float(cost[k]), use.rows[:, k], below, above, use.row_names) for k in range(len(use.objective)))


def _side(cost: float, column: Floats, below: Bools, above: Bools, names: tuple[str, ...]) -> Side:
    down = ((column > 0) & below) | ((column < 0) & above)
    up = ((column > 0) & above) | ((column < 0) & below)
    return Side(
        (("objective",) if cost > 0 else ()) + tuple(names[i] for i in np.flatnonzero(down)),
        (("objective",) if cost < 0 else ()) + tuple(names[i] for i in np.flatnonzero(up)),
    )


def push_of(use: Use) -> tuple[Push, ...]:
    """What ``embed`` wants to know of each output."""
    return tuple(side.push for side in sides_of(use))


def require_linear(network: Network, use: Use) -> tuple[Push, ...]:
    """:func:`push_of` where every output may be embedded without a switch: convex and pushed down, or concave and pushed up.

    Raises RefusedError that names the output and what pushes it the wrong way.
    """
    sides, convex, concave = sides_of(use), network.convex(), network.concave()
    for k, side in enumerate(sides):
        wrong = _wrong(side, bool(convex[k]), bool(concave[k]))
        if wrong:
            raise RefusedError(
                f"output {k} of the network cannot be embedded as an LP: {wrong}",
                "use the form split, which gives these neurons a binary, or train a network of the other curvature",
            )
    return tuple(side.push for side in sides)


def _wrong(side: Side, convex: bool, concave: bool) -> str:
    """Why an LP would not be exact; empty where it is."""
    if (convex and not side.up) or (concave and not side.down):
        return ""
    if not (convex or concave):
        return "it is neither convex nor concave in the inputs"
    pushing, curved, way = (side.up, "convex", "up") if convex else (side.down, "concave", "down")
    return f"it is {curved}, and {', '.join(pushing[:5])} pushes it {way}"


def untight(embedding: Embedding, network: Network, columns: Floats) -> Floats:
    """t* - N(x*) (outputs,) at an answer ``columns`` (inputs + new columns,): 0 up to tolerances where the answer is one of the
    network. Positive for an output pushed down whose embedding is not tight: then the answer belongs to the relaxation only."""
    point = columns[None, : embedding.inputs]
    found: Floats = (embedding.output(columns[None]) - network(point))[0]
    return found
