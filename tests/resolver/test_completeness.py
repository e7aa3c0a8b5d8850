from __future__ import annotations

import pyomo.environ as pyo

from tests.resolver.models import gams_style, mistakes, names, resolved, said


def test_without_a_leader_everything_needs_an_owner() -> None:
    model = gams_style()
    model.obj.deactivate()
    assert mistakes(model, "equilibrium min z y defz low") == ["E4", "E4"]  # the row high, the variable x
    model.x.fix(1)
    assert mistakes(model, "equilibrium min z y defz low") == ["E4"]
    assert mistakes(gams_style(), "equilibrium min z y x defz low high") == ["E4"]  # the active objective


def test_a_lone_vi_takes_what_is_left_with_a_warning() -> None:
    # simplevi in its old form: `vi F x` without the constraint.
    model = pyo.ConcreteModel()
    model.x = pyo.Var([1, 2, 3], bounds=(0, None))
    model.v = pyo.Var()
    model.F = pyo.Expression([1, 2, 3], rule=lambda m, i: 2 * m.x[i])
    model.g = pyo.Constraint([1, 2], rule=lambda m, i: m.x[i] + m.x[i + 1] >= m.v)
    problem = resolved(model, "vi F x")
    (agent,) = problem.agents
    assert names(agent.rows) == ["g[1]", "g[2]"]
    assert [f.variable.name for f in agent.functions if f.expression is None] == ["v"]
    assert len(said(problem, "warning", "E4")) == 2
    assert mistakes(model, "vi F x", strict=True) == ["E4", "E4"]
