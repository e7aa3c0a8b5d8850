"""From the model of one scenario to the arrays of all: the model is walked once.

Pyomo's walker for parameterised quadratic functions keeps what it is told to keep: here the random parameters. A coefficient that
depends on them comes out as an expression, and :mod:`coefficients` evaluates it for all scenarios at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
import scipy.sparse as sp
from pyomo.core.expr.numeric_expr import Expr_ifExpression
from pyomo.core.expr.numvalue import native_numeric_types
from pyomo.core.expr.visitor import identify_components
from pyomo.repn.parameterized import ParameterizedBeforeChildDispatcher, ParameterizedQuadraticRepnVisitor
from pyomo.repn.util import ExprType, InvalidNumber

from bilevel_lang.errors import ModelFileError, RefusedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays, Varying
from bilevel_lang.reformulation.stochastic.coefficients import ScenarioValues
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import INFINITY, Floats, is_integer
from bilevel_lang.uncertainty.scenario_set import ScenarioSet


@dataclass(frozen=True, eq=False)
class Compiled:
    """The arrays, and whose columns they are: ``first`` (n1) and ``second`` (n2) are the modeller's variables."""

    arrays: TwoStageArrays
    first: tuple[Any, ...]
    second: tuple[Any, ...]
    first_rows: tuple[Any, ...]
    second_rows: tuple[Any, ...]


def compile_program(problem: BilevelProblem, scenarios: ScenarioSet) -> Compiled:
    """The arrays of the problem over the scenarios.

    Raises RefusedError where something is not linear in the variables (with the row's name), ModelFileError where a
    coefficient has no value.
    """
    return _Compiler(problem, scenarios).compile()


class _Dispatcher(ParameterizedBeforeChildDispatcher):  # type: ignore[misc]
    """Random parameters, and what is computed from parameters with random ones among them, stay as they are."""

    @staticmethod
    def _before_param(visitor: Any, child: Any) -> Any:
        if visitor.scenario_values.is_random(child):
            return False, (ExprType.FIXED, child)
        return ParameterizedBeforeChildDispatcher._before_param(visitor, child)

    @staticmethod
    def _before_npv(visitor: Any, child: Any) -> Any:
        if visitor.scenario_values.depends(child):
            return False, (ExprType.FIXED, child)
        return ParameterizedBeforeChildDispatcher._before_npv(visitor, child)


class _Walker(ParameterizedQuadraticRepnVisitor):  # type: ignore[misc]
    before_child_dispatcher = _Dispatcher()

    def __init__(self, columns: Any, values: ScenarioValues) -> None:
        super().__init__({}, var_recorder=columns, wrt=[])
        self.scenario_values = values


class _Columns:
    """Numbers the variables of each stage as the walk meets them."""

    def __init__(self, second: set[int]) -> None:
        self._second = second
        self.var_map: dict[int, Any] = {}
        self.var_order: dict[int, int] = {}
        self.stages: tuple[list[Any], list[Any]] = ([], [])

    def add(self, variable: Any) -> None:
        if id(variable) not in self.var_map:
            mine = self.stages[id(variable) in self._second]
            self.var_map[id(variable)] = variable
            self.var_order[id(variable)] = len(mine)
            mine.append(variable)

    def is_second(self, key: int) -> bool:
        return key in self._second


@dataclass
class _Slot:
    """Numbers that are filled in one after the other; those that vary are remembered with their place."""

    base: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)

    def put(self, value: Any) -> None:
        if isinstance(value, np.ndarray):
            if value.size and not (value == value[0]).all():
                self.places.append(len(self.base))
                self.values.append(value)
            value = value[0]
        self.base.append(float(value))

    def array(self) -> Floats:
        return np.array(self.base, dtype=float)

    def varying(self) -> Varying | None:
        return Varying(np.array(self.places, dtype=np.int64), np.column_stack(self.values)) if self.places else None


@dataclass
class _Matrix:
    """Rows of entries in one slot, in the order in which scipy's csr format keeps them."""

    slot: _Slot = field(default_factory=_Slot)
    columns: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])

    def row(self, entries: dict[int, Any]) -> None:
        for column in sorted(entries):
            self.columns.append(column)
            self.slot.put(entries[column])
        self.starts.append(len(self.columns))

    def matrix(self, width: int) -> sp.csr_matrix:
        return sp.csr_matrix((self.slot.array(), self.columns, self.starts), shape=(len(self.starts) - 1, width), dtype=float)


