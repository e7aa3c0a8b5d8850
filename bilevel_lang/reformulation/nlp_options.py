"""What the user may ask of the encodings for NLP solvers; the names are those of GAMS/NLPEC where it has the same choice."""

from __future__ import annotations

import itertools
import math
import numbers
from dataclasses import dataclass
from typing import Literal

from bilevel_lang.errors import UsageError

Form = Literal["equality", "inequality"]
Slacks = Literal["needed", "none"]
Aggregate = Literal["none", "full"]

LONGEST = 60
"""More solves from one start than this are a slip of the pen, not a sequence."""


@dataclass(frozen=True, slots=True)
class NlpOptions:
    """Options of the encodings for NLP solvers. None = the encoding's own.

    ``mu``: the sequence of parameters, decreasing and > 0, in units of the product of two sides; :func:`mu_sequence` makes a
    geometric one. ``form``: whether the row of a pair is an equality (``= mu``) or an inequality (``<= mu``). ``slacks``:
    ``needed`` gives every side that is not a variable >= 0 a slack variable, ``none`` writes the expressions themselves.
    ``aggregate``: ``full`` states one row for the sum over all pairs.

    Source: GAMS/NLPEC manual, options ``initMu``, ``finalMu``, ``updateFac``, ``numSolves``, ``constraint``, ``slack``,
    ``aggregate``.
    """

    mu: tuple[float, ...] | None = None
    form: Form | None = None
    slacks: Slacks = "needed"
    aggregate: Aggregate = "none"

    def __post_init__(self) -> None:
        """Raises UsageError for a sequence that does not decrease and for unknown words."""
        _one_of("form", self.form, (None, "equality", "inequality"))
        _one_of("slacks", self.slacks, ("needed", "none"))
        _one_of("aggregate", self.aggregate, ("none", "full"))
        if self.mu is not None:
            object.__setattr__(self, "mu", _decreasing(self.mu))

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the options that differ from the default."""
        default = NlpOptions()
        return tuple(name for name in self.__slots__ if getattr(self, name) != getattr(default, name))


def mu_sequence(initial: float, final: float, factor: float = 0.1) -> tuple[float, ...]:
    """``initial``, ``initial * factor``, ... down to ``final``, which is always the last one.

    ``0 < final <= initial`` and ``0 < factor < 1``; raises UsageError otherwise, and for more than 60 solves.
    """
    if not (0 < final <= initial < math.inf and 0 < factor < 1):
        raise UsageError(f"no sequence leads from mu = {initial:g} to {final:g} by the factor {factor:g}", _MU_HELP)
    count = math.ceil(math.log(final / initial) / math.log(factor) - 1e-9)
    if count >= LONGEST:
        raise UsageError(
            f"mu from {initial:g} to {final:g} by the factor {factor:g} takes {count + 1} solves", "take a smaller factor"
        )
    return (*(initial * factor**k for k in range(count)), final)


def parse_mu(text: str) -> tuple[float, ...]:
    """A sequence as it is typed: ``1,1e-2,1e-4``, or ``1:1e-8`` or ``1:1e-8:0.01`` for initial, final and factor."""
    parts = text.split(":") if ":" in text else text.split(",")
    try:
        figures = [float(part) for part in parts]
    except ValueError:
        raise UsageError(f"{text!r} is no sequence of numbers", _MU_HELP) from None
    if ":" not in text:
        return _decreasing(tuple(figures))
    if len(figures) > 3:
        raise UsageError(f"{text!r} has more than initial, final and factor", _MU_HELP)
    return mu_sequence(*figures)


_MU_HELP = "write 1,1e-2,1e-4 or initial:final:factor, such as 1:1e-8:0.01"


def _decreasing(mu: tuple[float, ...]) -> tuple[float, ...]:
    if not isinstance(mu, (tuple, list)) or not all(isinstance(m, numbers.Real) and not isinstance(m, bool) for m in mu):
        raise UsageError(f"`mu` is a sequence of numbers, not {mu!r}", _MU_HELP)
    figures = tuple(float(m) for m in mu)
    if not figures or len(figures) > LONGEST or not all(0 < m < math.inf for m in figures):
        raise UsageError(f"`mu` must hold 1 to {LONGEST} finite numbers > 0", _MU_HELP)
    if any(later >= earlier for earlier, later in itertools.pairwise(figures)):
        raise UsageError("`mu` must decrease from solve to solve", _MU_HELP)
    return figures


def _one_of(name: str, value: object, words: tuple[object, ...]) -> None:
    if value not in words:
        said = " or ".join(f"`{w}`" for w in words if w is not None)
        raise UsageError(f"option `{name}` is {said}, not {value!r}")
