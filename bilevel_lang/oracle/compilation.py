"""From an agent of a resolved problem to :class:`~bilevel_lang.oracle.parametric.ParametricAgent`: read once, no clone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.components.forms import Affine, Columns, NotQuadraticError, Quadratic, Stack
from bilevel_lang.oracle.leader_objective import leader_objective
from bilevel_lang.oracle.parametric import Features, Goal, MatrixEntries, ParametricAgent
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.solvers.matrix import no_pairs
from bilevel_lang.solvers.program import Floats, finite_side, is_integer
from bilevel_lang.surrogate.sampling.space import InputSpace


@dataclass(frozen=True, slots=True)
class NotParametric:
    """Why an agent's problem is not of the form that arrays can hold."""

    reason: str


def compile_agent(problem: BilevelProblem, agent: Agent, inputs: Sequence[Any] | None = None) -> ParametricAgent | NotParametric:
    """The agent's problem in terms of ``inputs``, or why it has no such form.

    ``inputs`` are variables that the agent does not own; None: those of :func:`linking_inputs`. Raises ModelFileError where the
    model cannot be evaluated, and ValueError for inputs that lack a variable on which the agent depends.
    """
    if agent.objective is None:
        return NotParametric("it is a variational inequality, which has no value")
    used = linking_inputs(problem, agent)
    chosen = used if inputs is None else tuple(inputs)
    known = {id(v) for v in chosen}
    missing = [v.name for v in used if id(v) not in known]
    if missing:
        raise ValueError(f"{agent.name} depends on `{missing[0]}`, which is not among the inputs")
    try:
        return _Reader(problem, agent, chosen).read()
    except NotQuadraticError as error:
        return NotParametric(str(error))


def linking_inputs(problem: BilevelProblem, agent: Agent) -> tuple[Any, ...]:
    """What the agent depends on and does not own: the leader's variables in the problem's order, then the other agents'.

    A variable that its bounds fix counts as a number. Variables of rows that hold none of the agent's own are among them.
    """
    columns = Columns()
    try:
        for row in agent.rows:
            columns.quadratic(row.body, row.name)
        if agent.objective is not None:
            columns.quadratic(agent.objective.expression, agent.objective.name)
        met = {id(v) for v in columns.variables}
    except NotQuadraticError:
        met = _met(agent)
    owners = (problem.leader.variables, *(other.variables for other in problem.agents if other is not agent))
    owned = {id(v) for v in agent.variables}
    found: dict[int, Any] = {}
    for variables in owners:
        found.update({id(v): v for v in variables if id(v) in met and id(v) not in owned and not v.fixed and not is_pinned(v)})
    return tuple(found.values())


def space_of(variables: Sequence[Any]) -> InputSpace:
    """The box of Pyomo ``variables`` with their own names, bounds and domains."""
    both = [v.bounds for v in variables]
    return InputSpace(
        tuple(v.name for v in variables),
        np.array([finite_side(b[0], -math.inf) for b in both], dtype=float),
        np.array([finite_side(b[1], math.inf) for b in both], dtype=float),
        np.array([is_integer(v) for v in variables], dtype=bool),
    )


def _met(agent: Agent) -> set[int]:
    expressions = [row.body for row in agent.rows]
    expressions += [agent.objective.expression] if agent.objective is not None else []
    return {id(v) for e in expressions if e.__class__ not in (int, float) for v in identify_variables(e, include_fixed=False)}


