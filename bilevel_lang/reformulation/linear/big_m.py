"""Big-M on arrays: one binary a pair chooses the side that is zero, every M with a proof or a warning.

Formulation: ``left <= M_left z``, ``right <= M_right (1 - z)``, z binary. Accepts: an MPEC with linear rows and conditions in
which every side has a bound that is derived (:mod:`bilevel_lang.reformulation.linear.bounds`) or given. Produces: a MILP or MIQP
for HiGHS or SCIP. Exactness: exact where every M is derived; an approximation as soon as one M is only given, because a smaller
one than the true multiplier cuts solutions off without a trace. Afterwards the answer is solved again with its pairs decided: an
answer that lives on a binary which is not quite whole does not stand that.
Reference: Fortuny-Amat and McCarl 1981, J. Oper. Res. Soc. 32:783; Pineda and Morales 2019, IEEE Trans. Power Syst. 34:2469.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import Diagnostic, RefusedError
from bilevel_lang.reformulation.complementarity.big_m import LARGEST
from bilevel_lang.reformulation.given_bounds import BINDING, MEND, check_given_names, described, given_bound
from bilevel_lang.reformulation.linear.bounds.derived import DerivedBounds, derive_bounds
from bilevel_lang.reformulation.linear.encoding import EncodedArrays
from bilevel_lang.reformulation.linear.indicator import with_binaries
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.rounded import solved_on_its_piece
from bilevel_lang.reformulation.linear.start import starting
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.features import require
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import Termination

COARSE = 1e4
"""From this M on a binary that is off by 1e-9 lets 1e-5 through, which is what the verification tolerates."""


@dataclass(frozen=True, slots=True)
class Bound:
    """M of one side: the column, what it is called (``e1.slack``, ``e1.multiplier``), where M comes from."""

    column: int
    name: str
    value: float
    proven: bool
    origin: str


class LinearBigM:
    """Pairs with a binary and two bounds."""

    name = "big-m"
    solvers: tuple[str, ...] = ("highs", "scip")

    def encode(self, mpec: LinearMpec, solver: str, options: Options) -> EncodedArrays:
        """One binary for every pair that the bounds leave open. Raises RefusedError naming the sides without a bound."""
        check_given_names(options.big_m, mpec.names())
        derived = derive_bounds(mpec)
        bounds = _bounds(mpec, derived, options)
        program = with_big_m(mpec, [b.value for b in bounds])
        runner = Highs() if solver == "highs" else Scip()
        require(runner, program.features())
        given = tuple(b for b in bounds if not b.proven)

        def run(wanted: Options, start: Floats | None) -> MatrixRun:
            ask = wanted.for_solver()
            begin = starting(mpec, start)
            if begin is not None:
                ask = replace(ask, extra={**ask.extra, "start": _decided(mpec, begin, bounds)})
            found = runner.run_matrix(program, ask)
            final = solved_on_its_piece(mpec, found, ask)
            return replace(final, doubts=(*_doubts(given, found), *final.doubts))

        exactness = Exactness.APPROXIMATION if given else Exactness.EXACT
        return EncodedArrays(exactness, solver, run, notes=tuple(_notes(bounds)))


def _decided(mpec: LinearMpec, begin: Floats, bounds: list[Bound]) -> Floats:
    """``begin`` with the binaries of :func:`with_big_m`: 1 where the left side is not 0."""
    both = np.array([b.value for b in bounds], dtype=float).reshape(-1, 2)
    left = mpec.left[~(both == 0).any(axis=1)]
    return np.concatenate([begin, np.where(np.isnan(begin[left]), np.nan, begin[left] > 0)])


def with_big_m(mpec: LinearMpec, bounds: list[float]) -> MatrixProgram:
    """The MPEC's program with binaries and their rows; ``bounds``: M of left and right of pair 0, of pair 1, ...

    A pair with an M of 0 needs no binary: that side is 0. The other pairs' binaries come after the MPEC's own columns, in order.
    """
    both = np.array(bounds, dtype=float).reshape(-1, 2)
    zero = (both == 0).any(axis=1)
    open_pairs = np.flatnonzero(~zero)
    count, first = len(open_pairs), mpec.program.columns
    program = with_binaries(mpec.program, count)
    upper = program.upper.copy()
    upper[mpec.left[both[:, 0] == 0]] = 0.0
    upper[mpec.right[both[:, 1] == 0]] = 0.0
    k = np.arange(count)
    left, right = (
        sp.csr_matrix((np.ones(count), (k, side[open_pairs])), shape=(count, first)) for side in (mpec.left, mpec.right)
    )
    m_left, m_right = both[open_pairs, 0], both[open_pairs, 1]
    rows = sp.vstack([sp.hstack([left, -sp.diags(m_left)]), sp.hstack([right, sp.diags(m_right)])]) if count else None
    return replace(
        program,
        upper=upper,
        matrix=program.matrix if rows is None else sp.vstack([program.matrix, rows], format="csr"),
        row_lower=np.concatenate([program.row_lower, np.full(2 * count, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, np.zeros(count), m_right]),
    )


def _bounds(mpec: LinearMpec, derived: DerivedBounds, options: Options) -> list[Bound]:
    """Two bounds a pair, in order; RefusedError names every side that has none."""
    found: list[Bound] = []
    missing: list[Diagnostic] = []
    for column, partner, name, word in _sides(mpec):
        value, origin, proven = float(derived.upper[column]), derived.origin[column], True
        if derived.empty:
            # Every M is valid, and the solver proves that the encoded program has no point either.
            value, origin = 0.0, "any, since the relaxation is infeasible"
        elif value != 0 and derived.upper[partner] == 0:
            value, origin = math.inf, "not needed: the other side is zero"
        elif value > LARGEST:
            given = given_bound(options.big_m, name)
            if given is None:
                missing.append(_no_bound(name, word, value, derived.unasked))
                continue
            value, origin, proven = given, "given, not proven", False
        found.append(Bound(column, f"{name}.{word}", value, proven, origin))
    if missing:
        raise RefusedError(missing)
    return found


def _sides(mpec: LinearMpec) -> Iterator[tuple[int, int, str, str]]:
    """Column, the column of the other side, the pair's name, and which side of it this is."""
    for left, right, name in zip(mpec.left.tolist(), mpec.right.tolist(), mpec.names(), strict=True):
        yield left, right, name, "slack"
        yield right, left, name, "multiplier"


