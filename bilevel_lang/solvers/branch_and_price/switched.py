"""Knapsacks that a decision switches: the second stage ``min q'y, W y in [h_l - T x, h_u - T x]`` as patterns in x.

A knapsack whose rows (its own, and bounds of its items) see one binary decision x_j has two sets of fillings, F_0 and F_1. Its
answers at every binary x are those of two knapsacks, of which F_1 is taken x_j times and F_0 1 - x_j times: an option each, with
columns of its own. Then the decision stands in sides alone, of rows that tie knapsacks together and of the options' shares,
and a bound of the linear program over patterns is linear in x (Geoffrion 1974; as Benders cuts: van Roy 1986, Operations Research
34:145, of facility location).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.branch_and_price.form import BlockForm, block_form
from bilevel_lang.solvers.branch_and_price.knapsacks import Knapsacks
from bilevel_lang.solvers.branch_and_price.pricing import Box
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram, no_pairs
from bilevel_lang.solvers.program import Floats

FIXED, TIED = -1, -2
"""Of a knapsack: no decision is in its rows; or other than one binary: those rows count among the ones that tie knapsacks."""


@dataclass(frozen=True, eq=False)
class Domain:
    """Decisions (n1,): bounds, and which are whole."""

    lower: Floats
    upper: Floats
    integer: Flags

    @property
    def binary(self) -> Flags:
        """(n1,)"""
        return np.asarray(self.integer & (self.lower >= 0) & (self.upper <= 1))


@dataclass(frozen=True, eq=False)
class Switched:
    """``form`` has the options (K,) as its knapsacks, in a ``box`` and with ``room`` (K,) that no decision changes.

    Its rows are within ``box`` less ``technology`` (l, n1) times x; of option k there are ``base[k] + shares[k] @ x``.
    """

    form: BlockForm
    box: Box
    room: Ints
    technology: sp.csr_matrix
    base: Floats
    shares: sp.csr_matrix


@dataclass(frozen=True, eq=False)
class _Seen:
    """One reading of the program: bounds (n,) and room (K,) with a decision's rows in them; ``fine`` (K,): a filling is left."""

    lower: Floats
    upper: Floats
    room: Ints
    fine: Flags


def switched(program: MatrixProgram, technology: sp.csr_matrix, domain: Domain) -> Switched | None:
    """Of ``program`` at x = 0. None without knapsacks, or where one of them has no filling at all."""
    form = block_form(program)
    if form is None:
        return None
    kinds = _kinds(form, technology, domain)
    for _ in range(2):
        readings = _readings(form, technology, domain, kinds)
        broken = ~(readings[0].fine & readings[1].fine)
        if not broken.any():
            return _laid_out(form, technology, kinds, readings)
        if (broken & (kinds == FIXED)).any():
            return None
        # A decision that one value of is impossible is left to the rows themselves.
        kinds = np.where(broken, TIED, kinds)
    return None


def _kinds(form: BlockForm, technology: sp.csr_matrix, domain: Domain) -> Ints:
    """(K,): the binary decision that switches each knapsack, FIXED or TIED."""
    rows = np.concatenate([form.knapsacks.rows, form.single])
    block_of = np.full(form.program.columns + 1, -1)
    for k, items in enumerate(form.knapsacks.items):
        block_of[items] = k
    block_of[-1] = -1
    blocks = np.concatenate([np.arange(len(form.knapsacks.rows)), block_of[form.column]])
    part = sp.coo_matrix(technology[rows])
    found: Ints = np.full(len(form.knapsacks.rows), FIXED, dtype=np.int64)
    for place, j, value in zip(part.row.tolist(), part.col.tolist(), part.data.tolist(), strict=True):
        k = int(blocks[place])
        if k >= 0 and value:
            found[k] = j if found[k] in (FIXED, j) and domain.binary[j] else TIED
    return found


def _readings(form: BlockForm, technology: sp.csr_matrix, domain: Domain, kinds: Ints) -> tuple[_Seen, _Seen]:
    """With every switch at 0, and at 1; rows of TIED knapsacks and of columns in none are as loose as decisions make them."""
    program, knapsacks = form.program, form.knapsacks
    moving = _moving(technology)
    loose = moving.copy()
    for k in np.flatnonzero(kinds >= 0).tolist():
        mine = form.single[np.isin(form.column, knapsacks.items[k])]
        loose[mine] = loose[knapsacks.rows[k]] = False
    least, most = _activity(technology, domain)
    found = []
    for value in (0.0, 1.0):
        x = np.zeros(len(domain.lower))
        x[kinds[kinds >= 0]] = value
        shift = technology @ x
        low = np.where(loose, program.row_lower - most, program.row_lower - shift)
        up = np.where(loose, program.row_upper - least, program.row_upper - shift)
        lower, upper = form.bounds(program.lower, program.upper, low, up)
        room = knapsacks.room(low, up)
        own_low, own_up = np.append(lower, 0.0)[knapsacks.items], np.append(upper, 0.0)[knapsacks.items]
        forced = ((own_low > 0) * knapsacks.weights).sum(axis=1)
        fine = (own_low <= own_up).all(axis=1) & (own_low >= 0).all(axis=1) & (own_up <= 1).all(axis=1)
        found.append(_Seen(lower, upper, room, fine & ((forced <= room) | (forced == 0))))
    return found[0], found[1]


