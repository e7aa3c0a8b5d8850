"""``dualequ``: the same agents as the long form."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import ResolutionError
from bilevel_lang.grammar.parser import parse
from bilevel_lang.problem import Structure
from bilevel_lang.resolver import resolve
from tests.resolver.equilibria import embedded


def test_the_optimiser_has_all_that_the_pair_leaves() -> None:
    model = embedded()
    problem = resolve(model, parse("dualequ H y dualvar lam g"))
    optimiser, pair = problem.agents
    assert problem.structure is Structure.EQUILIBRIUM
    assert (optimiser.name, [v.name for v in optimiser.variables], [r.name for r in optimiser.rows]) == ("min obj", ["x"], ["g"])
    assert (pair.name, [v.name for v in pair.variables], pair.rows) == ("dualequ H", ["y"], ())
    assert problem.leader.objective is None
    assert [c.name for c in problem.consumed] == ["H"]
    counted = {name: n for name, n in problem.summary if n}
    assert counted == {"Dual Equation Maps": 1, "Dual Variable Maps": 1}


def test_an_objective_variable_is_defined_by_its_row() -> None:
    model = embedded()
    model.z = pyo.Var()
    model.defz = pyo.Constraint(expr=model.z == model.obj.expr)
    model.obj.set_value(model.z)
    optimiser, _ = resolve(model, parse("dualequ H y dualvar lam g")).agents
    assert optimiser.objective is not None
    assert optimiser.objective.definition is model.defz
    assert [v.name for v in optimiser.variables] == ["x"]


def test_a_maximum_stays_one() -> None:
    model = embedded()
    model.obj.sense = pyo.maximize
    model.obj.set_value(-((model.x - model.y) ** 2))
    assert resolve(model, parse("dualequ H y dualvar lam -g")).agents[0].kind == "max"


def test_two_objectives_are_one_too_many() -> None:
    model = embedded()
    model.other = pyo.Objective(expr=model.x)
    with pytest.raises(ResolutionError) as caught:
        resolve(model, parse("dualequ H y dualvar lam g"))
    assert [d.code for d in caught.value.diagnostics] == ["E10"]
