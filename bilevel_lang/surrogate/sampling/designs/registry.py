"""All designs. `csv`, `feasible`, `around` and `listed` need more than a name, so these are the classes."""

from __future__ import annotations

from typing import TypeAlias

from bilevel_lang.surrogate.sampling.designs.around import Around
from bilevel_lang.surrogate.sampling.designs.csv_file import CsvFile
from bilevel_lang.surrogate.sampling.designs.feasible import Feasible
from bilevel_lang.surrogate.sampling.designs.latin_hypercube import LatinHypercube
from bilevel_lang.surrogate.sampling.designs.listed import Listed
from bilevel_lang.surrogate.sampling.designs.sobol import Sobol

AnyDesign: TypeAlias = type[LatinHypercube] | type[Sobol] | type[Feasible] | type[CsvFile] | type[Around] | type[Listed]

DESIGNS: tuple[AnyDesign, ...] = (LatinHypercube, Sobol, Feasible, CsvFile, Around, Listed)
"""The first is what is taken where nobody asks for another."""
