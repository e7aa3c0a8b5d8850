"""The hand-over to mpi-sppy (Knueven, Mildebrath, Muir, Siirola, Watson and Woodruff 2023): progressive hedging, Benders and
hubs of both on many machines, for programs that outgrow one.
"""

from __future__ import annotations

import importlib
from typing import Any

from bilevel_lang.errors import RefusedError, SolverMissingError, UsageError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.stochastic.compilation import Compiled, compile_program
from bilevel_lang.reformulation.stochastic.pyomo_form import scenario_model
from bilevel_lang.uncertainty.scenario_set import ScenarioSet


class ScenarioCreator:
    """What mpi-sppy calls ``scenario_creator``: a function from the name of a scenario to its Pyomo model.

    ``all_scenario_names`` are the names to hand over with it. Each model has the probability of its scenario and one node,
    ROOT, with the first stage's variables and costs.
    """

    def __init__(self, problem: BilevelProblem, scenarios: ScenarioSet) -> None:
        program = problem.stochastic
        if program is None:
            raise RefusedError("nothing in the annotation is random", help="say what is: `randvar d discrete 0.5 30 0.5 60`")
        if program.tie is not None:
            raise program.tie.refusal(
                "measures of risk and chance constraints cannot be handed over scenario by scenario",
                "solve it here: `bilevel_lang.solve(...)`",
            )
        if problem.leader.objective is None:
            raise RefusedError("the model has no objective", help="add one: mpi-sppy minimises an expected value")
        self._problem, self._scenarios = problem, scenarios
        self._compiled: Compiled = compile_program(problem, scenarios)
        self.all_scenario_names = tuple(f"scenario{k + 1}" for k in range(scenarios.size))

    def __call__(self, scenario_name: str, **_: Any) -> Any:
        """The model of one scenario; further arguments, as mpi-sppy passes them, are not used.

        Raises UsageError for a name that is not one of ``all_scenario_names``, SolverMissingError without mpi-sppy.
        """
        if scenario_name not in self.all_scenario_names:
            said = f"no scenario is called {scenario_name!r}"
            raise UsageError(said, f"there are {self.all_scenario_names[0]} to {self.all_scenario_names[-1]}")
        number = self.all_scenario_names.index(scenario_name)
        model, memo = scenario_model(self._problem, self._scenarios, number)
        first = [memo[id(v)] for v in self._compiled.first]
        costs = self._compiled.arrays.first.cost
        paid = sum((float(c) * v for c, v in zip(costs, first, strict=True) if c), 0.0)
        _sputils().attach_root_node(model, paid, first, do_uniform=False)
        model._mpisppy_probability = float(self._scenarios.probabilities[number])
        return model


def _sputils() -> Any:
    try:
        return importlib.import_module("mpisppy.utils.sputils")
    except ImportError as error:
        raise SolverMissingError(f"mpi-sppy is not installed ({error})", help="pip install mpi-sppy") from error
