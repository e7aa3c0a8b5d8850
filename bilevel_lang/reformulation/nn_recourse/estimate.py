"""Before anything is trained: what samples will take, and whether the extensive form would not be the shorter way."""

from __future__ import annotations

from dataclasses import dataclass

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays

WORTH_TELLING = 10.0
"""Seconds of sampling from which on they are announced."""

SMALL_WHOLE, SMALL = 500, 100_000
"""Integers and columns of an extensive form that MILP and LP solvers take in seconds."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of the extensive form."""

    columns: int
    whole: int
    rows: int

    @property
    def small(self) -> bool:
        """Whether a solver takes it in seconds, so that there is nothing to gain by a surrogate."""
        return self.columns <= SMALL and self.whole <= SMALL_WHOLE

    def __str__(self) -> str:
        whole = f" ({self.whole:,} whole)" if self.whole else ""
        return f"{self.columns:,} columns{whole} and {self.rows:,} rows"


def size_of(arrays: TwoStageArrays) -> Size:
    """The extensive form that ``arrays`` would have."""
    count = arrays.scenarios
    return Size(
        len(arrays.first.lower) + count * len(arrays.lower),
        int(arrays.first.integer.sum()) + count * int(arrays.integer.sum()),
        arrays.first.rows + count * len(arrays.row_lower),
    )


def not_worth_it(size: Size) -> str | None:
    """What to tell the user of an extensive form that is small, None of others."""
    if not size.small:
        return None
    return f"the extensive form is small, {size}: `--method extensive-form` is likely to be quicker, and proves its answer"


def sampling_ahead(solves: int, seconds: float, scenarios: int, decisions: int) -> str | None:
    """What to tell of the time that ``decisions`` will take, after ``solves`` second stages in ``seconds``; None: it is short."""
    total = seconds / max(1, solves) * scenarios * decisions
    if total < WORTH_TELLING:
        return None
    took = f"{solves:,} second stages took {seconds:.1f} s"
    said = f"{took}, so that {decisions:,} decisions in {scenarios:,} scenarios take about {total:,.0f} s"
    return f"{said}; --samples and --time-limit make it shorter"
