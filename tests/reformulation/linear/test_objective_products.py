from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.linear.objective_products import without_products
from bilevel_lang.reformulation.linear.reading import read_mpec
from bilevel_lang.reformulation.linear.start import _response
from bilevel_lang.solution import Status
from bilevel_lang.solvers.highs import Highs


def toll(quadratic=0.0):
    """Travellers choose between a road with the toll x and costs 5, and one that costs 12: x = 7 earns most."""
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.all = pyo.Constraint(expr=m.y + m.z == 1)
    m.earned = pyo.Objective(expr=m.x * m.y, sense=pyo.maximize)
    m.cost = pyo.Expression(expr=(m.x + 5) * m.y + 12 * m.z + quadratic / 2 * (m.y**2 + m.z**2))
    return m, "bilevel x\nmin cost y z all"


def bidding():
    """A plant of up to 50 at 4 a unit beside ones of 40 at 10 and 60 at 20; demand 100."""
    m = pyo.ConcreteModel()
    m.offer = pyo.Var(bounds=(0, 50))
    m.g, m.h, m.k = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, 40)), pyo.Var(bounds=(0, 60))
    m.p = pyo.Var()
    m.limit = pyo.Constraint(expr=m.g <= m.offer)
    m.balance = pyo.Constraint(expr=m.g + m.h + m.k == 100)
    m.profit = pyo.Objective(expr=m.p * m.g - 4 * m.g, sense=pyo.maximize)
    m.cost = pyo.Expression(expr=0 * m.g + 10 * m.h + 20 * m.k)
    return m, "bilevel offer\nmin cost g h k limit balance\ndualvar p balance"


def read(made):
    return read_mpec(bl.resolve(*made))


def test_a_toll_times_a_flow_becomes_linear_and_the_optimum_is_proven():
    simpler = without_products(read(toll()))
    assert simpler is not None and simpler.program.quadratic is None
    found = bl.solve(*toll())
    assert found.status is Status.OPTIMAL and found.objective == pytest.approx(7, abs=1e-7)
    assert any(line.startswith("replaced") for line in found.why)


def test_what_a_quadratic_follower_leaves_is_convex():
    """At x the follower splits where x + 5 + q y = 12 + q (1 - y): y = (7 - x + q) / (2 q), x y is most at x = (7 + q) / 2."""
    q = 20.0
    simpler = without_products(read(toll(q)))
    assert simpler is not None and simpler.program.quadratic is not None
    found = bl.solve(*toll(q))
    x = (7 + q) / 2
    assert found.status is Status.OPTIMAL and found.objective == pytest.approx(x * (7 - x + q) / (2 * q), rel=1e-7)


def test_a_price_that_is_a_multiplier_times_a_quantity():
    """The third plant sets the price 20 whatever is offered, so that all 50 are sold, for 16 more than they cost."""
    found = bl.solve(*bidding())
    assert without_products(read(bidding())) is not None
    assert found.status is Status.OPTIMAL and found.objective == pytest.approx(50 * 16, rel=1e-7)


@pytest.mark.parametrize("seed", range(12))
def test_the_new_objective_is_the_old_one_at_every_answer(seed):
    """Two groups in the follower, prices on some of its variables, rows with the leader's x: at responses both agree."""
    r = np.random.default_rng((3, seed))
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(4), bounds=(0, 3))
    m.y = pyo.Var(range(4), bounds=(0, 5))
    a = r.integers(0, 4, (4, 2)) + 1
    m.c = pyo.Constraint(range(4), rule=lambda m, i: sum(int(a[i, j]) * m.y[j + i // 2 * 2] for j in range(2)) >= 1 + i % 2)
    weight = float(r.integers(1, 4))
    m.lead = pyo.Objective(expr=-weight * sum(m.x[i] * m.y[i] for i in (0, 1)) + m.y[3] - m.x[2])
    prices = sum((m.x[i] + int(r.integers(1, 4))) * m.y[i] for i in (0, 1))
    m.inner = pyo.Expression(expr=prices + int(r.integers(1, 5)) * m.y[2] + 2 * m.y[3])
    mpec = read((m, "bilevel x\nmin inner y c"))
    simpler = without_products(mpec)
    assert simpler is not None and simpler.program.quadratic is None
    for _ in range(5):
        z = np.zeros(mpec.program.columns)
        of_leader = [j for j, v in enumerate(mpec.variables) if v.parent_component() is m.x]
        z[of_leader] = r.uniform(0, 3, len(of_leader))
        z = _response(mpec, z, Highs())
        assert z is not None
        assert simpler.program.objective_at(z) == pytest.approx(mpec.program.objective_at(z), abs=1e-7)


def test_products_that_no_identity_has_stay():
    m, text = toll()
    m.earned.set_value(m.x * m.y + m.x * m.z)
    # Both roads pay: the follower's objective has x y alone.
    assert without_products(read((m, text))) is None
    n, text = toll()
    n.earned.set_value(n.x * n.y - n.x**2)
    kept = without_products(read((n, text)))
    assert kept is not None and kept.program.quadratic is not None
    convex, text = toll()
    convex.earned.set_value(-((convex.x - 1) ** 2))
    assert without_products(read((convex, text))) is None
