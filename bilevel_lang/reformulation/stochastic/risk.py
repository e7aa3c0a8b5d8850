"""Measures of risk as columns and rows of the two-stage program.

CVaR of the upper tail of probability a (Rockafellar and Uryasev, 2000):  min over e of  e + (1/a) E[(r - e)+]. It is an upper
estimate for every e, so that it stands for CVaR only where the model wants it small; the lower tail is the mirror image. VaR
is the least v with P(r > v) <= a: a binary for each scenario says where r may exceed v.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.compilation import Compiled
from bilevel_lang.reformulation.stochastic.extension import Extension
from bilevel_lang.reformulation.stochastic.ranges import column_ranges
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.uncertainty.program import RiskTerm

WORDS = {"expectedvalue": "the expected value", "cvarlo": "CVaR", "cvarup": "CVaR", "varlo": "VaR", "varup": "VaR"}


@dataclass(frozen=True, eq=False)
class Measured:
    """What became of one term: ``column`` (of the first stage) holds ``e`` or ``v``, None for an expected value."""

    term: RiskTerm
    random: int
    result: int | None
    column: int | None = None


def with_risks(compiled: Compiled, arrays: TwoStageArrays, terms: tuple[RiskTerm, ...]) -> tuple[TwoStageArrays, list[Measured]]:
    """The program with the measures in it.

    Raises RefusedError, at the place of the measure, where it would not be what its name says.
    """
    if not terms:
        return arrays, []
    first = {id(v): k for k, v in enumerate(compiled.first)}
    second = {id(v): k for k, v in enumerate(compiled.second)}
    found = []
    for term in terms:
        random = second[id(term.variable)]
        result = None if term.result is None else first[id(term.result)]
        arrays, measured = _one(arrays, term, random, result)
        found.append(measured)
    return arrays, found


def value_of_measure(kind: str, level: float, outcomes: Floats, probabilities: Floats) -> float:
    """The measure itself, from the outcomes (S,) and their probabilities: computed from its definition, by sorting."""
    if kind == "expectedvalue":
        return float(probabilities @ outcomes)
    if kind.endswith("lo"):
        return -value_of_measure(kind[:-2] + "up", level, -outcomes, probabilities)
    order = np.argsort(-outcomes, kind="stable")
    worst, weights = outcomes[order], probabilities[order]
    before = np.concatenate([[0.0], np.cumsum(weights)[:-1]])
    if kind == "varup":
        # The first outcome (from the worst) that more than `level` of the probability reaches or exceeds.
        beyond = np.flatnonzero(np.cumsum(weights) > level + 1e-12)
        return float(worst[beyond[0]] if beyond.size else worst[-1])
    shares = np.clip(level - before, 0.0, weights)
    return float(shares @ worst / level)


def _one(arrays: TwoStageArrays, term: RiskTerm, random: int, result: int | None) -> tuple[TwoStageArrays, Measured]:
    if term.kind == "expectedvalue":
        if result is None:
            return arrays, Measured(term, random, None)
        extension = Extension(arrays)
        extension.couple({result: 1.0}, {random: -1.0}, 0.0, 0.0)
        return extension.finished(), Measured(term, random, result)
    weight = _weight(arrays, term, random) if result is None else 0.0
    _check_direction(arrays, term, result, weight)
    if result is None:
        arrays = _without_cost(arrays, random)
    elif _only_in_objective(arrays, result):
        # The measure takes the place of its variable, whose value is worked out after the solve: no row over all scenarios.
        weight, arrays = float(arrays.first.cost[result]), _without_first_cost(arrays, result)
        return _built(arrays, term, random, None, weight, result)
    return _built(arrays, term, random, result, weight, result)


def _built(
    arrays: TwoStageArrays, term: RiskTerm, random: int, tied: int | None, weight: float, result: int | None
) -> tuple[TwoStageArrays, Measured]:
    """``tied``: the result column that a row ties to the measure, None where the measure has a ``weight`` in the objective."""
    extension = Extension(arrays)
    build = _tail_mean if term.kind.startswith("cvar") else _quantile
    column = build(extension, term, random, tied, weight)
    return extension.finished(), Measured(term, random, result, column)


def _tail_mean(extension: Extension, term: RiskTerm, random: int, tied: int | None, weight: float) -> int:
    sign = 1.0 if term.kind == "cvarup" else -1.0
    end = extension.first_column(cost=weight)
    excess = extension.second_column(cost=weight * sign / term.level)
    extension.row({end: sign}, {excess: 1.0, random: -sign}, 0.0)
    if tied is not None:
        extension.couple({tied: 1.0, end: -1.0}, {excess: -sign / term.level}, 0.0, 0.0)
    return end


def _quantile(extension: Extension, term: RiskTerm, random: int, tied: int | None, weight: float) -> int:
    sign = 1.0 if term.kind == "varup" else -1.0
    arrays = extension.arrays
    low, up = column_ranges(arrays)
    place = len(arrays.first.lower) + random
    least, most = low[:, place], up[:, place]
    if not (np.isfinite(least).all() and np.isfinite(most).all()):
        raise term.refusal(
            f"VaR of `{term.variable.name}` needs a bound of it for a big-M, and none follows from the model",
            f"give `{term.variable.name}` bounds (or what it is made of), or use {term.kind.replace('var', 'cvar')}",
        )
    end = extension.first_column(float(least.min()), float(most.max()), weight)
    over = extension.second_column(0.0, 1.0, 0.0, integer=True)
    room = float(most.max() - least.min())
    extension.row({end: sign}, {over: room, random: -sign}, 0.0)
    extension.couple({}, {over: 1.0}, -math.inf, term.level * (1 + 1e-9))
    if tied is not None:
        extension.couple({tied: 1.0, end: -1.0}, {}, 0.0, 0.0)
    return end


def _weight(arrays: TwoStageArrays, term: RiskTerm, random: int) -> float:
    """The coefficient of the variable in the objective, which the measure takes over."""
    varying = arrays.varying.get("cost")
    if varying is not None and random in varying.places:
        raise term.refusal(
            f"the coefficient of `{term.variable.name}` in the objective is random",
            "define a variable that holds the whole product by a row of stage 2, and measure that",
        )
    weight = float(arrays.cost[random])
    if weight == 0:
        raise term.refusal(
            f"`{term.variable.name}` is not in the objective: its {WORDS[term.kind]} changes nothing",
            f"name the variable that stands for the measure as well: `{term.kind} {term.variable.name} c {term.level:g}`",
        )
    return weight


def _check_direction(arrays: TwoStageArrays, term: RiskTerm, result: int | None, weight: float) -> None:
    """What stands for the measure must be wanted small (upper tail) or large (lower tail), in the objective and in every row."""
    sign = 1.0 if term.kind.endswith("up") else -1.0
    pushes = [arrays.sense * sign * weight] if result is None else _pushes(arrays, result, sign)
    bounded = result is not None and bool(np.isfinite((arrays.first.lower if sign > 0 else arrays.first.upper)[result]))
    if all(push >= 0 for push in pushes) and not bounded:
        return
    wanted, bound = ("small", "lower") if sign > 0 else ("large", "upper")
    said = f"`{term.kind}` of `{term.variable.name}` is exact only where the model wants it {wanted}, and here"
    if all(push >= 0 for push in pushes):
        variable = term.result.name
        raise term.refusal(
            f"{said} the {bound} bound of `{variable}` does not", f"take the bound away: `{variable}` follows from the scenarios"
        )
    raise term.refusal(
        f"{said} it does not", "turn the sense round, or measure the other tail; the other direction is not convex"
    )


def _pushes(arrays: TwoStageArrays, result: int, sign: float) -> list[float]:
    """>= 0 for the objective and every row that wants the column smaller (sign +1) or larger (-1), negative for what does not."""
    first = arrays.first
    pushes = [arrays.sense * sign * float(first.cost[result] + arrays.mean("first_cost")[result])]
    rows, stored = _entries(first.matrix, result)
    pushes.append(_row_push(sign * stored[None, :], first.row_lower[None, rows], first.row_upper[None, rows]))
    rows, stored = _technology_of(arrays, result)
    pushes.append(_row_push(sign * stored, arrays.everywhere("row_lower")[:, rows], arrays.everywhere("row_upper")[:, rows]))
    return pushes


def _row_push(coefficients: Floats, lower: Floats, upper: Floats) -> float:
    """-1 where a row wants the column on the wrong side in some scenario; all (S, entries)."""
    against = ((coefficients > 0) & np.isfinite(lower)) | ((coefficients < 0) & np.isfinite(upper))
    return -1.0 if against.any() else 0.0


def _entries(matrix: sp.csr_matrix, column: int) -> tuple[Ints, Floats]:
    """The rows that store something in a column, and what."""
    places = np.flatnonzero(matrix.indices == column)
    return np.searchsorted(matrix.indptr, places, side="right") - 1, np.asarray(matrix.data[places], dtype=float)


def _technology_of(arrays: TwoStageArrays, column: int) -> tuple[Ints, Floats]:
    """The second-stage rows of a first-stage column, and its coefficients in every scenario (S, entries)."""
    rows, stored = _entries(arrays.technology, column)
    everywhere: Floats = np.tile(stored, (arrays.scenarios, 1))
    varying = arrays.varying.get("technology")
    if varying is not None:
        places = np.flatnonzero(arrays.technology.indices == column)
        _, mine, theirs = np.intersect1d(places, varying.places, return_indices=True)
        everywhere[:, mine] = varying.values[:, theirs]
    return rows, everywhere


def _only_in_objective(arrays: TwoStageArrays, result: int) -> bool:
    """Whether a result column is in no row, so that the measure can take its place in the objective without a row over
    scenarios."""
    rows = np.count_nonzero(_entries(arrays.first.matrix, result)[1]) + np.count_nonzero(_technology_of(arrays, result)[1])
    bounded = np.isfinite(arrays.first.lower[result]) or np.isfinite(arrays.first.upper[result])
    coupled = any(c.first[result] != 0 for c in arrays.couplings)
    return rows == 0 and not bounded and not coupled and not arrays.everywhere("first_cost")[:, result].any()


def _without_first_cost(arrays: TwoStageArrays, result: int) -> TwoStageArrays:
    cost = arrays.first.cost.copy()
    cost[result] = 0.0
    return replace(arrays, first=replace(arrays.first, cost=cost))


def _without_cost(arrays: TwoStageArrays, random: int) -> TwoStageArrays:
    cost = arrays.cost.copy()
    cost[random] = 0.0
    return replace(arrays, cost=cost)
