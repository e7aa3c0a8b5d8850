from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.stochastic import answer_parts
from bilevel_lang.reformulation.stochastic.answer_parts import listed_answers
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.listed_stage import ListedStage
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def acquisition(periods: int = 2, rejected: bool = True, sense: int = 1, scenarios: int = 6) -> TwoStageArrays:
    """The arrays of :func:`acquisition_model`."""
    return arrays_of_text(*acquisition_model(periods, rejected, sense, scenarios))


def acquisition_model(periods: int = 2, rejected: bool = True, sense: int = 1, scenarios: int = 6) -> tuple[Any, str]:
    """Ahmed and Garcia 2003, "Dynamic capacity acquisition and assignment under uncertainty": capacity of two resources, bought
    in some period for a fixed and a proportional cost; tasks of random size are assigned to one of them, or rejected."""
    draw = np.random.default_rng(7)
    m = pyo.ConcreteModel()
    m.i, m.j, m.t = pyo.RangeSet(2), pyo.RangeSet(2), pyo.RangeSet(periods)
    m.size = pyo.Param(m.j, m.t, initialize=1.0, mutable=True)
    m.x = pyo.Var(m.i, m.t, domain=pyo.NonNegativeReals)
    m.u = pyo.Var(m.i, m.t, domain=pyo.Binary)
    m.y = pyo.Var(m.i, m.j, m.t, domain=pyo.Binary)
    m.z = pyo.Var(m.j, m.t, domain=pyo.Binary)
    m.built = pyo.Constraint(m.i, m.t, rule=lambda m, i, t: m.x[i, t] <= m.u[i, t])
    m.room = pyo.Constraint(
        m.i,
        m.t,
        rule=lambda m, i, t: sum(m.size[j, t] * m.y[i, j, t] for j in m.j) <= sum(m.x[i, s] for s in m.t if s <= t),
    )
    m.once = pyo.Constraint(m.j, m.t, rule=lambda m, j, t: sum(m.y[i, j, t] for i in m.i) + (m.z[j, t] if rejected else 0) == 1)
    assign, reject = draw.uniform(5, 10, (2, 2)).tolist(), draw.uniform(30, 60, 2).tolist()
    m.cost = pyo.Objective(
        expr=sense
        * (
            sum(6 * m.x[i, t] + 8 * m.u[i, t] for i in m.i for t in m.t)
            + sum(assign[i - 1][j - 1] * m.y[i, j, t] for i in m.i for j in m.j for t in m.t)
            + sum(reject[j - 1] * m.z[j, t] for j in m.j for t in m.t)
        ),
        sense=pyo.minimize if sense == 1 else pyo.maximize,
    )
    names = " ".join(f"size[{j},{t}]" for j in m.j for t in m.t)
    sizes = draw.uniform(0.3, 1.2, (scenarios, 2 * periods))
    law = "".join(f" {1 / scenarios!r} {' '.join(map(repr, row))}\n" for row in sizes.tolist())
    return m, f"jrandvar {names}\n{law}stage 2 size y z room once\n"


def test_periods_are_listed_by_themselves_and_rows_that_always_hold_are_settled() -> None:
    parts = listed_answers(acquisition(periods=3))
    assert parts is not None
    # Each of two tasks goes to one of two resources or is rejected; of the rows those of capacity alone are left.
    assert [part.answers.shape for part in parts] == [(9, 6)] * 3
    assert [len(part.rows) for part in parts] == [2] * 3


@pytest.mark.parametrize(("rejected", "sense"), [(True, 1), (True, -1), (False, 1)])
def test_the_best_answer_is_that_of_the_milp_where_the_matrix_is_random(rejected: bool, sense: int) -> None:
    arrays = acquisition(rejected=rejected, sense=sense)
    parts = listed_answers(arrays)
    assert parts is not None
    stage = ListedStage(arrays, parts)
    points = np.random.default_rng(0).uniform(0, 1, (8, arrays.first.columns))
    infeasible = 0
    for x, values in zip(points, stage.values(points), strict=True):
        true = recourse_at(arrays, x)
        assert values == pytest.approx(arrays.sense * true.values)
        some = np.isfinite(values)
        infeasible += int((~some).sum())
        y = stage.responses(x)
        assert (np.isnan(y).any(axis=1) == ~some).all()
        assert arrays.sense * (y @ arrays.cost)[some] == pytest.approx(values[some])
        activity = arrays.done(np.nan_to_num(y)) + arrays.technology @ x
        assert (activity <= arrays.everywhere("row_upper") + 1e-6)[some].all()
        assert (activity >= arrays.everywhere("row_lower") - 1e-6)[some].all()
    assert (infeasible > 0) == (not rejected)


def test_a_box_is_bounded_where_the_matrix_is_random() -> None:
    arrays = acquisition()
    parts = listed_answers(arrays)
    assert parts is not None
    stage, draw = ListedStage(arrays, parts), np.random.default_rng(1)
    lower = draw.uniform(0, 0.8, (20, arrays.first.columns))
    upper = lower + draw.uniform(0, 0.3, lower.shape)
    least = stage.least(lower, upper)
    for share in draw.random((10, *lower.shape)):
        assert (stage.values(lower + share * (upper - lower)) >= least).all()
    assert (least == stage.values(upper)).all()  # capacity gives room and takes none


def shop(share: Any = 1.0) -> Any:
    """Shelves that are let to two tenants in whole pieces, and a licence that a decision alone has to satisfy."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.fee, m.least = pyo.Param(initialize=3.0, mutable=True), pyo.Param(initialize=1.0, mutable=True)
    m.y = pyo.Var([1, 2], domain=pyo.NonNegativeIntegers, bounds=(0, 5))
    m.room = pyo.Constraint([1, 2], rule=lambda m, j: m.y[j] <= share * m.x)
    m.licence = pyo.Constraint(expr=m.x >= m.least)
    m.cost = pyo.Objective(expr=m.x - m.fee * m.y[1] - 2 * m.y[2])
    return m


LAW = "jrandvar fee least\n 0.5 3 1\n 0.3 -1 4.5\n 0.2 1 0\nstage 2 fee least y room licence\n"


def test_a_row_without_a_second_stage_counts() -> None:
    arrays = arrays_of_text(shop(0.4), LAW)
    parts = listed_answers(arrays)
    assert parts is not None and [part.answers.shape for part in parts] == [(5, 1), (5, 1), (1, 0)]  # 0.4 * 10 are four pieces
    points = np.linspace(0, 10, 9)[:, None]
    found = ListedStage(arrays, parts).values(points)
    assert found == pytest.approx(np.array([recourse_at(arrays, x).values for x in points]))
    assert np.isinf(found[:4, 1]).all() and np.isfinite(found[4:]).all()


def test_too_many_answers_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = acquisition(periods=1)
    assert listed_answers(arrays) is not None
    monkeypatch.setattr(answer_parts, "MOST_ANSWERS", 8)
    assert listed_answers(arrays) is None
    monkeypatch.undo()
    monkeypatch.setattr(answer_parts, "MOST_CELLS", 63)  # of six binaries
    assert listed_answers(arrays) is None
    monkeypatch.undo()
    monkeypatch.setattr(answer_parts, "MOST_NUMBERS", 6 * 9 * 3 - 1)
    assert listed_answers(arrays) is None


def test_what_a_decision_takes_has_to_be_the_same_everywhere() -> None:
    m = shop()
    m.del_component(m.licence)
    m.del_component(m.room)
    m.room = pyo.Constraint(expr=m.y[1] + m.y[2] <= m.least * m.x)
    assert listed_answers(arrays_of_text(m, LAW.replace(" licence", ""))) is None