class _Reader:
    """Columns are the responses, then the inputs, then whatever else comes up: variables that their bounds fix."""

    def __init__(self, problem: BilevelProblem, agent: Agent, inputs: tuple[Any, ...]) -> None:
        self.problem, self.agent = problem, agent
        self.responses = tuple(v for v in agent.variables if not v.fixed)
        self.inputs = inputs
        self.columns = Columns()
        for variable in (*self.responses, *inputs):
            self.columns.number(variable)
        self.m, self.n = len(self.responses), len(inputs)
        self.products: dict[tuple[int, int], int] = {}

    def read(self) -> ParametricAgent:
        agent = self.agent
        assert agent.objective is not None
        stack, curved = self._rows()
        goal = self._goal(agent.objective.expression, f"the objective of {agent.name}", agent.sign)
        whole, shift = self._matrix(stack)
        products = self._products(curved)
        leader, without = self._leader()
        # Now all products of inputs are known, and phi has its width.
        r, q = len(agent.rows), self.n + len(self.products)
        slope = sp.csr_matrix(whole[:, self.m :])
        slope.resize((r, q))
        slope = _without_zeros(sp.csr_matrix(slope + _sparse(products.slope, (r, q))))
        matrix = _without_zeros(sp.csr_matrix(whole[:, : self.m] + _sparse(products.matrix, (r, self.m))))
        shift += _sparse(products.shift, (r, 1)).toarray().ravel()
        space = space_of(self.responses)
        names = tuple(row.name for row in agent.rows)
        low = np.array([finite_side(row.lower, -math.inf) for row in agent.rows], dtype=float) - shift
        up = np.array([finite_side(row.upper, math.inf) for row in agent.rows], dtype=float) - shift
        return ParametricAgent(
            name=agent.name,
            inputs=space_of(self.inputs),
            features=Features(self.n, np.array(list(self.products), dtype=np.int64) if self.products else no_pairs()),
            goal=_finished(goal, self.m, q),
            response_names=space.names,
            lower=space.lower,
            upper=space.upper,
            integer=space.integer,
            matrix=matrix,
            row_names=names,
            row_lower=low,
            row_upper=up,
            row_slope=slope,
            entries=products.as_entries(),
            leader=None if leader is None else _finished(leader, self.m, q),
            without_leader=without,
        )

    def _rows(self) -> tuple[Stack, list[tuple[int, Quadratic]]]:
        stack, curved = Stack(), []
        for number, row in enumerate(self.agent.rows):
            form = self.columns.quadratic(row.body, f"row `{row.name}`")
            stack.add(form.affine)
            if not form.is_affine:
                curved.append((number, form))
        return stack, curved

    def _matrix(self, stack: Stack) -> tuple[sp.csr_matrix, Floats]:
        """All affine rows over responses and inputs, and their constants with what fixed variables add."""
        whole = stack.matrix(len(self.columns))
        fixed = np.array([self._constant(j) for j in range(self.m + self.n, len(self.columns))], dtype=float)
        shift = stack.shifts() + np.asarray(whole[:, self.m + self.n :] @ fixed)
        return sp.csr_matrix(whole[:, : self.m + self.n]), shift

    def _constant(self, column: int) -> float:
        """The value of a column that is neither response nor input. NotQuadraticError where it has none."""
        variable = self.columns.variables[column]
        if not is_pinned(variable):
            raise NotQuadraticError(f"`{variable.name}`, which is neither the agent's own nor an input, moves it")
        return float(variable.lb)

    def _products(self, curved: list[tuple[int, Quadratic]]) -> _RowProducts:
        """Products in rows: a response by an input goes to the matrix, two inputs to the features."""
        found = _RowProducts()
        for number, form in curved:
            what = f"row `{self.agent.rows[number].name}`"
            parts = self._split(Quadratic(Affine(0.0, [], []), form.pairs, form.products))
            if parts.quadratic:
                raise NotQuadraticError(f"{what} has products of the agent's own variables")
            found.entries += [(number, j, f, c) for j, f, c in parts.mixed]
            found.slope += [(number, f, c) for f, c in parts.slope]
            found.matrix += [(number, j, c) for j, c in parts.cost]
            found.shift.append((number, 0, parts.constant))
        return found

    def _goal(self, expression: Any, what: str, sense: int) -> _Draft:
        return _Draft(sense, self._split(self.columns.quadratic(expression, what)))

    def _leader(self) -> tuple[_Draft | None, str]:
        """The leader's objective, or why it is not one of inputs and responses alone."""
        found = leader_objective(self.problem)
        if found is None:
            return None, "there is no leader's objective"
        try:
            form = self.columns.quadratic(found.expression, "the leader's objective")
            return _Draft(found.sense, self._split(form)), ""
        except NotQuadraticError as error:
            return None, str(error)

    def _split(self, form: Quadratic) -> _Parts:
        parts = _Parts(form.affine.constant)
        self._split_affine(form.affine, parts)
        for (a, b), c in zip(form.pairs, form.products, strict=True):
            self._split_pair(min(a, b), max(a, b), c, parts)
        return parts

    def _split_affine(self, affine: Affine, parts: _Parts) -> None:
        for j, c in zip(affine.columns, affine.coefficients, strict=True):
            if j < self.m:
                parts.cost.append((j, c))
            elif j < self.m + self.n:
                parts.slope.append((j - self.m, c))
            else:
                parts.constant += c * self._constant(j)

    def _split_pair(self, a: int, b: int, c: float, parts: _Parts) -> None:
        """``a`` <= ``b``, so that responses come before inputs, and inputs before fixed variables."""
        m, end = self.m, self.m + self.n
        if b >= end:
            number = self._constant(b)
            self._split_affine(Affine(0.0, [a], [c * number]), parts)
        elif b < m:
            parts.quadratic.append((a, b, c))
        elif a < m:
            parts.mixed.append((a, b - m, c))
        else:
            parts.slope.append((self._product(a - m, b - m), c))

    def _product(self, i: int, j: int) -> int:
        """The feature that is the product of two inputs."""
        return self.n + self.products.setdefault((i, j), len(self.products))