def _no_bound(name: str, word: str, value: float, unasked: int) -> Diagnostic:
    help = (
        "use `--encoding sos1`, which needs no bound; or give one you can prove with `--big-m M`; or bound the variables involved"
    )
    if np.isfinite(value):
        said = f"the {word} of `{name}` may reach {value:.3g}: a big-M above {LARGEST:.0e} is of no numerical use"
        return Diagnostic("R1", said, "use `--encoding sos1`, which needs no bound; or rescale the model")
    why = " within the budget of LPs" if unasked else ""
    return Diagnostic("R1", f"no bound could be derived{why} for the {word} of `{name}`: `big-m` would be a guess", help)


def _notes(bounds: list[Bound]) -> Iterator[str]:
    for bound in bounds:
        yield f"M of {bound.name} = {bound.value:g} ({bound.origin})"
    largest = max((b.value for b in bounds if math.isfinite(b.value)), default=0.0)
    if largest > COARSE:
        through = f"M = {largest:g} lets {largest * 1e-9:.0e} through for a binary that is off by 1e-9"
        yield f"{through}: the answer is solved again with its pairs decided"


def _doubts(given: tuple[Bound, ...], run: MatrixRun) -> Iterator[str]:
    """What a run says about the given bounds."""
    if not given:
        return
    what = described([b.value for b in given])
    if run.x is None:
        if run.termination is Termination.INFEASIBLE:
            yield f"no solution has all its slacks and multipliers within the given {what}: {MEND}"
        return
    yield f"{what} was given, not proven: optimality holds only if no slack and no multiplier exceeds it"
    for bound in given:
        if run.x[bound.column] >= BINDING * bound.value:
            yield f"not trusted: {bound.name} reaches the given M = {bound.value:g}; {MEND}"
