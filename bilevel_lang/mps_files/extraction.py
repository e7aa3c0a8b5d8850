"""From a resolved problem to an instance, if it is mixed-integer linear with one optimising follower."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.repn import generate_standard_repn

from bilevel_lang.errors import RefusedError
from bilevel_lang.mps_files.instance import BilevelInstance, Column, Follower, MpsInstance, Row
from bilevel_lang.mps_files.pyomo_model import LABELLED
from bilevel_lang.problem import Agent, BilevelProblem, Structure
from bilevel_lang.solvers.program import INFINITY, Program, is_integer
from bilevel_lang.solvers.program_reading import read_program
from bilevel_lang.statements import unknown_statement

_T = TypeVar("_T")

MEND = "--write to .lp, .nl or .gms, or with --method, gives the rewritten single-level model instead"


def extract(problem: BilevelProblem) -> BilevelInstance:
    """The instance that ``problem`` is. Fixed variables are constants in it; the constant of the follower's objective is lost.

    An objective variable of the follower becomes a column of its, and the row that defines it a row of its. Raises RefusedError
    where ``.aux`` files have no words for the problem, ModelFileError for a model that cannot be evaluated.
    """
    agent = _sole_follower(problem)
    program = read_program(problem.model)
    if program.contradiction:
        raise RefusedError(f"the model has no point at all: {program.contradiction}", "mend the model")
    _linear_only(program)
    own = _own_variables(agent)
    objective = _follower_objective(agent, own)
    names = _Names(problem.model)
    variables = names.sorted(_all_columns(problem, program, [v for v, _ in objective], own), lambda v: v)
    columns = ComponentMap((v, j) for j, v in enumerate(variables))
    places = [columns[v] for v in program.variables]
    ordered = names.sorted(program.rows, lambda row: row.constraint)
    rows = tuple(_row(names, row, places) for row in ordered)
    cost = {columns[program.variables[j]]: c for j, c in program.cost.linear.items()}
    mps = MpsInstance(
        "_".join(str(problem.model.name).split()),
        program.sense,
        program.cost.constant,
        tuple(_column(names, v, cost.get(j, 0.0)) for j, v in enumerate(variables)),
        rows,
    )
    lower = tuple(j for j, v in enumerate(variables) if v in own)
    costs = ComponentMap(objective)
    mine = _own_rows(agent)
    listed = tuple(i for i, row in enumerate(ordered) if row.constraint in mine)
    follower = Follower(lower, tuple(costs.get(variables[j], 0.0) for j in lower), listed, agent.sign)
    return BilevelInstance(mps, follower)


def _sole_follower(problem: BilevelProblem) -> Agent:
    """The one follower. RefusedError for anything that the two files cannot say."""
    if problem.structure is not Structure.BILEVEL or len(problem.agents) != 1:
        raise RefusedError("an MPS file with its .aux file states a leader and one follower", MEND)
    statement = unknown_statement(problem)
    if statement is not None:
        raise RefusedError(f"an .aux file has no words for `{statement}`", MEND)
    return problem.agents[0]


def _linear_only(program: Program) -> None:
    if program.sos1:
        raise RefusedError(f"the set '{program.sos1[0].constraint.name}' cannot be written: .aux files are for linear rows", MEND)
    for form, name in ((program.cost, "the leader's objective"), *((r.form, f"row '{r.constraint.name}'") for r in program.rows)):
        if not form.is_linear:
            raise RefusedError(f"{name} is not linear", MEND)


def _own_variables(agent: Agent) -> ComponentSet:
    own = ComponentSet(agent.variables)
    assert agent.objective is not None
    if agent.objective.definition is not None:
        own.add(agent.objective.variable)
    return own


def _own_rows(agent: Agent) -> ComponentSet:
    """The constraints of the follower. Bounds of its objective variable are rows in the problem, and bounds again in a file."""
    rows = ComponentSet(row.component for row in agent.rows if row.component.ctype is pyo.Constraint)
    if agent.objective is not None and agent.objective.definition is not None:
        rows.add(agent.objective.definition)
    return rows


def _follower_objective(agent: Agent, own: ComponentSet) -> list[tuple[Any, float]]:
    """(variable, coefficient); what only the leader decides in it changes nothing for the follower and is left out."""
    objective = agent.objective
    assert objective is not None
    if objective.definition is not None:
        return [(objective.variable, 1.0)]
    repn = generate_standard_repn(objective.expression, quadratic=True, compute_values=True)
    if repn.quadratic_vars or repn.nonlinear_expr is not None:
        raise RefusedError(f"the follower's objective '{objective.name}' is not linear", MEND)
    pairs = zip(repn.linear_vars, repn.linear_coefs, strict=True)
    return [(variable, float(c)) for variable, c in pairs if variable in own]


def _all_columns(problem: BilevelProblem, program: Program, more: list[Any], own: ComponentSet) -> list[Any]:
    """The variables of the rows and of both objectives, and what anybody owns besides, in the order of the model."""
    used = ComponentSet((*program.variables, *more))
    used.update(v for v in (*own, *problem.leader.variables) if not v.fixed)
    return [v for v in problem.model.component_data_objects(pyo.Var, descend_into=True) if v in used]


def _column(names: _Names, variable: Any, cost: float) -> Column:
    lower, upper = variable.bounds
    low = -math.inf if lower is None or lower <= -INFINITY else float(lower)
    up = math.inf if upper is None or upper >= INFINITY else float(upper)
    return Column(names.of(variable), low, up, is_integer(variable), cost)


def _row(names: _Names, row: Any, columns: list[int]) -> Row:
    terms = tuple(sorted((columns[j], c) for j, c in row.form.linear.items() if c))
    return Row(names.of(row.constraint), row.lower, row.upper, terms)


class _Names:
    """Names for a file: those of the model, without blanks, each once; for what came from a file, its name and place there."""

    def __init__(self, model: Any) -> None:
        self._columns = {name: place for place, name in enumerate(getattr(model, "file_columns", ()))}
        self._rows = {name: place for place, name in enumerate(getattr(model, "file_rows", ()))}
        self._given: dict[bool, set[str]] = {True: set(), False: set()}

    def sorted(self, things: Iterable[_T], data: Callable[[_T], Any]) -> list[_T]:
        """``things`` in the order of the file, those that are not from it after them; ``data`` gives the component of one."""
        return sorted(things, key=lambda thing: self._place(data(thing)))

    def _place(self, data: Any) -> float:
        component = data.parent_component()
        known = self._columns if component.ctype is pyo.Var else self._rows
        if component.local_name not in LABELLED or component.parent_block() is not component.model():
            return math.inf
        return known.get(data.index(), math.inf)

    def of(self, data: Any) -> str:
        """The name of a variable or row, given once."""
        component = data.parent_component()
        wanted = "_".join((data.name if math.isinf(self._place(data)) else data.index()).split())
        if wanted.startswith(("@", "*")) or wanted == "'MARKER'":
            wanted = f"_{wanted}"
        taken = self._given[component.ctype is pyo.Var]
        name, count = wanted, 1
        while name in taken:
            count += 1
            name = f"{wanted}_{count}"
        taken.add(name)
        return name
