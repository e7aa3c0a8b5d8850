"""Variants of one program, thousands of them: one HiGHS instance, and only the numbers that differ are passed on.

Meant for sampling. All variants come as arrays and all answers go as arrays, so that a solve costs little more than HiGHS itself
takes. Every answer is checked on the program's own numbers, for all variants at once; what fails, and whatever HiGHS calls
neither optimal nor infeasible, is solved again by the ordinary adapter, from nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bilevel_lang.solvers.highs import Highs, undo_regularisation
from bilevel_lang.solvers.highs_instance import load, termination_of, whole_bounds
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.variants import Answers, Variants, feasible, proven

_DUAL, _PRIMAL = 1, 4
"""HiGHS's numbers for ``simplex_strategy``."""

_SETTLED = (Termination.OPTIMAL, Termination.INFEASIBLE, Termination.LIMIT)


class VariantSolver:
    """Solves :class:`Variants` of ``program``, an LP, MILP or convex QP with ``sense`` +1.

    ``primal``: go on by primal simplex, for LPs in which the costs change and the sides do not. Each call of :meth:`solve` begins
    without memory of the calls before, so that its answers depend on its own variants only. ``options.time_limit`` is for each
    variant, ``options.gap`` for MILPs; one thread whatever ``options`` say.
    """

    def __init__(self, program: MatrixProgram, options: SolverOptions, primal: bool = False) -> None:
        assert program.sense == 1
        self.program = program
        self._mixed = bool(program.integer.any())
        self._linear = program.quadratic is None and not self._mixed
        extra: dict[str, Any] = {key: setting for key, setting in options.extra.items() if key != "start"}
        self._careful = replace(options, threads=1, verbose=False, extra=extra)
        if self._linear:
            # Presolve would throw the basis away.
            extra = {**extra, "presolve": "off", "simplex_strategy": _PRIMAL if primal else _DUAL}
        self._highs = load(program, replace(self._careful, extra=extra))
        self._limit = options.time_limit
        self._optimal = type(self._highs.getModelStatus()).kOptimal

    def solve(self, variants: Variants) -> Answers:
        """All variants, each from the basis or the point of the one before. Raises SolverFailedError for unusable numbers."""
        highs, k = self._highs, variants.count
        x = np.full((k, self.program.columns), np.nan)
        duals = None if self._mixed else np.full((k, self.program.rows), np.nan)
        highs.clearSolver()
        terminations = []
        moves = _moves(variants)
        for i in range(k):
            self._pass(variants, i, moves)
            if self._mixed and i:
                self._start(variants, i, x[i - 1])
            termination = self._run(variants, i)
            terminations.append(termination)
            if termination is Termination.OPTIMAL or (termination is Termination.LIMIT and self._has_point()):
                solution = highs.getSolution()
                x[i] = solution.col_value
                if duals is not None:
                    duals[i] = solution.row_dual
        whole = self.program.integer
        x[:, whole] = np.rint(x[:, whole])
        again = self._again(variants, terminations, x, duals)
        return Answers(terminations, x, duals, again)

    def _pass(self, variants: Variants, i: int, moves: _Moves) -> None:
        """Hand variant ``i`` to HiGHS: what differs from the one before, which it still has."""
        highs = self._highs
        if variants.row_lower is not None and variants.row_upper is not None:
            moved, number = moves.sides.of(i)
            if number:
                low, up = variants.row_lower[i, moved], variants.row_upper[i, moved]
                highs.changeRowsBounds(number, variants.rows[moved], low, up)
        if variants.lower is not None and variants.upper is not None:
            moved, number = moves.bounds.of(i)
            if number:
                columns = variants.columns[moved]
                low, up = whole_bounds(variants.lower[i, moved], variants.upper[i, moved], self.program.integer[columns])
                highs.changeColsBounds(number, columns, low, up)
        if variants.cost is not None:
            moved, number = moves.costs.of(i)
            if number:
                highs.changeColsCost(number, variants.costly[moved], variants.cost[i, moved])
        if variants.coefficients is not None:
            moved, _ = moves.entries.of(i)
            places = zip(variants.entry_rows[moved].tolist(), variants.entry_columns[moved].tolist(), strict=True)
            for (row, column), entry in zip(places, variants.coefficients[i, moved].tolist(), strict=True):
                highs.changeCoeff(row, column, entry)

    def _start(self, variants: Variants, i: int, before: Floats) -> None:
        """Begin from the answer before where it is feasible here: an incumbent from the first node on."""
        if np.isfinite(before).all() and feasible(self.program, variants.subset(np.array([i])), before[None])[0]:
            n = self.program.columns
            self._highs.setSolution(n, np.arange(n, dtype=np.int32), before)

    def _run(self, variants: Variants, i: int) -> Termination:
        highs, started = self._highs, time.perf_counter()
        if self._limit is not None:
            # HiGHS's clock runs on from solve to solve.
            highs.setOptionValue("time_limit", highs.getRunTime() + self._limit)
        highs.run()
        # Almost all are optimal, and the name of a status costs as much as a pivot.
        termination = Termination.OPTIMAL if highs.getModelStatus() == self._optimal else termination_of(highs)
        if self.program.quadratic is not None and termination is Termination.OPTIMAL:
            found = undo_regularisation(highs, variants.program(self.program, i), self._careful, started)
            cost = variants.program(self.program, i).cost
            highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
            return found
        return termination

    def _has_point(self) -> bool:
        # 2 is kSolutionStatusFeasible.
        return bool(self._highs.getInfo().primal_solution_status == 2)

    def _again(self, variants: Variants, terminations: list[Termination], x: Floats, duals: Floats | None) -> int:
        """Solve from nothing what cannot be believed, in place; how many that were."""
        solved = np.array([t is Termination.OPTIMAL for t in terminations], dtype=bool)
        rows = np.flatnonzero(solved)
        chosen = variants.subset(rows)
        good = feasible(self.program, chosen, x[rows])
        if duals is not None:
            good &= proven(self.program, chosen, x[rows], duals[rows])
        doubtful = set(rows[~good].tolist()) | {i for i, t in enumerate(terminations) if t not in _SETTLED}
        for i in sorted(doubtful):
            terminations[i], point, multipliers = self._carefully(variants, i)
            x[i] = np.nan if point is None else point
            if duals is not None:
                duals[i] = np.nan if multipliers is None else multipliers
        return len(doubtful)

    def _carefully(self, variants: Variants, i: int) -> tuple[Termination, Floats | None, Floats | None]:
        """Variant ``i`` by the ordinary adapter. What it calls optimal and the check does not believe has FAILED."""
        run = Highs().run_matrix(variants.program(self.program, i), self._careful)
        if run.x is None or run.termination is not Termination.OPTIMAL:
            return run.termination, run.x, None
        one, point = variants.subset(np.array([i])), run.x.copy()
        whole = self.program.integer
        point[whole] = np.rint(point[whole])
        good = bool(feasible(self.program, one, point[None])[0])
        if good and not self._mixed:
            good = run.row_duals is not None and bool(proven(self.program, one, point[None], run.row_duals[None])[0])
        return (Termination.OPTIMAL, point, run.row_duals) if good else (Termination.FAILED, None, None)


