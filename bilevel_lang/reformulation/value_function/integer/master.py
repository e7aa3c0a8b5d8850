"""The relaxation with what the follower's answers and steps say, as a MILP in which each alternative is a binary.

    value <= v + (largest value - v) * sum b_k                        (an answer: nothing blocks it, or one of these rows does)
    sum b_k >= 1                                                      (a step: one of these bounds stops it)
    z_j >= least z_j + (bound - least z_j) * b_k                      (what b_k stands for, or likewise from above)

Alternatives are bounds of columns; each has one binary, shared among answers and steps. A bound of a column with the values 0 and
1 is that column itself, so clauses among such columns need no constant. All constants are proven bounds of :mod:`.extended`.
Mitsos 2010, J. Glob. Optim. 47:557; Lozano and Smith 2017, Oper. Res. 65:768.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.value_function.integer.disjunctions import Change
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats

SMALL = 1e-6
"""How far apart bounds may be that count as the same, relative to max(1, |bound|)."""

ROW = "a row of the follower"
VALUE = "the follower's objective"
LINK = "a linking variable"


@dataclass(frozen=True, slots=True)
class _Literal:
    """``constant + coefficient * z[column]`` is 1 where the bound holds for sure, and 0 where it may not."""

    column: int
    coefficient: float
    constant: float


class Master:
    """See the module's docstring."""

    def __init__(self, extended: Extended) -> None:
        self._extended = extended
        self._largest = float(extended.program.upper[extended.value])
        self._binaries: dict[Change, int] = {}
        self._rows: list[tuple[list[int], list[float], float]] = []
        """(columns, coefficients, upper side)"""

    def answer(self, admitted: float, blocks: Sequence[Change]) -> None:
        """The value is ``admitted``, or one of ``blocks`` holds. Raises RefusedError where a constant is infinite."""
        if any(self._surely(each) for each in blocks):
            return
        literals = [self._literal(each, ROW) for each in _weakest(blocks) if self._can(each)]
        size = max(self._largest - admitted, 0.0)
        if not literals or size == 0.0:
            self._rows.append(([self._extended.value], [1.0], admitted))
            return
        if not math.isfinite(size):
            raise _no_bound(VALUE)
        columns = [self._extended.value, *[each.column for each in literals]]
        slopes = [1.0, *[-size * each.coefficient for each in literals]]
        self._rows.append((columns, slopes, admitted + size * sum(each.constant for each in literals)))

    def step(self, stops: Sequence[Change]) -> bool:
        """One of ``stops`` holds. False, and nothing is added, where a constant is infinite: a step only helps."""
        if all(math.isfinite(self._far_end(each)) for each in stops if self._can(each)):
            self._clause(stops, ROW)
            return True
        return False

    def exclude(self, z: Floats) -> None:
        """Take the decision at ``z`` out: some linking column is smaller or greater. Raises RefusedError as :meth:`answer`."""
        links = self._extended.links
        x = np.rint(z[links])
        below = [Change(int(j), True, float(v - 1)) for j, v in zip(links, x, strict=True)]
        above = [Change(int(j), False, float(v + 1)) for j, v in zip(links, x, strict=True)]
        self._clause([*below, *above], LINK)

    def _clause(self, alternatives: Sequence[Change], what: str) -> None:
        if any(self._surely(each) for each in alternatives):
            return
        literals = [self._literal(each, what) for each in _weakest(alternatives) if self._can(each)]
        constant = sum(each.constant for each in literals)
        self._rows.append(([each.column for each in literals], [-each.coefficient for each in literals], constant - 1.0))

    def _can(self, change: Change) -> bool:
        """Whether the bound can hold at all."""
        program, small = self._extended.program, SMALL * max(1.0, abs(change.bound))
        if change.is_upper:
            return bool(program.lower[change.column] <= change.bound + small)
        return bool(program.upper[change.column] >= change.bound - small)

    def _surely(self, change: Change) -> bool:
        """Whether it holds everywhere."""
        if change.is_upper:
            return bool(self._extended.program.upper[change.column] <= change.bound)
        return bool(self._extended.program.lower[change.column] >= change.bound)

    def _far_end(self, change: Change) -> float:
        program = self._extended.program
        return float(program.upper[change.column] if change.is_upper else program.lower[change.column])

    def _literal(self, change: Change, what: str) -> _Literal:
        program, j = self._extended.program, change.column
        if program.integer[j] and program.lower[j] == 0 and program.upper[j] == 1:
            return _Literal(j, -1.0, 1.0) if change.is_upper else _Literal(j, 1.0, 0.0)
        known = self._binaries.get(change)
        if known is None:
            far = self._far_end(change)
            if not math.isfinite(far):
                raise _no_bound(what)
            known = self._binaries[change] = program.columns + len(self._binaries)
            sign = 1.0 if change.is_upper else -1.0
            self._rows.append(([j, known], [sign, abs(far - change.bound)], sign * far))
        return _Literal(known, 1.0, 0.0)

    def point(self, z: Floats) -> Floats:
        """A solution ``z`` (columns of the extended program) with the binaries that it makes 1."""
        full = np.append(z, np.zeros(len(self._binaries)))
        for change, column in self._binaries.items():
            beyond = z[change.column] - change.bound
            full[column] = float((beyond if change.is_upper else -beyond) <= SMALL * max(1.0, abs(change.bound)))
        return full

    def program(self) -> MatrixProgram:
        """The relaxation, the binaries, and the rows collected so far."""
        base, added, count = self._extended.program, len(self._binaries), len(self._rows)
        n = base.columns + added
        starts = np.cumsum([0] + [len(columns) for columns, _, _ in self._rows])
        columns = [j for each, _, _ in self._rows for j in each]
        data = [c for _, each, _ in self._rows for c in each]
        wide = sp.csr_matrix((base.matrix.data, base.matrix.indices, base.matrix.indptr), shape=(base.rows, n))
        more = sp.csr_matrix((np.array(data, dtype=float), columns, starts), shape=(count, n))
        # Both bounds of a column of the values 0 and 1 may stand in one row.
        more.sum_duplicates()
        return replace(
            base,
            lower=np.append(base.lower, np.zeros(added)),
            upper=np.append(base.upper, np.ones(added)),
            integer=np.append(base.integer, np.ones(added, dtype=bool)),
            cost=np.append(base.cost, np.zeros(added)),
            matrix=sp.csr_matrix(sp.vstack([wide, more], format="csr")),
            row_lower=np.append(base.row_lower, np.full(count, -math.inf)),
            row_upper=np.append(base.row_upper, [side for _, _, side in self._rows]),
        )


def _weakest(alternatives: Sequence[Change]) -> list[Change]:
    """One bound for each column and side, the one that the others imply."""
    found: dict[tuple[int, bool], Change] = {}
    for each in alternatives:
        known = found.setdefault((each.column, each.is_upper), each)
        if (each.bound > known.bound) if each.is_upper else (each.bound < known.bound):
            found[each.column, each.is_upper] = each
    return list(found.values())


def _no_bound(what: str) -> RefusedError:
    said = f"no bound of {what} could be derived, and HiGHS needs it for a constant"
    return RefusedError(said, "give the leader's variables bounds, or use `--solver scip`, which branches instead")
