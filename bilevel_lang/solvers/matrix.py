"""A program as arrays: what solvers want, without a Pyomo model around it.

    min or max  cost'z + 1/2 z' quadratic z + constant
    subject to  row_lower <= matrix z <= row_upper,  lower <= z <= upper,  z_j whole where integer[j],
                quadratic_rows,  sos1 (at most one of two columns is not zero),  indicators

The arrays route of the KKT rewrite builds it directly; :meth:`bilevel_lang.solvers.highs.Highs.run` makes one of the Pyomo model
it has read. Nothing here knows what the columns mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pyomo.common.collections import ComponentMap

from bilevel_lang.solvers.features import hessian
from bilevel_lang.solvers.program import CONSTANT_TOLERANCE, Floats, Program, uncross
from bilevel_lang.solvers.solver import Feature, SolverRun, Termination

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def no_pairs() -> Ints:
    """An empty (0, 2) array of column pairs."""
    return np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class QuadraticRow:
    """``lower <= coefficients'z[columns] + sum products[k] z[pairs[k, 0]] z[pairs[k, 1]] <= upper``."""

    lower: float
    upper: float
    columns: Ints
    coefficients: Floats
    pairs: Ints
    products: Floats

    def body(self, z: Floats) -> float:
        """The row's value at ``z``."""
        linear = float(self.coefficients @ z[self.columns]) if self.columns.size else 0.0
        return linear + float(self.products @ (z[self.pairs[:, 0]] * z[self.pairs[:, 1]]))


@dataclass(frozen=True, slots=True)
class Indicator:
    """``z[binary] == value`` forces ``z[column] <= 0``."""

    binary: int
    value: int
    column: int


@dataclass(frozen=True, slots=True)
class MatrixProgram:
    """See the module's docstring. n columns, m rows; infinities where there is no bound or side; ``sense`` +1 min, -1 max.

    ``quadratic`` is the symmetric Hessian of the objective (both triangles), or None.
    """

    lower: Floats
    upper: Floats
    integer: Flags
    cost: Floats
    matrix: sp.csr_matrix
    row_lower: Floats
    row_upper: Floats
    constant: float = 0.0
    sense: int = 1
    quadratic: sp.csc_matrix | None = None
    quadratic_rows: tuple[QuadraticRow, ...] = ()
    sos1: Ints = field(default_factory=no_pairs)
    indicators: tuple[Indicator, ...] = ()

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.lower)

    @property
    def rows(self) -> int:
        """How many linear rows there are."""
        return len(self.row_lower)

    def objective_at(self, z: Floats) -> float:
        """The objective in its own sense at ``z`` (n,), constant included."""
        value = self.constant + math.fsum(self.cost * z)
        return value if self.quadratic is None else value + 0.5 * float(z @ (self.quadratic @ z))

    def violation(self, z: Floats) -> float:
        """The largest violation of bounds, rows and quadratic rows at ``z``, relative to max(1, |side|)."""
        worst = max(_miss(z, self.lower, self.upper), _miss(self.matrix @ z, self.row_lower, self.row_upper))
        for row in self.quadratic_rows:
            body = np.array([row.body(z)])
            worst = max(worst, _miss(body, np.array([row.lower]), np.array([row.upper])))
        return worst

    def features(self) -> frozenset[Feature]:
        """What the program needs of a solver."""
        from bilevel_lang.solvers.features import is_semidefinite

        found: set[Feature] = set()
        if self.integer.any():
            found.add(Feature.INTEGER)
        if len(self.sos1):
            found.add(Feature.SOS1)
        if self.indicators:
            found.add(Feature.INDICATOR)
        if self.quadratic_rows:
            found.add(Feature.QUADRATIC_ROWS)
        if self.quadratic is not None and self.quadratic.nnz:
            convex = is_semidefinite(self.sense * self.quadratic)
            found.add(Feature.QUADRATIC_OBJECTIVE if convex else Feature.NONCONVEX_OBJECTIVE)
        return frozenset(found)

    def contradiction(self) -> str | None:
        """Why the program has no point at all where that shows without solving: crossed bounds, an empty row out of its sides."""
        crossed = uncross(self.lower, self.upper, lambda j: f"column {j}")
        if crossed:
            return crossed
        empty = np.flatnonzero(np.diff(self.matrix.indptr) == 0)
        low, up = self.row_lower[empty], self.row_upper[empty]
        bad = (low > CONSTANT_TOLERANCE * np.maximum(1.0, np.abs(low))) | (up < -CONSTANT_TOLERANCE * np.maximum(1.0, np.abs(up)))
        return f"row {int(empty[bad][0])} is 0, outside its sides" if bad.any() else None


