from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.analysis.findings import examine_answer
from bilevel_lang.errors import RefusedError
from bilevel_lang.solution import Exactness, Point, Status
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination
from bilevel_lang.verification import verify


def moore90() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.NonNegativeIntegers)
    m.y = pyo.Var(domain=pyo.NonNegativeIntegers)
    m.leader = pyo.Objective(expr=-m.x - 10 * m.y)
    m.follower = pyo.Expression(expr=m.y)
    m.e1 = pyo.Constraint(expr=-25 * m.x + 20 * m.y <= 30)
    m.e2 = pyo.Constraint(expr=m.x + 2 * m.y <= 10)
    m.e3 = pyo.Constraint(expr=2 * m.x - m.y <= 15)
    m.e4 = pyo.Constraint(expr=-2 * m.x - 10 * m.y <= -15)
    return m


EMP = "bilevel x\nmin follower y e1 e2 e3 e4"


@pytest.mark.parametrize("options", [{}, {"method": "value-function"}, {"solver": "highs"}, {"solver": "scip"}])
def test_moore90(options: dict[str, str]) -> None:
    m = moore90()
    found = bl.solve(m, EMP, **options)
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(-22)
    assert found.bound == pytest.approx(-22)
    assert (m.x.value, m.y.value) == (2, 2)
    assert found.method == "value-function"


def test_an_objective_variable_is_the_followers() -> None:
    m = moore90()
    m.z = pyo.Var()
    m.definition = pyo.Constraint(expr=m.z == 2 * m.y)
    found = bl.solve(m, "bilevel x\nmin z y definition e1 e2 e3 e4")
    assert found.objective == pytest.approx(-22)
    assert m.z.value == pytest.approx(4)


def test_a_linear_follower_by_both_methods() -> None:
    # A continuous follower behind an integer leader: min y, y >= (x - 3) / 2 and y >= 4 - x; the leader wants x + 3y small.
    answers = []
    for method in ("kkt", "value-function"):
        m = pyo.ConcreteModel()
        m.x = pyo.Var(domain=pyo.Integers, bounds=(0, 9))
        m.y = pyo.Var(bounds=(0, 20))
        m.leader = pyo.Objective(expr=m.x + 3 * m.y)
        m.follower = pyo.Expression(expr=m.y)
        m.e1 = pyo.Constraint(expr=2 * m.y - m.x >= -3)
        m.e2 = pyo.Constraint(expr=m.y + m.x >= 4)
        answers.append(bl.solve(m, "bilevel x\nmin follower y e1 e2", method=method).objective)
    # By hand: x = 4 gives 4 + 3/2.
    assert answers == pytest.approx([5.5, 5.5])


def test_the_relaxation_is_what_reformulate_gives() -> None:
    found = bl.reformulate(moore90(), EMP, method="value-function")
    assert found.exactness is Exactness.RELAXATION
    # By enumeration over both: (2, 4) gives -42.
    pyo.SolverFactory("appsi_highs").solve(found.model)
    assert pyo.value(found.model.leader) == pytest.approx(-42)
    with pytest.raises(RefusedError, match="only the relaxation"):
        found.run(bl.reformulation.rewrite.Options())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"solver": "ipopt"}, "does not run on ipopt"),
        ({"encoding": "sos1"}, "no complementarities"),
    ],
)
def test_refusals(options: dict[str, str], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        bl.solve(moore90(), EMP, method="value-function", **options)


def test_an_encoding_that_was_named_is_not_left_out_for_another_method() -> None:
    with pytest.raises(RefusedError, match=r"decides integer variables[\s\S]*no complementarities to encode by `sos1`"):
        bl.solve(moore90(), EMP, encoding="sos1")


def test_infeasible_is_a_proof() -> None:
    m = moore90()
    m.never = pyo.Constraint(expr=m.y >= 3)
    assert bl.solve(m, EMP).status is Status.INFEASIBLE


def halves() -> tuple[pyo.ConcreteModel, str]:
    """The follower does not mind which of two it takes x of; the leader wants the first, and to pay little for x >= 1."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Integers, bounds=(1, 4))
    m.y = pyo.Var([1, 2], domain=pyo.Integers, bounds=(0, 4))
    m.leader = pyo.Objective(expr=m.x - 3 * m.y[1])
    m.follower = pyo.Expression(expr=m.y[1] + m.y[2])
    m.demand = pyo.Constraint(expr=m.y[1] + m.y[2] >= m.x)
    return m, "bilevel x\nmin follower y demand"


@pytest.mark.parametrize("solver", ["highs", "scip"])
def test_the_pessimistic_position(solver: str) -> None:
    m, emp = halves()
    found = bl.solve(m, emp, position="pessimistic", solver=solver)
    assert (found.status, found.position, found.method) == (Status.OPTIMAL, "pessimistic", "value-function")
    # By hand: y1 = 0 in the worst case, so x = 1; the best answer to it would give 1 - 3.
    assert (found.objective, found.bound) == (1, 1)
    assert (m.x.value, m.y[1].value, m.y[2].value) == (1, 0, 1)
    assert found.certificate.verified
    (tie,) = found.ties
    assert (tie.best, tie.worst) == (-2, 1)
    assert bl.solve(*halves(), solver=solver).objective == -8


def test_a_row_of_the_leader_holds_for_the_worst_answer() -> None:
    m, emp = halves()
    m.leader.set_value(-m.x)
    m.few = pyo.Constraint(expr=m.y[2] <= 2)
    found = bl.solve(m, emp, position="pessimistic")
    assert (found.objective, m.x.value) == (-2, 2)
    assert found.certificate.verified
    m.few.set_value(m.y[1] + 0 * m.y[2] >= 1)
    assert bl.solve(m, emp, position="pessimistic").status is Status.INFEASIBLE


def test_the_worst_answer_of_a_claim_is_computed_anew() -> None:
    m, emp = halves()
    problem = bl.resolve(m, emp)
    run = SolverRun(Termination.OPTIMAL, "by hand")
    for y, holds in (((0, 2), True), ((1, 1), False)):
        point = Point(ComponentMap([(m.x, 2), (m.y[1], y[0]), (m.y[2], y[1])]))
        found = examine_answer(problem, run, point, verify(problem, point), "pessimistic", SolverOptions())
        assert found.certificate.verified is holds
        assert any("2 for the worst optimal answer" in remark for remark in found.certificate.remarks) is not holds


@pytest.mark.parametrize(
    ("change", "emp", "words"),
    [
        ("two", "bilevel x\nmin follower y demand\nmin other v", r"row `joint`[\s\S]*min follower and min other"),
        ("cost", "bilevel x\nmin follower y demand", r"row `defined`[\s\S]*`cost`[\s\S]*the objective itself"),
        ("continuous", "bilevel x\nmin follower y demand", "`x` is continuous"),
    ],
)
def test_what_the_pessimistic_position_is_not_taken_for(change: str, emp: str, words: str) -> None:
    m, _ = halves()
    if change == "two":
        m.v = pyo.Var(domain=pyo.Integers, bounds=(0, 1))
        m.other = pyo.Expression(expr=m.v)
        m.joint = pyo.Constraint(expr=m.y[1] + m.v <= 4)
    elif change == "cost":
        m.cost = pyo.Var()
        m.defined = pyo.Constraint(expr=m.cost == m.x - 3 * m.y[1])
        m.leader.set_value(m.cost)
        emp = emp.replace("bilevel x", "bilevel x cost")
    else:
        m.x.domain = pyo.Reals
    with pytest.raises(RefusedError, match=words):
        bl.solve(m, emp, position="pessimistic")
