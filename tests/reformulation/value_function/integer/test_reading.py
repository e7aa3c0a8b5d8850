from __future__ import annotations

from collections.abc import Callable

import pyomo.environ as pyo
import pytest
from pyomo import gdp
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.reformulation.value_function.integer.reading import ReadProblem, read_linear, read_problem


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Integers, bounds=(0, 4))
    m.y = pyo.Var(domain=pyo.Integers, bounds=(0, 5))
    m.w = pyo.Var(bounds=(0, 1))
    m.top = pyo.Objective(expr=m.x + 2 * m.y + 3, sense=pyo.maximize)
    m.low = pyo.Expression(expr=3 * m.x - m.y)
    m.row = pyo.Constraint(expr=m.y - 2 * m.x + 1 <= 4)
    m.mine = pyo.Constraint(expr=m.x + m.w >= 1)
    return m


def read(m: pyo.ConcreteModel, emp: str = "bilevel x w\nmin low y row") -> ReadProblem | Refusal:
    return read_problem(bl.resolve(m, emp))


def test_the_arrays_of_a_model() -> None:
    found = read(model())
    assert isinstance(found, ReadProblem)
    names = [v.name for v in found.variables]
    box = found.arrays.relaxation
    column = names.index
    assert sorted(names) == ["w", "x", "y"]
    assert found.arrays.follower.tolist() == [n == "y" for n in names]
    assert found.arrays.follower_rows.tolist() == [True, False]
    assert (box.sense, box.constant) == (-1, 3)
    assert box.row_upper[0] == 3
    assert box.cost[column("y")] == 2
    # Of the follower's objective only what it decides counts.
    assert found.arrays.follower_cost.tolist() == [-1 if n == "y" else 0 for n in names]


def test_max_followers_are_negated() -> None:
    found = read(model(), "bilevel x w\nmax low y row")
    assert isinstance(found, ReadProblem)
    assert found.arrays.follower_cost.max() == 1


def refusal(m: pyo.ConcreteModel, emp: str = "bilevel x w\nmin low y row") -> str:
    found = read(m, emp)
    assert isinstance(found, Refusal)
    return f"{found.reason}; {found.remedy}"


def test_what_is_refused_is_named() -> None:
    m = model()
    m.x.domain = pyo.Reals
    assert "`x` is continuous" in refusal(m)
    m = model()
    m.row.set_value(m.y * m.x <= 4)
    assert "row `row` is not linear" in refusal(m)
    m = model()
    m.low.set_value(m.x * m.y)
    assert "the objective of min low is not linear" in refusal(m)
    m = model()
    m.row.set_value(m.y - m.x - m.w <= 4)
    assert "`w` is continuous" in refusal(m)
    m = model()
    m.v = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
    m.row.set_value(m.y - m.x - 2**0.5 * m.v <= 4)
    assert "`v` has the coefficient" in refusal(m, "bilevel x w v\nmin low y row")


def at_most_one(m: pyo.ConcreteModel) -> None:
    m.more = pyo.SOSConstraint([1], rule=lambda b, i: ([b.x, b.w], [1, 2]), sos=1)


def one_or_the_other(m: pyo.ConcreteModel) -> None:
    m.more = Complementarity(expr=complements(m.x >= 0, m.w >= 0))


def not_both(m: pyo.ConcreteModel) -> None:
    m.bx, m.bw = pyo.BooleanVar(), pyo.BooleanVar()
    m.more = pyo.LogicalConstraint(expr=~(m.bx & m.bw))


def a_choice(m: pyo.ConcreteModel) -> None:
    m.more = gdp.Disjunction(expr=[[m.x == 0], [m.w == 0]])


@pytest.mark.parametrize("more", [at_most_one, one_or_the_other, not_both, a_choice])
def test_no_condition_of_the_model_is_left_out(more: Callable[[pyo.ConcreteModel], None]) -> None:
    m = model()
    more(m)
    assert "it does not take active components of type" in refusal(m)


@pytest.mark.parametrize("more", [one_or_the_other, not_both, a_choice])
def test_and_no_other_way_of_the_method_leaves_it_out(more: Callable[[pyo.ConcreteModel], None]) -> None:
    m = model()
    more(m)
    with pytest.raises(bl.RefusedError, match="transform them first"):
        bl.solve(m, "bilevel x w\nmin low y row", method="value-function")


def test_followers_that_see_each_other_are_an_equilibrium() -> None:
    m = model()
    m.v = pyo.Var(domain=pyo.Integers, bounds=(0, 5))
    m.low2 = pyo.Expression(expr=m.v)
    m.row2 = pyo.Constraint(expr=m.v + m.x >= 2)
    emp = "bilevel x w\nmin low y row\nmin low2 v row2"
    both = read(m, emp)
    assert isinstance(both, ReadProblem)
    assert both.arrays.follower.sum() == 2
    m.row2.set_value(m.v + m.y >= 2)
    assert "min low2 depends on `y` of min low" in refusal(m, emp)


@pytest.mark.parametrize(("factor", "seen"), [(0.0, False), (1.0, True)])
def test_zeros_of_the_data_make_no_equilibrium(factor: float, seen: bool) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
    m.y = pyo.Var([1, 2], domain=pyo.Integers, bounds=(0, 3))
    m.o = pyo.Objective(expr=m.x - m.y[1] - m.y[2])
    m.f1, m.f2 = pyo.Expression(expr=m.y[1]), pyo.Expression(expr=m.y[2])
    m.c1 = pyo.Constraint(expr=m.x + m.y[1] + factor * m.y[2] >= 2)
    m.c2 = pyo.Constraint(expr=m.x + m.y[2] >= 1)
    found = read(m, "bilevel x\nmin f1 y(1) c1\nmin f2 y(2) c2")
    assert isinstance(found, Refusal) is seen


def test_no_leader_no_value_function() -> None:
    m = model()
    m.top.deactivate()
    m.goal = pyo.Expression(expr=m.x)
    assert "equilibrium" in refusal(m, "equilibrium\nmin goal x w mine\nmin low y row")


def test_a_continuous_link_is_refused_here_and_read_for_others() -> None:
    m = model()
    m.x.domain = pyo.Reals
    assert isinstance(read(m), Refusal)
    found = read_linear(bl.resolve(m, "bilevel x w\nmin low y row"))
    assert isinstance(found, ReadProblem)
    assert found.arrays.linking().tolist() == [v.name == "x" for v in found.variables]
