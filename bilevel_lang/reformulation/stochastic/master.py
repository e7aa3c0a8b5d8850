"""The master program of decompositions by cuts: the first stage with estimates in place of the second.

    min c'x + w'theta   subject to   A x in [b_l, b_u],  theta_g >= slope'x + offset  for every cut of estimate g,  more rows of x

Birge and Louveaux 2011, section 5.1; an estimate may stand for one scenario or for many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Flags, MatrixProgram
from bilevel_lang.solvers.program import Floats


@dataclass
class CutRows:
    """``slopes`` (each (n1,)) and ``offsets`` of cuts, with the numbers ``places`` of the estimates that they are of."""

    slopes: list[Floats] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, place: int, slope: Floats, offset: float) -> None:
        """theta of ``place`` is at least ``slope'x + offset``."""
        self.slopes.append(slope)
        self.offsets.append(offset)
        self.places.append(place)


@dataclass(frozen=True, eq=False)
class Estimates:
    """Bounds and costs (g,) of the thetas."""

    lower: Floats
    upper: Floats
    weights: Floats


def master_program(
    first: MatrixProgram,
    cost: Floats,
    whole: Flags,
    thetas: Estimates,
    cuts: CutRows,
    further: Sequence[tuple[Floats, Floats, Floats]] = (),
) -> MatrixProgram:
    """Over [x | theta], to be minimised: ``cost`` (n1,) instead of that of ``first``, integers where ``whole`` (n1,).

    ``further``: rows (r, n1) of x with their lower and upper sides (r,).
    """
    count, k = len(thetas.lower), len(cuts.places)
    rows = [sp.hstack([first.matrix, sp.csr_matrix((first.rows, count))])]
    lower, upper = [first.row_lower], [first.row_upper]
    if k:
        ones = sp.csr_matrix((np.ones(k), (np.arange(k), cuts.places)), shape=(k, count))
        rows.append(sp.hstack([sp.csr_matrix(-np.array(cuts.slopes)), ones]))
        lower.append(np.array(cuts.offsets))
        upper.append(np.full(k, np.inf))
    for matrix, low, up in further:
        rows.append(sp.hstack([sp.csr_matrix(matrix), sp.csr_matrix((len(matrix), count))]))
        lower.append(low)
        upper.append(up)
    return MatrixProgram(
        lower=np.concatenate([first.lower, thetas.lower]),
        upper=np.concatenate([first.upper, thetas.upper]),
        integer=np.concatenate([whole, np.zeros(count, dtype=bool)]),
        cost=np.concatenate([cost, thetas.weights]),
        matrix=sp.csr_matrix(sp.vstack(rows)),
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
    )
