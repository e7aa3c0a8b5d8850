"""The contract of an encoding on arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, eq=False)
class EncodedArrays:
    """An MPEC ready to be solved. The first columns of every run's ``x`` are those of the MPEC's program.

    ``exactness`` EXACT: the encoded program has the same solutions as the MPEC. ``notes`` are for
    the user (provenance of every bound). ``run`` takes the options and a point to begin from (columns of the MPEC, NaN where
    unknown) or None; what it finds out against its own answer is in the run's ``doubts``.
    """

    exactness: Exactness
    solver: str
    run: Callable[[Options, Floats | None], MatrixRun]
    notes: tuple[str, ...] = ()


class LinearEncoding(Protocol):
    """One encoding. Holds no state."""

    name: str
    """As the user writes it after ``--encoding``."""
    solvers: tuple[str, ...]
    """The solvers it can go to, its own first."""

    def encode(self, mpec: LinearMpec, solver: str, options: Options) -> EncodedArrays:
        """Make ``mpec`` ready for ``solver``. Raises RefusedError with reason and remedy."""


def padded(start: Floats | None, columns: int) -> Floats | None:
    """``start`` with NaN for the columns that an encoding has added."""
    if start is None:
        return None
    return np.concatenate([start, np.full(columns - len(start), np.nan)])
