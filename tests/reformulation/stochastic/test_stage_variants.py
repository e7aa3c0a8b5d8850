from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.stage_variants import StageVariants
from tests.reformulation.stochastic.test_extensive import arrays_of_text

LAW = "jrandvar d q\n 0.4 3 2\n 0.6 7 5\nstage 2 d q y lost need few most least\n"


def ship(sense: int = 1, top: float | None = None) -> TwoStageArrays:
    """Rows with one column of the second stage: two upper ones, either may be the tighter, and a lower one turned round."""
    m = pyo.ConcreteModel()
    m.d, m.q = pyo.Param(initialize=5.0, mutable=True), pyo.Param(initialize=3.0, mutable=True)
    m.x = pyo.Var([1, 2], bounds=(0, 4))
    m.y, m.lost = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, top))
    m.need = pyo.Constraint(expr=m.y + m.lost >= m.d)
    m.few = pyo.Constraint(expr=2 * m.y <= 3 * m.x[1] + m.x[2])
    m.most = pyo.Constraint(expr=m.y <= 1 + m.x[2])
    m.least = pyo.Constraint(expr=-3 * m.y <= -0.5 * m.x[1])
    cost = m.x[1] + m.x[2] + m.y + m.q * m.lost
    m.cost = pyo.Objective(expr=sense * cost, sense=pyo.minimize if sense == 1 else pyo.maximize)
    return arrays_of_text(m, LAW)


@pytest.mark.parametrize("sense", [1, -1])
def test_rows_of_one_column_are_bounds_with_the_same_costs_and_slopes(sense: int) -> None:
    arrays = ship(sense)
    stage = StageVariants(arrays)
    assert stage.base.rows == 1
    points = np.random.default_rng(0).uniform(0, 4, (12, 2))
    scenario = np.arange(12) % 2
    values, proven, slopes, _ = stage.solve(scenario, points)
    assert proven == pytest.approx(values, rel=1e-9)
    assert (proven <= values + 1e-9).all()
    for x, number, value in zip(points, scenario, values, strict=True):
        assert value == pytest.approx(arrays.sense * recourse_at(arrays, x).values[number])
    for at in range(12):
        mine = scenario == scenario[at]
        assert (proven[at] + (points[mine] - points[at]) @ slopes[at] <= values[mine] + 1e-7).all()
    step = 1e-6  # away from kinks, which random points miss, a slope is a derivative
    ahead, _, _, _ = stage.solve(scenario, points + step)
    assert (ahead - values) / step == pytest.approx(slopes.sum(axis=1), abs=1e-4)


def test_bounds_that_cross_leave_no_answer() -> None:
    points = np.array([[4.0, 4.0], [4.0, 4.0], [4.0, 0.0]])
    values, _, slopes, told = StageVariants(ship(top=0.5), np.array([0])).solve(np.array([0, 1, 0]), points)
    assert values[0] == pytest.approx(3.0)
    assert np.isinf(values[1:]).all()
    assert (told[1:] == 0.0).all()
    assert np.isnan(slopes[1:]).all()


def test_a_scenario_without_limit_is_named() -> None:
    arrays = ship()
    cost = arrays.varying["cost"].values.copy()
    cost[1] = -5.0
    arrays.varying["cost"].values[:] = cost
    with pytest.raises(RefusedError, match="scenario 2"):
        StageVariants(arrays).solve(np.array([0, 1]), np.full((2, 2), 2.0))
