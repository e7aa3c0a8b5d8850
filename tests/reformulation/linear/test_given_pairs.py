from __future__ import annotations

import itertools

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.components.forms import Columns, NotQuadraticError
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.kkt import Kkt
from bilevel_lang.reformulation.linear.given_pairs import read_pairs
from bilevel_lang.reformulation.linear.reading import read_mpec
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Status
from tests.reformulation.linear.models import bard511


def scaled():
    """MacMPEC, scale1: two best points, 1 at either; the gradient cuts of a spatial search do not come to an end here."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.o = pyo.Objective(expr=(100 * m.x - 1) ** 2 + (m.y - 1) ** 2)
    m.pair = Complementarity(expr=complements(m.x >= 0, m.y >= 0))
    return m


def test_sides_that_are_variables_are_their_own_columns():
    mpec = read_mpec(bl.resolve(scaled(), ""))
    assert mpec.program.columns == 2 and (mpec.program.lower == 0).all() and mpec.program.rows == 0
    assert list(mpec.names()) == ["pair"]


def test_the_optimum_of_a_badly_scaled_mpec_is_proven():
    found = bl.solve(scaled(), "", starts=1)
    assert found.status is Status.OPTIMAL and found.encoding == "branch"
    assert found.objective == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_all_forms_agree_with_the_enumeration_of_sides(seed):
    """min |z - t|^2 over two one-sided conditions, a mixed one with two bounds, and one with a variable in two pairs."""
    r = np.random.default_rng((5, seed))
    a, t = r.integers(-3, 4, (3, 4)), r.uniform(-2, 2, 4)
    m = pyo.ConcreteModel()
    m.z = pyo.Var(range(4), bounds=(-9, 9))
    form = [sum(int(a[i, j]) * m.z[j] for j in range(4)) + int(i) for i in range(3)]
    m.o = pyo.Objective(expr=sum((m.z[j] - float(t[j])) ** 2 for j in range(4)))
    m.one = Complementarity(expr=complements(m.z[0] >= 0, form[0] >= 0))
    m.two = Complementarity(expr=complements(form[1] <= 2, m.z[0] >= 0))
    m.mixed = Complementarity(expr=complements(pyo.inequality(-1, m.z[1], 3), form[2]))
    found = bl.solve(m, "")
    assert found.encoding == "branch"
    best = min(_values(a, t), default=None)
    if best is None:
        assert found.status is Status.INFEASIBLE
    else:
        assert found.status is Status.OPTIMAL and found.objective == pytest.approx(best, rel=1e-6, abs=1e-7)


def _values(a, t):
    """The least objective of every choice of sides: a QP with equalities and inequalities, by all its active sets."""
    f = [(a[i].astype(float), float(i)) for i in range(3)]
    unit = np.eye(4)
    box = [(unit[j], 9.0) for j in range(4)] + [(-unit[j], 9.0) for j in range(4)]
    minus = (-f[1][0], 2.0 - f[1][1])
    one = [([(unit[0], 0.0)], [f[0]]), ([f[0]], [(unit[0], 0.0)])]
    two = [([(unit[0], 0.0)], [minus]), ([minus], [(unit[0], 0.0)])]
    negative = (-f[2][0], -f[2][1])
    inside = [(unit[1], 1.0), (-unit[1], 3.0)]
    mixed = [([(unit[1], 1.0)], [f[2]]), ([(-unit[1], 3.0)], [negative]), ([f[2]], inside)]
    for choice in itertools.product(one, two, mixed):
        equal = [row for e, _ in choice for row in e]
        above = [row for _, i in choice for row in i] + box
        for size in range(5 - np.linalg.matrix_rank(np.array([g for g, _ in equal]))):
            for active in itertools.combinations(above, size):
                rows = np.array([g for g, _ in (*equal, *active)])
                levels = np.array([c for _, c in (*equal, *active)])
                # min |z - t|^2 with rows z + levels = 0: the nearest point, by the pseudo-inverse.
                z = t - np.linalg.pinv(rows) @ (rows @ t + levels)
                if np.abs(rows @ z + levels).max() < 1e-9 and all(g @ z + c > -1e-9 for g, c in above):
                    yield float((z - t) @ (z - t))


def test_what_is_not_linear_is_left_to_components():
    m = scaled()
    m.curved = Complementarity(expr=complements(m.x**2 >= 0, m.y >= 0))
    with pytest.raises(NotQuadraticError, match="curved"):
        read_pairs(m, Columns())
    assert Kkt().prepare(bl.resolve(m, ""), Options()).model is not None


def test_pairs_beside_an_agent():
    """Bard 5.1.1 with a pair of the leader's own: x = 0 or y = 3 x - 6."""
    m, text = bard511()
    m.pair = Complementarity(expr=complements(m.x >= 0, m.y - 3 * m.x + 6 >= 0))
    found = bl.solve(m, text)
    by_components = bl.solve(m, text, method="kkt", encoding="sos1", solver="scip")
    assert found.status is by_components.status is Status.OPTIMAL
    assert found.objective == pytest.approx(by_components.objective, rel=1e-6)
    with pytest.raises(RefusedError, match="pair"):
        bl.solve(m, text, encoding="strong-duality")
