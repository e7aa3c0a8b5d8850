"""Strong duality on arrays: in the place of all pairs of an agent, one row that closes the gap between it and its dual.

Formulation. With stationarity the sum of an agent's products kappa_i (sides_i z - level_i) is

    gap(z, kappa, nu) = gradient(z)'y - nu'(equality levels - their others' part) - kappa'(levels - the sides' others' part)

which is a sum of products of numbers >= 0, so that ``gap <= 0`` says that each of them is 0. For an LP agent this is ``primal
objective <= dual objective``. Products of multipliers with others' variables are bilinear. Those with a binary variable b are
replaced exactly by a column w = b v (McCormick's rows where v has bounds; else by indicators, which need none); the rest goes to
SCIP as it is.
Accepts: optimising agents with linear rows and a linear or convex quadratic objective. Produces: a MILP, or a MIQCP for SCIP.
Exactness: exact, up to the solver's feasibility tolerance on the gap.
Reference: Fortuny-Amat and McCarl 1981, J. Oper. Res. Soc. 32:783; Zare, Borrero, Zeng and Prokopyev 2019, Ann. Oper. Res.
274:543; McCormick 1976, Math. Program. 10:147.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.complementarity.big_m import LARGEST
from bilevel_lang.reformulation.linear.bounds.derived import derive_bounds
from bilevel_lang.reformulation.linear.encoding import EncodedArrays, padded
from bilevel_lang.reformulation.linear.given_pairs import NOBODY
from bilevel_lang.reformulation.linear.mpec import AgentSystem, LinearMpec
from bilevel_lang.reformulation.linear.piece import piece_of, polished
from bilevel_lang.reformulation.linear.products import BinaryProducts
from bilevel_lang.reformulation.linear.second_opinion import run_with_second_opinion
from bilevel_lang.reformulation.linear.start import starting
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.features import why_not
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import Ints, MatrixProgram, MatrixRun, QuadraticRow
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import Termination

COMPLEMENTARY = 1e-5
"""Largest smaller side of a pair (both over max(1, side)) in an answer."""


@dataclass(frozen=True, eq=False)
class Gap:
    """An agent's gap as a quadratic form over the program's columns: ``linear'z + sum products[k] z_i z_j``, pairs i <= j."""

    linear: dict[int, float]
    products: dict[tuple[int, int], float]


def gap_of(agent: AgentSystem) -> Gap:
    """The gap between the agent's objective and its dual's; see the module's docstring."""
    linear: dict[int, float] = {}
    products: dict[tuple[int, int], float] = {}
    owned = np.zeros(agent.gradient.shape[1], dtype=bool)
    owned[agent.owned] = True

    def add(i: int, j: int, c: float) -> None:
        key = (min(i, j), max(i, j))
        products[key] = products.get(key, 0.0) + c

    for column, c in zip(agent.owned.tolist(), agent.gradient_constant.tolist(), strict=True):
        linear[column] = linear.get(column, 0.0) + c
    gradient = agent.gradient.tocoo()
    for i, j, c in zip(gradient.row.tolist(), gradient.col.tolist(), gradient.data.tolist(), strict=True):
        add(int(agent.owned[i]), j, c)
    for rows, levels, multipliers in (
        (agent.equalities, agent.equality_levels, agent.equality_multipliers),
        (agent.sides, agent.side_levels, agent.multipliers),
    ):
        for column, level in zip(multipliers.tolist(), levels.tolist(), strict=True):
            linear[column] = linear.get(column, 0.0) - level
        others = rows.tocoo()
        for i, j, c in zip(others.row.tolist(), others.col.tolist(), others.data.tolist(), strict=True):
            if not owned[j]:
                add(int(multipliers[i]), j, c)
    return Gap({j: c for j, c in linear.items() if c}, {pair: c for pair, c in products.items() if c})


class LinearStrongDuality:
    """One duality row an agent."""

    name = "strong-duality"
    solvers: tuple[str, ...] = ("scip", "highs")

    def encode(self, mpec: LinearMpec, solver: str, options: Options) -> EncodedArrays:
        """``gap <= 0`` for every agent. Raises RefusedError for a VI, a nonconvex agent, and for HiGHS where products stay."""
        for number, agent in enumerate(mpec.agents):
            _check(mpec.problem.agents[number].name, agent)
        _check_labels(mpec)
        program = _bounded(mpec)
        products = BinaryProducts(program)
        rows = [_row(gap_of(agent), products) for agent in mpec.agents if len(agent.pairs)]
        program = products.program()
        plain = [row for row in rows if not len(row.pairs)]
        curved = tuple(row for row in rows if len(row.pairs))
        program = replace(_with_rows(program, plain), quadratic_rows=(*program.quadratic_rows, *curved))
        if solver == "scip" and curved:
            program = replace(program, sos1=np.concatenate([program.sos1, opposite_multipliers(mpec)]))
        _fits(program, solver)

        def run(wanted: Options, start: Floats | None) -> MatrixRun:
            begin = padded(starting(mpec, start), program.columns)
            if solver == "scip":
                found = run_with_second_opinion(program, Scip(), wanted, begin, lambda x: piece_of(mpec, x))
            else:
                asked = wanted.for_solver()
                found = Highs().run_matrix(
                    program, replace(asked, extra={**asked.extra, "start": begin}) if begin is not None else asked
                )
            return _trusted(mpec, polished(mpec, found, wanted.for_solver(), always=True))

        notes = products.notes()
        return EncodedArrays(Exactness.EXACT, solver, run, notes=notes)


