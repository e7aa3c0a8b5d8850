"""An MPEC whose rows and optimality conditions are linear, as arrays.

    min or max  a quadratic (or linear) leader objective
    subject to  linear rows and a few quadratic ones, bounds, integrality,  0 <= z[left] _|_ z[right] >= 0

Every side of a pair is a column of its own that is >= 0: the slack of an agent's row or bound on the left, the multiplier on the
right. Column order: the modeller's variables, then what the conditions add.

:class:`AgentSystem` keeps each agent's own conditions apart, in the form that strong duality, bounds on multipliers and
primal-dual inequalities need; signs are those of the agent's ``min`` problem (``docs/signs.md``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import scipy.sparse as sp

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, eq=False)
class Side:
    """What the left side of a pair is: a side of ``row`` (a row of the agent), or a bound of a variable (``row`` None)."""

    agent: int
    row: Any
    variable: Any
    word: str
    """``lower``, ``upper``, or empty where the row has one side only."""

    @property
    def name(self) -> str:
        """``e1``, ``e1.lower``, ``y1.upper``: as in the complementarities that ``reformulate`` hands out."""
        owner = self.row.name if self.row is not None else self.variable.name
        return f"{owner}.{self.word}" if self.word else str(owner)


@dataclass(frozen=True, eq=False)
class AgentSystem:
    """One agent's conditions over the modeller's columns z (n of them).

    k owned columns, p inequality sides, e equalities::

        gradient z + gradient_constant - sides[:, owned]' kappa - equalities[:, owned]' nu = 0
        0 <= sides z - side_levels  _|_  kappa >= 0,      equalities z = equality_levels, nu free

    ``optimises``: False for a VI, whose function stands in the place of the gradient. The objective of an optimiser is
    ``1/2 y'Hy + (c + Dx)'y + terms without y`` with ``gradient = [D H]`` by columns.
    """

    owned: Ints
    gradient: sp.csr_matrix
    gradient_constant: Floats
    pairs: Ints
    """Numbers of the agent's pairs, (p,)."""
    sides: sp.csr_matrix
    side_levels: Floats
    multipliers: Ints
    """Columns of kappa, (p,)."""
    equalities: sp.csr_matrix
    equality_levels: Floats
    equality_multipliers: Ints
    """Columns of nu, (e,)."""
    optimises: bool
    convex: bool
    """Whether the KKT conditions are sufficient: an LP, a convex QP; always for a VI over its polyhedron."""
    quadratic: bool
    """Whether the agent's own variables meet in its objective (H is not 0)."""


@dataclass(frozen=True, eq=False)
class Postponed:
    """An objective variable that stands nowhere but in its definition, and is computed after the solve.

    Its value is ``level + factor * expression``, the variable itself counted as 0 in it.
    """

    variable: Any
    expression: Any
    factor: float = 1.0
    level: float = 0.0


@dataclass(frozen=True, eq=False)
class ReportedMultiplier:
    """The reported multiplier of one row: the sum of factor * column."""

    name: str
    terms: tuple[tuple[float, int], ...]
    component: Any


@dataclass(frozen=True, eq=False)
class LinearMpec:
    """See the module's docstring. ``variables[j]`` is the Pyomo variable of column j, for the first columns."""

    problem: BilevelProblem
    program: MatrixProgram
    variables: tuple[Any, ...]
    left: Ints
    right: Ints
    labels: tuple[Side, ...]
    agents: tuple[AgentSystem, ...]
    reported: tuple[ReportedMultiplier, ...]
    postponed: tuple[Postponed, ...]

    def names(self) -> Iterator[str]:
        """The pairs' names, in order."""
        return (side.name for side in self.labels)

    def column_name(self, column: int) -> str:
        """What a column is, for messages."""
        if column < len(self.variables):
            return str(self.variables[column].name)
        for word, columns in (("slack", self.left), ("multiplier", self.right)):
            hits = (columns == column).nonzero()[0]
            if hits.size:
                return f"the {word} of {self.labels[int(hits[0])].name}"
        return f"column {column}"
