"""The input of a ReLU as the difference of its positive and its negative part: a = z - s, one of them 0.

Fischetti and Jo 2018, "Deep neural networks and mixed integer linear optimization", eq. (6) with the bounds of eq. (9): one dense
row and two short ones a neuron. A neuron that only has to be held from above needs no s and one dense row:
z <= a - l (1 - active), z <= u active.
"""

from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.embedding.arrays import ACTIVE, INACTIVE, Ints
from bilevel_lang.surrogate.embedding.assembly import Assembly, Columns, Terms


class Split:
    """See the module."""

    name = "split"
    needs_bounds = True
    rows_only = True

    def add(self, assembly: Assembly, neurons: Ints) -> None:
        """Columns ``active`` for all, ``negative`` for those that need both halves."""
        both = assembly.reduced.needs.lower[neurons]
        active = add_switches(assembly, neurons)
        self._two_sided(assembly, neurons[both], active[both])
        held_from_above(assembly, neurons[~both], active[~both])

    def _two_sided(self, assembly: Assembly, neurons: Ints, active: Ints) -> None:
        lower = assembly.reduced.lower[neurons]
        part = Columns("negative", neurons, np.zeros(len(neurons)), -lower, INACTIVE, assembly.before(neurons, -1.0))
        negative = assembly.add_columns(part)
        relu = assembly.relu[neurons]
        assembly.add_rows("parts", neurons, assembly.before(neurons), [(relu, -1.0), (negative, 1.0)], 0.0, 0.0)
        assembly.add_rows("negative_off", neurons, None, [(negative, 1.0), (active, -lower)], -np.inf, -lower)


def add_switches(assembly: Assembly, neurons: Ints) -> Ints:
    """A binary column ``active`` for each of ``neurons``, and the row z <= u active; the places of the columns."""
    ones = np.ones(len(neurons))
    part = Columns("active", neurons, 0.0 * ones, ones, ACTIVE, assembly.constant(neurons), integer=True)
    active = assembly.add_columns(part)
    upper = assembly.reduced.upper[neurons]
    assembly.add_rows("relu_off", neurons, None, [(assembly.relu[neurons], 1.0), (active, -upper)], -np.inf, 0.0)
    return active


def held_from_above(assembly: Assembly, neurons: Ints, active: Ints) -> None:
    """The rows z <= a - l (1 - active)."""
    lower = assembly.reduced.lower[neurons]
    terms: Terms = [(assembly.relu[neurons], -1.0), (active, lower)]
    assembly.add_rows("at_most", neurons, assembly.before(neurons), terms, lower, np.inf)