def _miss(value: Floats, lower: Floats, upper: Floats) -> float:
    if not value.size:
        return 0.0
    with np.errstate(invalid="ignore"):
        below = (lower - value) / np.maximum(1.0, np.where(np.isfinite(lower), np.abs(lower), 1.0))
        above = (value - upper) / np.maximum(1.0, np.where(np.isfinite(upper), np.abs(upper), 1.0))
    worst = float(max(below.max(), above.max(), 0.0))
    return math.inf if math.isnan(worst) else worst


@dataclass(frozen=True, slots=True)
class MatrixRun:
    """What a solver said of a :class:`MatrixProgram`; the fields mean what they mean in ``SolverRun``.

    ``x`` (n,) or None; ``row_duals`` (m,) and ``column_duals`` (n,) are d(optimal value)/d(side), in the program's own sense.
    """

    termination: Termination
    solver: str
    x: Floats | None = None
    objective: float | None = None
    bound: float | None = None
    seconds: float = 0.0
    message: str = ""
    nodes: int | None = None
    iterations: int | None = None
    row_duals: Floats | None = None
    column_duals: Floats | None = None
    doubts: tuple[str, ...] = ()
    cuts: int | None = None
    follower_solves: int | None = None

    def on_components(self, values: ComponentMap | None) -> SolverRun:
        """The same in terms of a Pyomo model: ``values`` are what :attr:`x` means there. Multipliers are left to the caller."""
        return SolverRun(
            self.termination,
            self.solver,
            values=values,
            objective=self.objective,
            bound=self.bound,
            seconds=self.seconds,
            message=self.message,
            nodes=self.nodes,
            iterations=self.iterations,
            doubts=self.doubts,
            cuts=self.cuts,
            follower_solves=self.follower_solves,
        )


def arrays_of(program: Program) -> MatrixProgram:
    """A model that was read, as arrays; its rows must be linear."""
    n, products = len(program.variables), program.cost.quadratic
    cost = np.zeros(n)
    cost[list(program.cost.linear)] = list(program.cost.linear.values())
    columns = [j for row in program.rows for j in row.form.linear]
    data = [c for row in program.rows for c in row.form.linear.values()]
    starts = np.cumsum([0] + [len(row.form.linear) for row in program.rows])
    return MatrixProgram(
        lower=program.lower,
        upper=program.upper,
        integer=program.integer,
        cost=cost,
        matrix=sp.csr_matrix((data, columns, starts), shape=(len(program.rows), n), dtype=float),
        row_lower=np.array([row.lower for row in program.rows], dtype=float),
        row_upper=np.array([row.upper for row in program.rows], dtype=float),
        constant=program.cost.constant,
        sense=program.sense,
        quadratic=hessian(list(products), list(products.values()), n) if products else None,
    )


def settled_matrix(program: MatrixProgram, solver: str) -> MatrixRun | None:
    """The run of a program that needs no solver: contradictory on its face, or without columns. Otherwise None."""
    contradiction = program.contradiction()
    if contradiction:
        return MatrixRun(Termination.INFEASIBLE, solver, message=contradiction)
    if program.columns:
        return None
    said, nothing = "the model has no variables", np.zeros(0)
    value = program.constant
    return MatrixRun(
        Termination.OPTIMAL, solver, nothing, value, value, message=said, row_duals=np.zeros(program.rows), column_duals=nothing
    )
