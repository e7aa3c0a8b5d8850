"""The textbook form, with the value before the ReLU as a column of its own: z >= a, z <= a - l (1 - active), z <= u active.

Tjeng, Xiao, Tedrake 2019, "Evaluating robustness of neural networks with mixed integer programming", eq. (6); l and u are proven,
neuron by neuron.
"""

from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.embedding.arrays import ALWAYS, Ints
from bilevel_lang.surrogate.embedding.assembly import Assembly, Columns
from bilevel_lang.surrogate.embedding.split import add_switches


class BigM:
    """See the module."""

    name = "big-m"
    needs_bounds = True
    rows_only = True

    def add(self, assembly: Assembly, neurons: Ints) -> None:
        """Columns ``active`` and ``before``."""
        active = add_switches(assembly, neurons)
        lower, upper = assembly.reduced.lower[neurons], assembly.reduced.upper[neurons]
        before = assembly.add_columns(Columns("before", neurons, lower, upper, ALWAYS, assembly.before(neurons)))
        relu = assembly.relu[neurons]
        assembly.add_rows("before", neurons, assembly.before(neurons), [(before, -1.0)], 0.0, 0.0)
        assembly.add_rows("at_least", neurons, None, [(before, 1.0), (relu, -1.0)], -np.inf, 0.0)
        assembly.add_rows("at_most", neurons, None, [(before, 1.0), (relu, -1.0), (active, lower)], lower, np.inf)
