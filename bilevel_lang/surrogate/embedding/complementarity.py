"""0 <= z, z - a >= 0, one of them 0, as complementarities: for local NLP solvers, and for encodings of such conditions.

Yang, Balaprakash, Leyffer 2022, "Modeling design and control problems involving neural network surrogates", section 3.2.
"""

from __future__ import annotations

from bilevel_lang.surrogate.embedding.arrays import Ints
from bilevel_lang.surrogate.embedding.assembly import Assembly
from bilevel_lang.surrogate.embedding.sos1 import parts


class Complementarity:
    """See the module; the slack z - a is the column ``negative``."""

    name = "complementarity"
    needs_bounds = False
    rows_only = False

    def add(self, assembly: Assembly, neurons: Ints) -> None:
        """Columns ``negative`` and one pair for each of ``neurons``."""
        assembly.complementary = parts(assembly, neurons)
