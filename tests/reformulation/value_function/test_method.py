from __future__ import annotations

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.solution import Exactness, Status


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
        ({"position": "pessimistic"}, "pessimistic"),
        ({"encoding": "sos1"}, "no complementarities"),
    ],
)
def test_refusals(options: dict[str, str], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        bl.solve(moore90(), EMP, method="value-function", **options)


def test_infeasible_is_a_proof() -> None:
    m = moore90()
    m.never = pyo.Constraint(expr=m.y >= 3)
    assert bl.solve(m, EMP).status is Status.INFEASIBLE