def _bounded(mpec: LinearMpec) -> MatrixProgram:
    """The program with multipliers bounded where that is proven.

    The duality row holds up to a tolerance, which multipliers without bounds can buy off, and SCIP branches in vain where
    products have no bounds.
    """
    derived = derive_bounds(mpec).upper[mpec.right]
    upper = mpec.program.upper.copy()
    worth = derived <= LARGEST
    upper[mpec.right[worth]] = np.minimum(upper[mpec.right[worth]], derived[worth])
    return replace(mpec.program, upper=upper)


def opposite_multipliers(mpec: LinearMpec) -> Ints:
    """Columns of the two multipliers of a range, or of a variable with two bounds, (r, 2): not both are positive.

    The pairs imply it, since the two slacks add up to the width. The duality row implies it only up to its tolerance, which both
    multipliers can buy off by growing together.
    """
    seen: dict[tuple[int, int], int] = {}
    found: list[tuple[int, int]] = []
    for side, column in zip(mpec.labels, mpec.right.tolist(), strict=True):
        key = (side.agent, id(side.row if side.row is not None else side.variable))
        if key in seen:
            found.append((seen[key], column))
        seen[key] = column
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _trusted(mpec: LinearMpec, run: MatrixRun) -> MatrixRun:
    """A point that closes the gap within the solver's tolerance only, with products that are not zero, is no answer."""
    if run.x is None or run.termination is not Termination.OPTIMAL:
        return run
    left, right = run.x[mpec.left], run.x[mpec.right]
    worst = float(np.minimum(left / np.maximum(1.0, left), right / np.maximum(1.0, right)).max(initial=0.0))
    if worst <= COMPLEMENTARY:
        return run
    said = f"multipliers up to {right.max():.3g} close the duality gap within {run.solver}'s tolerance and not exactly"
    return replace(run, termination=Termination.FAILED, x=None, objective=None, message=f"{said}: use `--encoding sos1`")


def _check(name: str, agent: AgentSystem) -> None:
    if not agent.optimises:
        said = f"{name} is a VI, and strong duality is about an agent with an objective"
        raise RefusedError(said, "use `--encoding sos1`")
    if not agent.convex:
        raise RefusedError(f"{name} is not convex, so that strong duality need not hold", "use `--encoding sos1`")


def _check_labels(mpec: LinearMpec) -> None:
    own = next((label for label in mpec.labels if label.agent == NOBODY), None)
    if own is not None:
        said = f"complementarity `{own.name}` is the model's own, and strong duality is about agents"
        raise RefusedError(said, "use `--encoding sos1`")


def _row(gap: Gap, products: BinaryProducts) -> QuadraticRow:
    linear = dict(gap.linear)
    left: dict[tuple[int, int], float] = {}
    for (i, j), c in gap.products.items():
        column = products.column(i, j)
        if column is None:
            left[i, j] = c
        else:
            for each, factor in column:
                linear[each] = linear.get(each, 0.0) + c * factor
    return QuadraticRow(
        -math.inf,
        0.0,
        np.array(list(linear), dtype=np.int64),
        np.array(list(linear.values()), dtype=float),
        np.array(list(left), dtype=np.int64).reshape(-1, 2),
        np.array(list(left.values()), dtype=float),
    )


def _with_rows(program: MatrixProgram, rows: list[QuadraticRow]) -> MatrixProgram:
    """``program`` with rows that turned out to be linear."""
    if not rows:
        return program
    starts = np.cumsum([0, *(len(row.columns) for row in rows)])
    columns = np.concatenate([row.columns for row in rows])
    data = np.concatenate([row.coefficients for row in rows])
    added = sp.csr_matrix((data, columns, starts), shape=(len(rows), program.columns))
    return replace(
        program,
        matrix=sp.vstack([program.matrix, added], format="csr"),
        row_lower=np.concatenate([program.row_lower, [row.lower for row in rows]]),
        row_upper=np.concatenate([program.row_upper, [row.upper for row in rows]]),
    )


def _fits(program: MatrixProgram, solver: str) -> None:
    reason = why_not(by_name(solver), program.features())
    if reason is not None:
        said = f"`strong-duality` leaves products of multipliers and others' variables here, and {reason}"
        raise RefusedError(said, "use `--solver scip`, or `--encoding branch` with HiGHS")
