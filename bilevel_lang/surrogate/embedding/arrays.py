"""An embedded network as arrays: what a form makes, and what a solver, a Pyomo block or a method takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from bilevel_lang.surrogate.embedding.polarity import Push
from bilevel_lang.surrogate.embedding.reduction import Fates, Reduced
from bilevel_lang.surrogate.network import Affine, Bools, Floats

Ints = npt.NDArray[np.int64]

ALWAYS, ACTIVE, INACTIVE = 0, 1, -1


@dataclass(frozen=True, eq=False)
class Completion:
    """What every new column is at a given point: its row of ``forms``, over the reduced network's columns, where its ``neuron``
    (of that network) is as ``gate`` says (ACTIVE: its input is positive; INACTIVE: it is not; ALWAYS), 0 elsewhere."""

    gate: npt.NDArray[np.int8]
    neuron: Ints
    forms: Affine


@dataclass(frozen=True, eq=False)
class Embedding:
    """Columns and rows that say ``outputs = network(inputs)``, over ``[inputs | new columns]``, n inputs and k new columns.

    * ``lower``, ``upper``, ``integer`` (k,): of the new columns; ``names`` (k,) tell what each is: ``relu[3]`` is the output of
      neuron 3 of the original network, ``negative[3]`` max(0, -a), ``active[3]`` its switch; tiny or huge values are multiples,
      see ``equilibration``
    * ``row_lower <= matrix [x | new] <= row_upper``, (rows, n + k); ``row_names``
    * ``sos1`` (pairs, 2) and ``complementary`` (pairs, 2): columns (numbered over all n + k) of which at most one may not be 0
    * ``outputs``: affine over all n + k columns; exact for a model that pushes output i as ``push[i]`` says, see
      :mod:`~bilevel_lang.surrogate.embedding.polarity`
    * ``reduced``: the network that was embedded; ``fate`` there is the provenance of every original neuron
    * ``completion``: how all new columns follow from the inputs
    """

    form: str
    push: tuple[Push, ...]
    inputs: int
    lower: Floats
    upper: Floats
    integer: Bools
    names: tuple[str, ...]
    matrix: sp.csr_matrix
    row_lower: Floats
    row_upper: Floats
    row_names: tuple[str, ...]
    sos1: Ints
    complementary: Ints
    outputs: Affine
    reduced: Reduced
    completion: Completion

    @property
    def columns(self) -> int:
        """How many new columns."""
        return len(self.lower)

    @property
    def binaries(self) -> int:
        """Switches: binary columns and SOS1 sets together."""
        return int(self.integer.sum()) + len(self.sos1)

    @property
    def fate(self) -> Fates:
        """What became of every neuron of the original network (neurons,): see ``reduction``."""
        return self.reduced.fate

    def complete(self, points: Floats) -> Floats:
        """The new columns (points, k) at ``points`` (points, n): the forward pass, written in the columns of the form."""
        return complete(self.reduced, self.completion, points)

    def output(self, columns: Floats) -> Floats:
        """The outputs (points, outputs) at values of all columns (points, n + k)."""
        return self.outputs(columns)


def complete(reduced: Reduced, completion: Completion, points: Floats) -> Floats:
    """See :meth:`Embedding.complete`."""
    columns = reduced.network.columns(points)
    values = completion.forms(columns)
    if not reduced.network.neurons:
        return values
    active = columns[:, reduced.network.inputs :][:, completion.neuron] > 0
    gate = completion.gate
    return np.where((gate == ALWAYS) | ((gate == ACTIVE) == active), values, 0.0)
