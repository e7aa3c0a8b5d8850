"""a = z - s with one of z and s 0, said by SOS1 sets: no bounds and no binaries, but a solver that knows such sets."""

from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.embedding.arrays import INACTIVE, Ints
from bilevel_lang.surrogate.embedding.assembly import Assembly, Columns


class Sos1:
    """See the module."""

    name = "sos1"
    needs_bounds = False
    rows_only = False

    def add(self, assembly: Assembly, neurons: Ints) -> None:
        """Columns ``negative`` and one set for each of ``neurons``."""
        assembly.sos1 = parts(assembly, neurons)


def parts(assembly: Assembly, neurons: Ints) -> Ints:
    """Columns ``negative`` and the rows a = z - s; the pairs (k, 2) of columns of which one has to be 0."""
    none = np.zeros(len(neurons))
    form = assembly.before(neurons, -1.0)
    negative = assembly.add_columns(Columns("negative", neurons, none, -assembly.reduced.lower[neurons], INACTIVE, form))
    relu = assembly.relu[neurons]
    assembly.add_rows("parts", neurons, assembly.before(neurons), [(relu, -1.0), (negative, 1.0)], 0.0, 0.0)
    return np.column_stack([relu, negative])
