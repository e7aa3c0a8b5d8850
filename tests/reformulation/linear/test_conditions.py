"""The conditions hold at what HiGHS says of a follower that is solved by itself: values, row duals and reduced costs."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.reading import read_mpec
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.linear.models import random_follower


@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_followers_optimum_with_the_solvers_own_duals_satisfies_the_arrays(seed, quadratic):
    model, text = random_follower(seed, quadratic)
    sense = 1.0 if "\nmin" in text else -1.0
    x = (1.0, 1.0)
    plain = model.clone()
    for i in (0, 1):
        plain.x[i].fix(x[i])
    plain.lead.deactivate()
    plain.own = pyo.Objective(expr=plain.inner, sense=pyo.minimize if sense > 0 else pyo.maximize)
    run = Highs().run(plain, SolverOptions())
    assert run.termination is Termination.OPTIMAL
    mpec = read_mpec(bl.resolve(model, text))
    assert isinstance(mpec, LinearMpec)
    z = np.zeros(mpec.program.columns)
    by_name = {v.name: value for v, value in run.values.items()} | {f"x[{i}]": x[i] for i in (0, 1)}
    z[: len(mpec.variables)] = [by_name[v.name] for v in mpec.variables]
    agent = mpec.agents[0]
    duals = {c.name: value for c, value in run.duals.items()}
    costs = {v.name: value for v, value in run.reduced_costs.items()}
    for each in mpec.reported:
        # A dual that HiGHS has no row for belongs to a row that holds no variable of the follower.
        value = duals.get(each.name, 0.0)
        for factor, column in each.terms:
            z[column] = max(0.0, value / factor) if mpec.program.lower[column] == 0 else value / factor
    for side, column in zip(mpec.labels, mpec.right.tolist(), strict=True):
        if side.row is None:
            cost = sense * costs.get(side.variable.name, 0.0)
            z[column] = max(0.0, cost if side.word == "lower" else -cost)
    z[mpec.left] = agent.sides @ z[: agent.sides.shape[1]] - agent.side_levels
    assert mpec.program.violation(z) <= 1e-6
    assert np.minimum(z[mpec.left], z[mpec.right]).max() <= 1e-6


def test_a_gradient_is_the_derivative_of_the_objective():
    model, text = random_follower(3, True)
    mpec = read_mpec(bl.resolve(model, text))
    assert isinstance(mpec, LinearMpec)
    agent, sign = mpec.agents[0], 1.0 if "\nmin" in text else -1.0
    z = np.random.default_rng(0).normal(size=len(mpec.variables))
    gradient = agent.gradient @ z + agent.gradient_constant
    for k, column in enumerate(agent.owned.tolist()):
        found = []
        for step in (1e-4, -1e-4):
            for j, v in enumerate(mpec.variables):
                v.set_value(float(z[j] + (step if j == column else 0.0)), skip_validation=True)
            found.append(sign * pyo.value(model.inner))
        assert gradient[k] == pytest.approx((found[0] - found[1]) / 2e-4, abs=1e-6)


def test_curvature_is_told_apart():
    def of(expression):
        m = pyo.ConcreteModel()
        m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var([0, 1], bounds=(0, 1))
        m.lead = pyo.Objective(expr=m.x)
        m.inner = pyo.Expression(expr=expression(m))
        found = read_mpec(bl.resolve(m, "bilevel x\nmin inner y"))
        assert isinstance(found, LinearMpec)
        return found.agents[0]

    linear = of(lambda m: m.y[0] + m.x * m.y[1])
    assert linear.convex and not linear.quadratic
    convex = of(lambda m: m.y[0] ** 2 + m.y[1] ** 2 - 2 * m.y[0] * m.y[1])
    assert convex.convex and convex.quadratic
    assert not of(lambda m: m.y[0] ** 2 + m.y[1] ** 2 - 3 * m.y[0] * m.y[1]).convex


def test_a_row_without_the_followers_variables_is_a_constraint_without_a_multiplier():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 4))
    m.lead = pyo.Objective(expr=-m.x)
    m.inner = pyo.Expression(expr=m.y)
    m.own = pyo.Constraint(expr=m.y >= m.x)
    m.others = pyo.Constraint(expr=m.x <= 3)
    mpec = read_mpec(bl.resolve(m, "bilevel x\nmin inner y own others"))
    assert isinstance(mpec, LinearMpec)
    assert [each.name for each in mpec.reported] == ["own"]
    assert sorted(mpec.names()) == ["own", "y.lower", "y.upper"]


def test_a_dualvar_is_tied_to_the_reported_multiplier():
    # max 3y s.t. y <= x: d(value)/d(side) is 3, so that p = 3 whatever x is.
    m = pyo.ConcreteModel()
    m.x, m.y, m.p = pyo.Var(bounds=(0, 4)), pyo.Var(), pyo.Var(bounds=(0, None))
    m.lead = pyo.Objective(expr=m.x + m.p, sense=pyo.maximize)
    m.inner = pyo.Expression(expr=3 * m.y)
    m.cap = pyo.Constraint(expr=m.y - m.x <= 0)
    solution = bl.solve(m, "bilevel x\nmax inner y cap\ndualvar p cap")
    assert solution.objective == pytest.approx(7) and solution.variables["p"] == pytest.approx(3)
    assert solution.duals["cap"] == pytest.approx(3) and solution.verified
