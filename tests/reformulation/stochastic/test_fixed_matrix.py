from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.fixed_matrix import with_fixed_matrix
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.stochastic_models import LATE, THREE, newsvendor

SHARES = "jrandvar d[1] d[2]\n 0.5 4 7\n 0.5 6 2\nstage 2 d y z served room\n"


def shares(price: bool = False) -> TwoStageArrays:
    """Shares y of a random demand d are served: d stands in the matrix, and with ``price`` in the row of another column too."""
    m = pyo.ConcreteModel()
    m.I, m.J = pyo.RangeSet(2), pyo.RangeSet(2)
    m.d = pyo.Param(m.J, initialize=5.0, mutable=True)
    m.x = pyo.Var(m.I, bounds=(0, 1))
    m.y, m.z = pyo.Var(m.I, m.J, bounds=(0, 1)), pyo.Var(m.J, bounds=(0, 1))
    m.served = pyo.Constraint(m.J, rule=lambda m, j: m.z[j] * (m.d[1] if price else 1) + m.y[1, j] + m.y[2, j] >= 1)
    m.room = pyo.Constraint(m.I, rule=lambda m, i: sum(m.d[j] * m.y[i, j] for j in m.J) <= 8 * m.x[i])
    m.cost = pyo.Objective(expr=m.x[1] + 2 * m.x[2] + sum((i + j) * m.y[i, j] for i in m.I for j in m.J) + 30 * sum(m.z.values()))
    return arrays_of_text(m, SHARES)


@pytest.mark.parametrize("price", [False, True])
def test_flows_in_the_place_of_shares_cost_the_same_everywhere(price: bool) -> None:
    arrays = shares(price)
    fixed = with_fixed_matrix(arrays)
    assert "recourse" in arrays.varying
    assert fixed is not None and "recourse" not in fixed.varying
    for x in np.random.default_rng(0).uniform(0, 1, (5, 2)):
        assert recourse_at(fixed, x).values == pytest.approx(recourse_at(arrays, x).values)


def yields() -> TwoStageArrays:
    """A yield that multiplies one entry of a 2 x 2 matrix: it is no product of a row's and a column's factor."""
    m = pyo.ConcreteModel()
    m.a, m.d = pyo.Param(initialize=1.0, mutable=True), pyo.Param(initialize=3.0, mutable=True)
    m.x, m.y, m.z = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.need = pyo.Constraint(expr=m.a * m.y + m.z >= m.d)
    m.room = pyo.Constraint(expr=m.y + m.z <= m.x + 4)
    m.cost = pyo.Objective(expr=m.x + 2 * m.y + 3 * m.z)
    return arrays_of_text(m, "jrandvar a d\n 0.5 0.8 3\n 0.5 1.1 5\nstage 2 a d y z need room\n")


def test_what_no_units_take_out_is_told() -> None:
    assert with_fixed_matrix(yields()) is None


def test_a_sign_that_turns_is_no_unit() -> None:
    arrays = shares()
    varying = arrays.varying["recourse"]
    turned = replace(arrays, varying={**arrays.varying, "recourse": replace(varying, values=varying.values * [[1.0], [-1.0]])})
    assert with_fixed_matrix(turned) is None


def test_a_fixed_matrix_stays_as_it_is() -> None:
    arrays = arrays_of_text(newsvendor(), THREE + LATE)
    assert with_fixed_matrix(arrays) is arrays