class _Compiler:
    def __init__(self, problem: BilevelProblem, scenarios: ScenarioSet) -> None:
        assert problem.stochastic is not None
        program = problem.stochastic
        self.problem, self.scenarios = problem, scenarios
        self.values = ScenarioValues([p.data for p in program.parameters], scenarios.values)
        self.columns = _Columns({id(v) for v in program.second_variables})
        self.walker = _Walker(self.columns, self.values)
        self.late = {id(r) for r in program.second_rows}

    def compile(self) -> Compiled:
        for variable in self._named():
            self.columns.add(variable)
        objective = self.problem.leader.objective
        sense = -1 if objective is not None and objective.sense == pyo.maximize else 1
        cost = ({}, {}, 0.0) if objective is None else self._form(objective.expr, f"objective `{objective.name}`")
        rows = [r for r in self.problem.leader.rows if id(r) not in self.late]
        early = [(self._form(r.body, f"row `{r.name}`"), self._sides(r)) for r in rows]
        late_rows = list(self.problem.stochastic.second_rows) if self.problem.stochastic is not None else []
        late = [(self._form(r.body, f"row `{r.name}`"), self._sides(r)) for r in late_rows]
        first, second = self.columns.stages
        whole, slots = self._first(first, early, cost, sense), _slots(cost, len(first), len(second))
        technology, recourse, low, up = self._second(late)
        slots |= {"row_lower": low, "row_upper": up, "technology": technology.slot, "recourse": recourse.slot}
        slots["lower"], slots["upper"] = self._bounds(second)
        arrays = TwoStageArrays(
            first=whole,
            first_cost=slots["first_cost"].array(),
            lower=slots["lower"].array(),
            upper=slots["upper"].array(),
            integer=np.array([is_integer(v) for v in second], dtype=bool),
            cost=slots["cost"].array(),
            constant=float(slots["constant"].base[0]),
            technology=technology.matrix(len(first)),
            recourse=recourse.matrix(len(second)),
            row_lower=low.array(),
            row_upper=up.array(),
            probabilities=self.scenarios.probabilities,
            varying={name: v for name, slot in slots.items() if (v := slot.varying()) is not None},
        )
        return Compiled(arrays, tuple(first), tuple(second), tuple(rows), tuple(late_rows))

    def _named(self) -> list[Any]:
        """Variables of risk measures count even where nothing else uses them."""
        program = self.problem.stochastic
        risks = program.risks if program is not None else ()
        return [v for r in risks for v in (r.variable, r.result) if v is not None and not v.fixed]

    # --- Expressions.

    def _form(self, expression: Any, what: str) -> tuple[dict[int, Any], dict[int, Any], Any]:
        """Coefficients of the first and of the second stage, and the constant; arrays (S,) where they vary."""
        try:
            found = self.walker.walk_expression(expression)
        except (ValueError, ArithmeticError, TypeError) as error:
            raise ModelFileError(f"{what} cannot be evaluated: {error}", help="look for a parameter without value") from error
        except AttributeError as error:  # Pyomo's walker fails on a relation inside Expr_if
            if next(identify_components(expression, {Expr_ifExpression}), None) is None:
                raise
            raise RefusedError(
                f"{what} holds an `Expr_if`, whose condition cannot be evaluated for all scenarios together",
                help="make the whole coefficient a parameter, and give that its law or its column",
            ) from error
        if found.nonlinear is not None or any(not _is_zero(c) for c in (found.quadratic or {}).values()):
            raise RefusedError(
                f"{what} is not linear in the variables",
                help="write rows that are linear for given data, or take `bilevel_lang.reformulate(...)` to an NLP solver",
            )
        parts: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
        for key, coefficient in found.linear.items():
            value = self._number(coefficient, what)
            if isinstance(value, np.ndarray) or value != 0:
                parts[self.columns.is_second(key)][self.columns.var_order[key]] = value
        return *parts, self._number(found.constant, what)

    def _number(self, coefficient: Any, what: str) -> Any:
        """A float, or an array (S,)."""
        if coefficient.__class__ in native_numeric_types:
            value: Any = float(coefficient)
        elif isinstance(coefficient, InvalidNumber):
            value = math.nan
        else:
            value = self.values.over_scenarios(coefficient)
        if not np.all(np.isfinite(value)):
            where = "" if isinstance(value, float) else f" in scenario {self.scenarios.name(int(np.argmin(np.isfinite(value))))}"
            raise ModelFileError(f"a coefficient of {what} is not a finite number{where}", help="look at the data it is made of")
        return value

    def _side(self, side: Any, missing: float, what: str) -> Any:
        if side is None:
            return missing
        value = self._number(side, what) if side.__class__ not in native_numeric_types else float(side)
        if math.isnan(np.max(value)):
            raise ModelFileError(f"a side of {what} is NaN", help="look for a parameter without a value")
        if isinstance(value, np.ndarray):
            return np.where(value >= INFINITY, math.inf, np.where(value <= -INFINITY, -math.inf, value))
        return value if abs(value) < INFINITY else math.copysign(math.inf, value)

    def _sides(self, row: Any) -> tuple[Any, Any]:
        low, _, up = row.to_bounded_expression()
        what = f"row `{row.name}`"
        return self._side(low, -math.inf, what), self._side(up, math.inf, what)

    # --- The two stages.

    def _first(self, variables: list[Any], rows: list[Any], cost: Any, sense: int) -> MatrixProgram:
        matrix = _Matrix()
        low, up = [], []
        for (entries, late, constant), (lower, upper) in rows:
            assert not late, "a first-stage row holds a second-stage variable: resolve refuses that"
            matrix.row(entries)
            low.append(lower - constant)
            up.append(upper - constant)
        bounds = [v.bounds for v in variables]
        costs = np.zeros(len(variables))
        for column, value in cost[0].items():
            costs[column] = 0.0 if isinstance(value, np.ndarray) else value
        return MatrixProgram(
            lower=np.array([-math.inf if b[0] is None else b[0] for b in bounds], dtype=float),
            upper=np.array([math.inf if b[1] is None else b[1] for b in bounds], dtype=float),
            integer=np.array([is_integer(v) for v in variables], dtype=bool),
            cost=costs,
            matrix=matrix.matrix(len(variables)),
            row_lower=np.array(low, dtype=float),
            row_upper=np.array(up, dtype=float),
            sense=sense,
        )

    def _second(self, rows: list[Any]) -> tuple[_Matrix, _Matrix, _Slot, _Slot]:
        technology, recourse, low, up = _Matrix(), _Matrix(), _Slot(), _Slot()
        for (early, late, constant), (lower, upper) in rows:
            technology.row(early)
            recourse.row(late)
            low.put(lower - constant)
            up.put(upper - constant)
        return technology, recourse, low, up

    def _bounds(self, variables: list[Any]) -> tuple[_Slot, _Slot]:
        lower, upper = _Slot(), _Slot()
        for variable in variables:
            what = f"a bound of `{variable.name}`"
            lower.put(self._side(self._bound(variable.lower, variable.lb), -math.inf, what))
            upper.put(self._side(self._bound(variable.upper, variable.ub), math.inf, what))
        return lower, upper

    def _bound(self, bound: Any, number: float | None) -> Any:
        """The expression of a bound where that is random, else the number."""
        return bound if bound is not None and self.values.depends(bound) else number


def _slots(cost: Any, early: int, late: int) -> dict[str, _Slot]:
    """What the objective puts into the second stage: all that is random, and the costs of the second-stage variables."""
    first, second, constant = cost
    slots = {"first_cost": _Slot(), "cost": _Slot(), "constant": _Slot()}
    for column in range(early):
        value = first.get(column, 0.0)
        slots["first_cost"].put(value if isinstance(value, np.ndarray) else 0.0)
    for column in range(late):
        slots["cost"].put(second.get(column, 0.0))
    slots["constant"].put(constant)
    return slots


def _is_zero(coefficient: Any) -> bool:
    return coefficient.__class__ in native_numeric_types and coefficient == 0
