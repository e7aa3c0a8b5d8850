"""The extensive form as a Pyomo model, for solvers and tools that read those: anything that a scenario's model may hold is kept.

``scenario[s]`` is a clone of the modeller's model with the values of scenario s, the first one's variables of the first stage
serve all (``first_stage`` ties the others to it), and the objective is the expected one.
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.components.cloning import clone_model
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.features import features_of
from bilevel_lang.solvers.registry import pick
from bilevel_lang.solvers.solver import SolverRun
from bilevel_lang.uncertainty.scenario_set import ScenarioSet


def pyomo_extensive_form(problem: BilevelProblem, scenarios: ScenarioSet, method: str) -> Reformulation:
    """The model, and the way back for the variables of the first stage. Raises RefusedError with measures of risk, chance
    rows."""
    program = problem.stochastic
    assert program is not None
    if program.tie is not None:
        raise program.tie.refusal(
            "measures of risk and chance constraints go to the solver as arrays, not as Pyomo components",
            "solve it: `bilevel_lang.solve(...)`, or `--write FILE.mps` without --method",
        )
    model = pyo.ConcreteModel(name=f"extensive form of {problem.model.name}")
    model.scenario = pyo.Block(range(1, scenarios.size + 1))
    late = {id(v) for v in program.second_variables}
    first = [v for v in problem.model.component_data_objects(pyo.Var) if id(v) not in late and not v.fixed]
    model.first_stage = pyo.ConstraintList()
    twins: ComponentMap = ComponentMap()
    total: Any = 0.0
    objective = problem.leader.objective
    for number in range(scenarios.size):
        clone, memo = scenario_model(problem, scenarios, number)
        model.scenario[number + 1].transfer_attributes_from(clone)
        if objective is not None:
            total += float(scenarios.probabilities[number]) * memo[id(objective)].expr
            memo[id(objective)].deactivate()
        for variable in first:
            twin = memo[id(variable)]
            if number == 0:
                twins[variable] = twin
            else:
                model.first_stage.add(twin == twins[variable])
    if objective is not None:
        model.expected = pyo.Objective(expr=total, sense=objective.sense)
    return Reformulation(
        problem=problem,
        model=model,
        method=method,
        encoding=None,
        solver="",
        exactness=Exactness.EXACT,
        variables=twins,
        multipliers=(),
        run=_Run(model),
    )


def scenario_model(problem: BilevelProblem, scenarios: ScenarioSet, number: int) -> tuple[Any, dict[int, Any]]:
    """A clone of the modeller's model with the values of one scenario (from 0), and the map from ids of components to twins."""
    assert problem.stochastic is not None
    memo: dict[int, Any] = {}
    clone = clone_model(problem.model, memo)
    for parameter, value in zip(problem.stochastic.parameters, scenarios.values[number], strict=True):
        memo[id(parameter.data)].set_value(float(value))
    return clone, memo


class _Run:
    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(self, options: Options) -> SolverRun:
        return pick(features_of(self._model), options.solver)[0].run(self._model, options.for_solver())
