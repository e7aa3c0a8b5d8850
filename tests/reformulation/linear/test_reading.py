from __future__ import annotations

import math

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import ModelFileError
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.reading import NotLinear, read_mpec
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from tests.laws.test_brute_force import agrees, by_vertices, random_linear, solve_linear
from tests.reformulation.linear.models import bard511, mpec_of


def test_bard_is_what_one_writes_by_hand():
    mpec = mpec_of(bard511())
    assert [v.name for v in mpec.variables] == ["x", "y"]
    assert list(mpec.names()) == ["e[1]", "e[2]", "e[3]", "e[4]", "y.lower"]
    agent = mpec.agents[0]
    assert agent.sides.toarray().tolist() == [[1, 1], [2, -1], [-2, -1], [-3, 2], [0, 1]]
    assert agent.side_levels.tolist() == [3, 0, -12, -4, 0]
    assert agent.gradient.nnz == 0 and agent.gradient_constant.tolist() == [1]
    # y >= 0 itself is the left side of its bound; four slacks and five multipliers are new.
    assert mpec.program.columns == 2 + 4 + 5 and mpec.left[-1] == 1
    assert mpec.program.rows == 4 + 1
    assert mpec.program.cost[:2].tolist() == [1, -4]


def test_a_range_has_a_pair_for_either_side():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var()
    m.lead, m.inner = pyo.Objective(expr=m.x), pyo.Expression(expr=m.y)
    m.row = pyo.Constraint(expr=(1, m.x + m.y, 5))
    mpec = mpec_of((m, "bilevel x\nmin inner y row"))
    assert list(mpec.names()) == ["row.lower", "row.upper"]
    assert mpec.program.upper[mpec.left].tolist() == [4, 4]
    assert [terms for each in mpec.reported for terms in each.terms] == [(1.0, mpec.right[0]), (-1.0, mpec.right[1])]


def test_pinned_and_fixed_variables_are_data():
    m = pyo.ConcreteModel()
    m.x, m.y, m.z, m.f = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(2, 2)), pyo.Var(initialize=3)
    m.f.fix()
    m.lead, m.inner = pyo.Objective(expr=m.x + m.y), pyo.Expression(expr=-m.y + m.z)
    m.row = pyo.Constraint(expr=m.y + m.z + m.f <= 7 + m.x)
    mpec = mpec_of((m, "bilevel x\nmin inner y z row"))
    assert [mpec.variables[j].name for j in mpec.agents[0].owned] == ["y"]
    assert bl.solve(m, "bilevel x\nmin inner y z row").objective == pytest.approx(2)


DECLINED = {
    "a nonlinear objective": (lambda m: pyo.exp(m.y), lambda m: m.y >= m.x, "objective"),
    "a product in a row": (lambda m: m.y, lambda m: m.y * m.x >= 1, "row `row`"),
    "a cubic term": (lambda m: m.y**3, lambda m: m.y >= m.x, "objective"),
}


@pytest.mark.parametrize("name", DECLINED)
def test_what_is_not_linear_is_declined_with_the_reason(name):
    objective, row, said = DECLINED[name]
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 4))
    m.lead, m.inner = pyo.Objective(expr=m.x), pyo.Expression(expr=objective(m))
    m.row = pyo.Constraint(expr=row(m))
    found = read_mpec(bl.resolve(m, "bilevel x\nmin inner y row"))
    assert isinstance(found, NotLinear) and said in found.reason


def test_components_it_does_not_know_are_declined():
    m, text = bard511()
    m.z = pyo.Var([0, 1], bounds=(0, 1))
    m.extra = pyo.SOSConstraint(var=m.z, sos=1)
    found = read_mpec(bl.resolve(m, text))
    assert isinstance(found, NotLinear) and "SOSConstraint" in found.reason