class _Parts:
    """A quadratic form by what its terms are made of; ``slope`` by feature, ``mixed`` as (response, feature, coefficient)."""

    def __init__(self, constant: float) -> None:
        self.constant = constant
        self.cost: list[tuple[int, float]] = []
        self.slope: list[tuple[int, float]] = []
        self.mixed: list[tuple[int, int, float]] = []
        self.quadratic: list[tuple[int, int, float]] = []


class _RowProducts:
    """What products add to the rows, as (row, column or feature, coefficient); ``entries`` as (row, column, feature, ...)."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, int, float]] = []
        self.slope: list[tuple[int, int, float]] = []
        self.matrix: list[tuple[int, int, float]] = []
        self.shift: list[tuple[int, int, float]] = []

    def as_entries(self) -> MatrixEntries:
        """The part that depends on inputs."""
        rows, columns, features, data = zip(*self.entries, strict=True) if self.entries else ((), (), (), ())
        where = [np.array(a, dtype=np.int64) for a in (rows, columns, features)]
        return MatrixEntries(where[0], where[1], where[2], np.array(data, dtype=float))


@dataclass(frozen=True, slots=True)
class _Draft:
    """A goal whose features are not yet counted."""

    sense: int
    parts: _Parts


def _finished(draft: _Draft, m: int, q: int) -> Goal:
    parts = draft.parts
    slope, cost = np.zeros(q), np.zeros(m)
    for f, c in parts.slope:
        slope[f] += c
    for j, c in parts.cost:
        cost[j] += c
    # (a, b, c) is the term c y_a y_b; both triangles of its Hessian, which add up to 2c on the diagonal.
    both = [(i, j, c) for a, b, c in parts.quadratic for i, j in ((a, b), (b, a))]
    quadratic = sp.csc_matrix(_sparse(both, (m, m))) if both else None
    return Goal(draft.sense, parts.constant, slope, cost, _sparse(parts.mixed, (m, q)), quadratic)


def _sparse(entries: list[tuple[int, int, float]], shape: tuple[int, int]) -> sp.csr_matrix:
    rows, columns, data = zip(*entries, strict=True) if entries else ((), (), ())
    return _without_zeros(sp.csr_matrix((np.array(data, dtype=float), (rows, columns)), shape=shape))


def _without_zeros(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Terms that cancel leave none."""
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix
