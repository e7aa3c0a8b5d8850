"""No switch at all: z >= a, z >= 0. Exact where the network is convex in outputs pushed down and concave in those pushed up.

Amos, Xu, Kolter 2017, "Input convex neural networks", section 3; that the projection is the epigraph follows since every layer is
monotone in the one before. The rows are those that :mod:`construction` gives every neuron which needs no switch; this form only
refuses networks that have others.
"""

from __future__ import annotations

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.embedding.arrays import Ints
from bilevel_lang.surrogate.embedding.assembly import Assembly


class Epigraph:
    """See the module."""

    name = "epigraph"
    needs_bounds = False
    rows_only = True

    def add(self, assembly: Assembly, neurons: Ints) -> None:
        """RefusedError where a neuron needs a switch."""
        if len(neurons):
            raise RefusedError(
                f"the form epigraph cannot be used: {len(neurons)} of {assembly.reduced.network.neurons} neurons have to be held "
                "from above, because the model does not only push down outputs in which the network is convex and push up those "
                "in which it is concave",
                "use the form split, which gives these neurons a binary, or train a network of the other curvature",
            )
