"""From a resolved problem to the arrays of its MPEC, without a clone and without a Pyomo component.

The conditions are those of :mod:`bilevel_lang.reformulation.optimality_conditions`; tests compare the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base import maximize
from pyomo.mpec import Complementarity

from bilevel_lang.components.forms import Affine, Columns, NotQuadraticError, Quadratic, Stack
from bilevel_lang.components.kinds import unknown_components
from bilevel_lang.errors import ModelFileError
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.reformulation.linear.conditions import AgentRows, Conditions
from bilevel_lang.reformulation.linear.given_pairs import read_pairs
from bilevel_lang.reformulation.linear.mpec import LinearMpec, Postponed
from bilevel_lang.solvers.features import hessian
from bilevel_lang.solvers.matrix import Ints, MatrixProgram, QuadraticRow
from bilevel_lang.solvers.program import Floats, finite_side, is_integer
from bilevel_lang.statements import unknown_statement


@dataclass(frozen=True, slots=True)
class NotLinear:
    """Why the arrays route does not take a problem."""

    reason: str


def read_mpec(problem: BilevelProblem) -> LinearMpec | NotLinear:
    """The problem's MPEC as arrays, or the reason why it is not linear.

    Raises ModelFileError where the model cannot be evaluated (a parameter without value, a NaN).
    """
    strange = _strange(problem)
    if strange is not None:
        return NotLinear(strange)
    try:
        with PauseGC():
            return _Reader(problem).read()
    except NotQuadraticError as error:
        return NotLinear(f"{error} is not linear")


def _strange(problem: BilevelProblem) -> str | None:
    """What in the model the arrays route knows nothing of, None without."""
    unknown = unknown_components(problem.model, Complementarity)
    if unknown is not None:
        return f"the model has {unknown}"
    statement = unknown_statement(problem, "dualvar", "vi", "adjustequ")
    return None if statement is None else f"the annotation has {statement}"


@dataclass(frozen=True, slots=True)
class _CurvedRow:
    constraint: Any
    form: Quadratic
    lower: float
    upper: float


class _Reader:
    """Collects forms first, so that the modeller's variables get the first columns; conditions come after."""

    def __init__(self, problem: BilevelProblem) -> None:
        self.problem = problem
        self.columns = Columns()
        self.stack = Stack()
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.curved: list[_CurvedRow] = []

    def read(self) -> LinearMpec:
        objective = self._objective()
        agents = [self._agent(agent) for agent in self.problem.agents]
        for constraint in self.problem.leader.rows:
            self._row(constraint)
        for mapped in self.problem.dual_maps:
            self.columns.number(mapped.variable)
        postponed = self._definitions()
        objective, defined = self._without_objective_variable(objective, agents)
        for agent in self.problem.agents:
            for variable in agent.variables:
                if not variable.fixed:
                    self.columns.number(variable)
        given = read_pairs(self.problem.model, self.columns)
        for row in given.rows:
            self._row(row)
        n = len(self.columns)
        conditions = Conditions(n, *self._bounds())
        for number, (agent, rows) in enumerate(zip(self.problem.agents, agents, strict=True)):
            conditions.add(agent, number, rows, tuple(self.problem.dual_maps_of(agent)), self.columns)
        given.add_to(conditions)
        program = self._program(objective, conditions)
        return LinearMpec(
            problem=self.problem,
            program=program,
            variables=tuple(self.columns.variables),
            left=np.array(conditions.left, dtype=np.int64),
            right=np.array(conditions.right, dtype=np.int64),
            labels=tuple(conditions.labels),
            agents=tuple(conditions.systems),
            reported=tuple(conditions.reported),
            postponed=(*postponed, *defined),
        )

    def _objective(self) -> Quadratic:
        objective = self.problem.leader.objective
        if objective is None:
            return Quadratic(Affine(0.0, [], []), [], [])
        return self.columns.quadratic(objective.expr, f"objective '{objective.name}'")

    def _agent(self, agent: Agent) -> AgentRows:
        """The agent's forms: its rows (all of them affine), and its objective or functions."""
        rows = Stack()
        for row in agent.rows:
            rows.add(self.columns.affine(row.body, f"row `{row.name}`"))
        objective = None
        if agent.objective is not None:
            what = f"the objective of {agent.name}"
            objective = self.columns.quadratic(agent.objective.expression, what)
        functions = [
            (f.variable, self.columns.affine(f.expression, f"function `{f.name}`"))
            for f in agent.functions
            if f.expression is not None and not f.variable.fixed and not is_pinned(f.variable)
        ]
        return AgentRows(rows, objective, functions)

    def _row(self, constraint: Any) -> None:
        low, body, high = constraint.to_bounded_expression()
        what = f"constraint '{constraint.name}'" if body.__class__ is not int else ""
        lower, upper = finite_side(_value(low), -math.inf), finite_side(_value(high), math.inf)
        if lower == -math.inf and upper == math.inf:
            return
        form = self.columns.quadratic(body, what)
        if form.is_affine:
            self.stack.add(form.affine)
            self.lower.append(lower)
            self.upper.append(upper)
        else:
            self.curved.append(_CurvedRow(constraint, form, lower, upper))

    def _definitions(self) -> tuple[Postponed, ...]:
        """Rows that define objective variables; those of a variable that stands nowhere else are left for later."""
        owners = {id(a.objective.definition): a.objective for a in self.problem.agents if a.objective is not None}
        postponed = []
        for row in self.problem.definitions:
            objective = owners.get(id(row))
            free = objective is not None and objective.variable is not None and self._unused(objective.variable)
            if objective is not None and free:
                postponed.append(Postponed(objective.variable, objective.expression))
            else:
                self._row(row)
        return tuple(postponed)

    def _without_objective_variable(
        self, objective: Quadratic, agents: list[AgentRows]
    ) -> tuple[Quadratic, tuple[Postponed, ...]]:
        """The leader's objective with its GAMS-style variable substituted, where one curved equality alone defines that.

        A curved equality would make the problem nonconvex for the solver, which it need not be.
        """
        linear = objective.affine
        if not objective.is_affine or len(linear.columns) != 1:
            return objective, ()
        column, factor = linear.columns[0], linear.coefficients[0]
        variable = self.columns.variables[column]
        rows = [row for row in self.curved if column in row.form.columns()]
        if len(rows) != 1 or not _free(variable) or self.stack.uses(column) or any(a.uses(column) for a in agents):
            return objective, ()
        if any(mapped.variable is variable for mapped in self.problem.dual_maps):
            return objective, ()  # its value is a multiplier: the row says what that has to be
        row, form = rows[0], rows[0].form
        own = sum(c for j, c in zip(form.affine.columns, form.affine.coefficients, strict=True) if j == column)
        if row.lower != row.upper or own == 0 or any(column in pair for pair in form.pairs):
            return objective, ()
        self.curved.remove(row)
        # own * z + rest = level, so that factor * z = factor / own * (level - rest).
        scale = -factor / own
        rest = [(j, scale * c) for j, c in zip(form.affine.columns, form.affine.coefficients, strict=True) if j != column]
        constant = linear.constant - scale * (row.lower - form.affine.constant)
        affine = Affine(constant, [j for j, _ in rest], [c for _, c in rest])
        body = row.constraint.body
        found = Quadratic(affine, form.pairs, [scale * c for c in form.products])
        return found, (Postponed(variable, body, -1.0 / own, row.lower / own),)

    def _unused(self, variable: Any) -> bool:
        return _free(variable) and self.columns.find(variable) is None

    def _bounds(self) -> tuple[Floats, Floats]:
        both = [v.bounds for v in self.columns.variables]
        lower = np.array([finite_side(b[0], -math.inf) for b in both], dtype=float)
        upper = np.array([finite_side(b[1], math.inf) for b in both], dtype=float)
        return lower, upper

    def _program(self, objective: Quadratic, conditions: Conditions) -> MatrixProgram:
        n = conditions.columns
        plain = self.stack.matrix(n)
        shift = self.stack.shifts()
        lower = np.array(self.lower, dtype=float) - shift
        upper = np.array(self.upper, dtype=float) - shift
        added, added_lower, added_upper = conditions.rows()
        matrix = sp.vstack([plain, added], format="csr")
        if not np.isfinite(matrix.data).all():
            raise ModelFileError("a coefficient of the model is NaN or infinite", help="look for a parameter without a value")
        cost = np.zeros(n)
        np.add.at(cost, objective.affine.columns, objective.affine.coefficients)
        integer = np.zeros(n, dtype=bool)
        integer[: len(self.columns)] = [is_integer(v) for v in self.columns.variables]
        leader = self.problem.leader.objective
        return MatrixProgram(
            lower=conditions.all_lower(),
            upper=conditions.all_upper(),
            integer=integer,
            cost=cost,
            matrix=matrix,
            row_lower=np.concatenate([lower, added_lower]),
            row_upper=np.concatenate([upper, added_upper]),
            constant=objective.affine.constant,
            sense=-1 if leader is not None and leader.sense == maximize else 1,
            quadratic=hessian(objective.pairs, objective.products, n) if objective.pairs else None,
            quadratic_rows=tuple(_quadratic_row(each) for each in self.curved),
        )


def _free(variable: Any) -> bool:
    return variable.lb is None and variable.ub is None and variable.is_continuous() and not variable.fixed


def _quadratic_row(row: _CurvedRow) -> QuadraticRow:
    form, linear = row.form, row.form.affine
    pairs: Ints = np.array(form.pairs, dtype=np.int64).reshape(-1, 2)
    return QuadraticRow(
        row.lower - linear.constant,
        row.upper - linear.constant,
        np.array(linear.columns, dtype=np.int64),
        np.array(linear.coefficients, dtype=float),
        pairs,
        np.array(form.products, dtype=float),
    )


def _value(side: Any) -> float | None:
    if side is None:
        return None
    if side.__class__ is float or side.__class__ is int:
        return float(side)
    try:
        # Numbers of numpy are no Pyomo expressions and cannot be called.
        return float(side() if callable(side) else side)
    except (ValueError, TypeError, ArithmeticError) as error:
        said = f"a side of a row cannot be evaluated: {error}"
        raise ModelFileError(said, help="look for a parameter without value") from error