@dataclass(frozen=True, slots=True)
class _Moved:
    """Which of a numbers differ from the variant before: ``differs`` (k - 1, a), and the count of them ``number`` (k - 1,)."""

    differs: Flags
    number: list[int]

    def of(self, i: int) -> tuple[Ints | slice, int]:
        """Their places in variant ``i`` and how many they are. Where all move, a slice: no copy of the numbers is needed."""
        a = self.differs.shape[1]
        if not i or self.number[i - 1] == a:
            return slice(None), a
        return (np.flatnonzero(self.differs[i - 1]) if self.number[i - 1] else slice(0)), self.number[i - 1]


@dataclass(frozen=True, slots=True)
class _Moves:
    """What differs from variant to variant, found for all of them at once: a call of numpy costs as much as a pivot."""

    sides: _Moved
    bounds: _Moved
    costs: _Moved
    entries: _Moved


def _moves(variants: Variants) -> _Moves:
    return _Moves(
        _moved(variants.row_lower, variants.row_upper),
        _moved(variants.lower, variants.upper),
        _moved(variants.cost),
        _moved(variants.coefficients),
    )


def _moved(*numbers: Floats | None) -> _Moved:
    """Where each row of any of ``numbers`` (k, a) differs from the row before."""
    given = [each for each in numbers if each is not None and len(each)]
    if not given:
        return _Moved(np.zeros((0, 0), dtype=bool), [])
    differs = np.zeros((len(given[0]) - 1, given[0].shape[1]), dtype=bool)
    for each in given:
        differs |= each[1:] != each[:-1]
    return _Moved(differs, np.count_nonzero(differs, axis=1).tolist())