def _moving(technology: sp.csr_matrix) -> Flags:
    """(m,): rows that see a decision."""
    clean = sp.csr_matrix(technology, copy=True)
    clean.eliminate_zeros()
    return np.asarray(np.diff(clean.indptr) > 0)


def _activity(technology: sp.csr_matrix, domain: Domain) -> tuple[Floats, Floats]:
    """Least and most (m,) of ``technology @ x``."""
    up, down = sp.csr_matrix(technology.maximum(0)), sp.csr_matrix(technology.minimum(0))
    finite = np.isfinite(domain.lower), np.isfinite(domain.upper)
    low, high = np.where(finite[0], domain.lower, 0.0), np.where(finite[1], domain.upper, 0.0)
    # Infinite times an entry is infinite; times no entry it is nothing, which a product of arrays does not know.
    endless = up @ ~finite[0] - down @ ~finite[1], up @ ~finite[1] - down @ ~finite[0]
    least, most = up @ low + down @ high, up @ high + down @ low
    return np.where(endless[0] > 0, -np.inf, least), np.where(endless[1] > 0, np.inf, most)


def _laid_out(form: BlockForm, technology: sp.csr_matrix, kinds: Ints, readings: tuple[_Seen, _Seen]) -> Switched | None:
    """Options side by side, each with columns of its own."""
    program, knapsacks = form.program, form.knapsacks
    options = [(k, v) for k, j in enumerate(kinds.tolist()) for v in ((0, 1) if j >= 0 else (0,))]
    options = [(k, v) for k, v in options if _says_something(knapsacks, readings[v], k)]
    if not options:
        return None
    blocks, values = np.array([k for k, _ in options]), np.array([v for _, v in options])
    linking = _linking(form, technology, kinds)
    items, weights = np.full((len(options), knapsacks.items.shape[1]), -1, dtype=np.int64), knapsacks.weights[blocks]
    items[weights > 0] = len(form.free) + np.arange(int((weights > 0).sum()))
    origin = np.concatenate([form.free, knapsacks.items[blocks][weights > 0]])
    items[weights == 0] = len(origin)
    of_one = np.concatenate([np.zeros(len(form.free), dtype=bool), np.repeat(values == 1, (weights > 0).sum(axis=1))])
    lower, upper = (
        np.where(of_one, ones[origin], zeros[origin])
        for zeros, ones in ((readings[0].lower, readings[1].lower), (readings[0].upper, readings[1].upper))
    )
    matrix = sp.csc_matrix(sp.csr_matrix(program.matrix)[linking][:, origin])
    low, up = program.row_lower[linking], program.row_upper[linking]
    laid_out = BlockForm(
        program=MatrixProgram(lower, upper, program.integer[origin], program.cost[origin], sp.csr_matrix(matrix), low, up),
        knapsacks=Knapsacks(np.zeros(len(options), dtype=np.int64), np.ones(len(options)), items, weights),
        linking=np.arange(len(linking)),
        matrix=matrix,
        single=no_pairs()[:, 0],
        column=no_pairs()[:, 0],
        factor=np.zeros(0),
        free=np.arange(len(form.free)),
    )
    room = np.where(values == 1, readings[1].room[blocks], readings[0].room[blocks])
    base, shares = _shares(kinds[blocks], values, technology.shape[1])
    return Switched(laid_out, Box(lower, upper, low, up), room, sp.csr_matrix(technology[linking]), base, shares)


def _says_something(knapsacks: Knapsacks, seen: _Seen, k: int) -> bool:
    """Whether anything goes into knapsack ``k``: an option without is nothing, whatever its share."""
    mine = knapsacks.weights[k] > 0
    up, weights = np.append(seen.upper, 0.0)[knapsacks.items[k]][mine], knapsacks.weights[k][mine]
    return bool(((up > 0) & (weights <= seen.room[k])).any())


def _linking(form: BlockForm, technology: sp.csr_matrix, kinds: Ints) -> Ints:
    """Rows (l,) that are not wholly in an option or in bounds."""
    knapsacks, program = form.knapsacks, form.program
    moving = _moving(technology)
    own = np.flatnonzero(kinds >= 0)
    inside = np.isin(form.column, knapsacks.items[own])
    other = np.where(knapsacks.factors > 0, program.row_lower[knapsacks.rows], program.row_upper[knapsacks.rows])
    left = (moving[knapsacks.rows] & (kinds == TIED)) | np.isfinite(other)
    single = form.single[moving[form.single] & ~inside]
    return np.asarray(np.unique(np.concatenate([form.linking, single, knapsacks.rows[left]])), dtype=np.int64)


def _shares(kinds: Ints, values: Ints, decisions: int) -> tuple[Floats, sp.csr_matrix]:
    """Base (K,) and slopes (K, n1) of options of knapsacks of ``kinds`` at ``values``."""
    own = np.flatnonzero(kinds >= 0)
    signs = np.where(values[own] == 1, 1.0, -1.0)
    slopes = sp.csr_matrix((signs, (own, kinds[own])), shape=(len(kinds), decisions))
    return np.where((kinds >= 0) & (values == 1), 0.0, 1.0), slopes
