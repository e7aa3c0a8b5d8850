"""Where the inputs of a network may lie: a box, which of them are whole, and linear rows on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.network import Bools, Floats


@dataclass(frozen=True, eq=False)
class InputSet:
    """``lower <= x <= upper`` (n,), x_j whole where ``integer`` (n,), ``row_lower <= rows x <= row_upper``; ``names`` are told.

    Raises ValueError for shapes that do not fit and for crossed or NaN bounds. Infinite bounds are allowed here; what cannot do
    without finite ones asks :meth:`require_bounded`.
    """

    lower: Floats
    upper: Floats
    integer: Bools
    names: tuple[str, ...]
    rows: sp.csr_matrix
    row_lower: Floats
    row_upper: Floats

    def __post_init__(self) -> None:
        n, m = len(self.names), len(self.row_lower)
        shapes = {self.lower.shape, self.upper.shape, self.integer.shape}
        if shapes != {(n,)} or self.rows.shape != (m, n) or self.row_upper.shape != (m,):
            raise ValueError(f"the parts of an input set do not fit {n} names and {m} rows")
        if not (self.lower <= self.upper).all():
            bad = int(np.flatnonzero(~(self.lower <= self.upper))[0])
            raise ValueError(f"input {self.names[bad]} has the bounds {self.lower[bad]} and {self.upper[bad]}")

    @property
    def inputs(self) -> int:
        """How many inputs."""
        return len(self.names)

    def require_bounded(self, what: str) -> None:
        """RefusedError that names the inputs without finite bounds; ``what`` needs them."""
        open_ends = np.flatnonzero(~(np.isfinite(self.lower) & np.isfinite(self.upper)))
        if not open_ends.size:
            return
        j = int(open_ends[0])
        others = f" (and {len(open_ends) - 1} more inputs)" if len(open_ends) > 1 else ""
        raise RefusedError(
            f"{what} needs bounds of all inputs, and {self.names[j]} lies in [{self.lower[j]:g}, {self.upper[j]:g}]{others}",
            f"give {self.names[j]} a finite lower and upper bound",
        )


def box(lower: Floats, upper: Floats, integer: Bools | None = None, names: tuple[str, ...] = ()) -> InputSet:
    """A box without rows; names are ``x[0]``, ``x[1]``, ... where none are given."""
    low, up = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    n = len(low)
    whole = np.zeros(n, dtype=bool) if integer is None else np.asarray(integer, dtype=bool)
    none = np.zeros(0)
    return InputSet(low, up, whole, names or tuple(f"x[{j}]" for j in range(n)), sp.csr_matrix((0, n)), none, none)
