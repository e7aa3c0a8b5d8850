"""Which kind of stationary point of the MPEC a local answer is.

Multipliers: of the gradient of the MPEC's objective as a combination of those of its active rows and of the sides of its pairs,
with the sign rules on biactive pairs (both sides zero) that define weak (W), Clarke (C), Mordukhovich (M) and strong (S)
stationarity; where multipliers are not unique, the strongest class that any of them reaches. B: no direction that the linearised
MPEC allows improves the objective to first order, found by a linear program with complementarity constraints (LPEC). That is
sufficient for Bouligand stationarity, and S implies it.

Sources: H. Scheel and S. Scholtes, Mathematical programs with complementarity constraints: stationarity, optimality, and
sensitivity, Mathematics of Operations Research 25 (2000) 1-22; M. Flegel and C. Kanzow, On M-stationary points for mathematical
programs with equilibrium constraints, Journal of Mathematical Analysis and Applications 310 (2005) 286-302.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.analysis.disjunctive import Alternative, GivenUpError, LinearProgram, first_below
from bilevel_lang.analysis.linearised import Entries, LinearisedMpec
from bilevel_lang.solution import Stationarity

RESIDUAL = 1e-4
"""What may be left of the objective's gradient, and the slope from which a direction is one of descent (terms are of size 1)."""

LPEC_PAIRS = 20
"""Biactive pairs up to which descent directions are looked for."""

LARGEST = 5000
"""Variables and pairs up to which any of it is done."""


def classify(mpec: LinearisedMpec) -> Stationarity:
    """The class of the point at which ``mpec`` was linearised."""
    pairs, biactive = len(mpec.pairs), sum(pair.biactive for pair in mpec.pairs)
    if max(pairs, mpec.columns) > LARGEST:
        said = f"not computed: more than {LARGEST} variables or pairs"
        return Stationarity(None, None, None, pairs, biactive, said)
    try:
        multipliers, tried = _strongest(mpec), ""
    except GivenUpError as reason:
        multipliers, tried = None, f"multipliers not classified ({reason}); "
    descent, how = _descent(mpec, multipliers, biactive)
    kind = multipliers if multipliers == "S" or descent is not False else "B"
    return Stationarity(kind, multipliers, descent, pairs, biactive, tried + how)


def _descent(mpec: LinearisedMpec, multipliers: str | None, biactive: int) -> tuple[bool | None, str]:
    if multipliers == "S":
        return False, "no first-order descent direction (strong multipliers exclude it)"
    if biactive > LPEC_PAIRS:
        return None, f"descent directions not computed: {biactive} biactive pairs, more than {LPEC_PAIRS}"
    try:
        found = first_below(*_lpec(mpec), -RESIDUAL)
    except GivenUpError as reason:
        return None, f"descent directions not computed: {reason}"
    if found is None:
        return False, "no first-order descent direction (LPEC)"
    return True, "a first-order descent direction exists (LPEC)"


# --- Multipliers.


def _strongest(mpec: LinearisedMpec) -> str | None:
    lp, sides = _multiplier_lp(mpec)
    if first_below(_with_signs(lp, sides), (), RESIDUAL) is not None:
        return "S"
    for name, rule in (("M", _mordukhovich), ("C", _clarke), ("W", _weak)):
        if first_below(lp, [rule(*pair) for pair in sides], RESIDUAL) is not None:
            return name
    return None


def _multiplier_lp(mpec: LinearisedMpec) -> tuple[LinearProgram, list[tuple[int, int]]]:
    """``min t`` with ``objective - sum u_k normal_k = r``, ``|r| <= t``; and the columns of each biactive pair."""
    columns: list[Entries] = []
    lower: list[float] = []
    upper: list[float] = []
    sides: list[tuple[int, int]] = []
    for normal in mpec.normals:
        columns.append(normal.entries)
        lower.append(normal.lower)
        upper.append(normal.upper)
    for pair in mpec.pairs:
        if pair.biactive:
            sides.append((len(columns), len(columns) + 1))
        for side in (pair.left, pair.right):
            if side is not None:
                columns.append(side)
                lower.append(-math.inf)
                upper.append(math.inf)
    n, k = mpec.columns, len(columns)
    # r = t - p with 0 <= p <= 2t would be one row more; instead r_j + a_j = t and r_j - b_j = -t with a, b >= 0.
    matrix = _matrix(columns, n)
    identity, ones = sp.identity(n), sp.csr_matrix(np.ones((n, 1)))
    equal = sp.bmat([[-matrix, identity, None, -ones], [-matrix, None, -identity, ones]], format="csr")
    equal_to = np.concatenate([-mpec.objective, -mpec.objective])
    cost = np.zeros(k + 2 * n + 1)
    cost[-1] = 1.0
    rest = 2 * n + 1
    return LinearProgram(cost, equal, equal_to, [*lower, *[0.0] * rest], [*upper, *[math.inf] * rest]), sides


def _with_signs(lp: LinearProgram, sides: list[tuple[int, int]]) -> LinearProgram:
    lower = np.array(lp.lower, dtype=float)
    lower[[column for pair in sides for column in pair]] = 0.0
    return LinearProgram(lp.cost, lp.equal, lp.equal_to, lower, lp.upper)


Rule = Callable[[int, int], tuple[Alternative, ...]]
_INF = math.inf


def _mordukhovich(left: int, right: int) -> tuple[Alternative, ...]:
    return ((left, 0.0, _INF), (right, 0.0, _INF)), ((left, 0.0, 0.0),), ((right, 0.0, 0.0),)


def _clarke(left: int, right: int) -> tuple[Alternative, ...]:
    return ((left, 0.0, _INF), (right, 0.0, _INF)), ((left, -_INF, 0.0), (right, -_INF, 0.0))


def _weak(left: int, right: int) -> tuple[Alternative, ...]:
    return (((left, -_INF, _INF), (right, -_INF, _INF)),)


# --- Directions.


def _lpec(mpec: LinearisedMpec) -> tuple[LinearProgram, list[tuple[Alternative, ...]]]:
    """The steepest direction d, |d_j| <= 1: rows and sides of pairs get a column each for their slope along d."""
    disjunctions: list[tuple[Alternative, ...]] = []
    n = mpec.columns
    # A multiplier >= 0 belongs to a side that may only be left upwards, a free one to a row that holds.
    slopes = [(n.entries, 0.0 if n.upper > 0 else -_INF, 0.0 if n.lower < 0 else _INF) for n in mpec.normals]
    for pair in mpec.pairs:
        first = n + len(slopes)
        up = _INF if pair.biactive else 0.0
        slopes += [(side, 0.0, up) for side in (pair.left, pair.right) if side is not None]
        if pair.biactive:
            disjunctions.append((((first, 0.0, 0.0),), ((first + 1, 0.0, 0.0),)))
    equal = sp.hstack([_matrix([entries for entries, _, _ in slopes], n).T, -sp.identity(len(slopes))], format="csr")
    cost = np.concatenate([mpec.objective, np.zeros(len(slopes))])
    lower = [*[-1.0] * n, *(low for _, low, _ in slopes)]
    upper = [*[1.0] * n, *(high for _, _, high in slopes)]
    return LinearProgram(cost, equal, np.zeros(len(slopes)), lower, upper), disjunctions


def _matrix(columns: list[Entries], rows: int) -> Any:
    places = [(row, k, number) for k, entries in enumerate(columns) for row, number in entries.items()]
    data = [number for _, _, number in places]
    return sp.csr_matrix((data, ([r for r, _, _ in places], [k for _, k, _ in places])), shape=(rows, len(columns)))