def gams_style(outer, inner):
    """Objectives as variables that rows define."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 4))
    m.objout, m.objin = pyo.Var(), pyo.Var()
    m.lead = pyo.Objective(expr=2 * m.objout + 1)
    m.defout = pyo.Constraint(expr=outer(m))
    m.defin = pyo.Constraint(expr=inner(m))
    return m, "bilevel x\nmin objin y defin"


def test_objective_variables_are_substituted_and_computed_afterwards():
    made = gams_style(lambda m: (m.x - 3) ** 2 + m.y == 4 * m.objout - 8, lambda m: m.objin == (m.y - m.x) ** 2 + 5)
    mpec = mpec_of(made)
    assert not mpec.program.quadratic_rows and mpec.program.quadratic is not None
    assert {p.variable.name for p in mpec.postponed} == {"objout", "objin"}
    solution = bl.solve(*made)
    # y = x, and (x - 3)^2 + x is least at 2.5: 2.75 = 4 objout - 8.
    assert solution.objective == pytest.approx(2 * 10.75 / 4 + 1)
    assert solution.variables["objout"] == pytest.approx(10.75 / 4) and solution.variables["objin"] == pytest.approx(5)
    assert solution.verified


@pytest.mark.parametrize("use", ["bound", "row"])
def test_an_objective_variable_that_is_used_elsewhere_stays(use):
    model, text = gams_style(lambda m: (m.x - 3) ** 2 + m.y == 4 * m.objout - 8, lambda m: m.objin == (m.y - m.x) ** 2 + 5)
    if use == "bound":
        model.objout.setlb(3)
    else:
        model.cap = pyo.Constraint(expr=model.objout + model.x >= 3)
    mpec = mpec_of((model, text))
    assert len(mpec.program.quadratic_rows) == 1


def test_a_maximising_leader_keeps_its_sense():
    m, text = bard511()
    m.del_component(m.lead)
    m.lead = pyo.Objective(expr=4 * m.y - m.x + 1, sense=pyo.maximize)
    mpec = mpec_of((m, text))
    assert mpec.program.sense == -1
    run = LinearSos1().encode(mpec, "scip", Options()).run(Options(), None)
    assert run.objective == pytest.approx(13) and run.bound == pytest.approx(13)


def test_a_parameter_that_is_not_a_number_is_the_models_mistake():
    m, text = bard511()
    m.p = pyo.Param(initialize=math.nan, mutable=True)
    m.bad = pyo.Constraint(expr=m.p * m.x + m.y <= 3)
    with pytest.raises(ModelFileError):
        read_mpec(bl.resolve(m, text))


@pytest.mark.parametrize("seed", range(200, 260))
def test_random_linear_problems_against_vertex_enumeration(seed):
    p = random_linear(seed, integer=False)
    agrees(solve_linear(p, False), by_vertices(p))


def test_integer_leaders_are_marked():
    m, text = bard511()
    m.k = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
    m.row = pyo.Constraint(expr=m.k <= m.x)
    mpec = mpec_of((m, text))
    assert [mpec.variables[j].name for j in np.flatnonzero(mpec.program.integer)] == ["k"]
    assert isinstance(mpec, LinearMpec) and mpec.column_name(0) == "x"
    assert mpec.column_name(int(mpec.right[0])) == "the multiplier of e[1]"


def test_sides_and_coefficients_may_be_numbers_of_numpy() -> None:
    m, text = bard511()
    m.extra = pyo.Constraint(expr=np.int64(1) * m.x + np.float64(2.0) * m.y <= np.float64(12.5))
    m.more = pyo.Constraint(expr=(np.int64(-1), m.x, np.int64(9)))
    mpec = mpec_of((m, text))
    assert 12.5 in mpec.program.row_upper
    assert {-1.0, 9.0} <= {*mpec.program.row_lower, *mpec.program.row_upper}


def test_an_objective_variable_that_is_a_multiplier_keeps_its_row():
    """The multiplier of the follower's row is 3 in size, whatever x: |z| = (x - 1)^2 + x then says x = 2."""
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(bounds=(0, 2)), pyo.Var(bounds=(0, 9)), pyo.Var()
    m.lead, m.inner = pyo.Objective(expr=m.z), pyo.Expression(expr=3 * m.y)
    m.row, m.says = pyo.Constraint(expr=m.y >= m.x), pyo.Constraint(expr=-m.z == (m.x - 1) ** 2 + m.x)
    found = bl.solve(m, "bilevel x\nmin inner y row\ndualvar z row", time_limit=20)
    assert found.certificate.verified
    assert found.variables["x"] == pytest.approx(2, abs=1e-4) and found.variables["z"] == pytest.approx(-3, abs=1e-4)
