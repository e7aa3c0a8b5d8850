from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity.elastic import WEIGHT, elastic
from bilevel_lang.reformulation.complementarity.homotopy import Homotopy, _Search
from bilevel_lang.solution import Status
from bilevel_lang.solvers.ipopt import CompiledNlp
from tests.reformulation.problems import pairs, plain

pytest.importorskip("casadi")


def relaxed(made: Any) -> Any:
    homotopy: Homotopy = made.run.encoded_run.__self__
    return homotopy.relaxed


@pytest.mark.parametrize(("name", "slacks"), [("scholtes", 1), ("product", 2), ("lin-fukushima", 2)])
def test_rows_give_way_at_a_cost_and_come_back(name: str, slacks: int) -> None:
    made = bl.reformulate(pairs(), "", encoding=name)
    r = relaxed(made)
    before = [str(row.expr) for row in r.rows]
    with elastic(r) as stretched:
        assert len(stretched.slacks) == slacks
        for v in made.model.component_data_objects(pyo.Var):
            v.set_value(0.0, skip_validation=True)
        stretched.slacks[0].set_value(2.0)
        assert stretched.slack() == 2.0
        # (0 - 1)**2 + (0 - 2)**2 and two units of slack
        assert pyo.value(made.model.encoding.elastic_objective) == pytest.approx(5 + 2 * WEIGHT)
    assert [str(row.expr) for row in r.rows] == before
    assert made.model.leader.active
    assert made.model.encoding.component("elastic") is None


def test_where_every_start_fails_the_elastic_problem_leads_to_a_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Search, "_descend_from", _fail)
    solution = bl.solve(pairs(), "", encoding="scholtes")
    assert solution.status is Status.FEASIBLE
    assert solution.objective == pytest.approx(1.0, abs=1e-6)


def _fail(self: Any, nlp: CompiledNlp, starts: Any) -> None:
    """Every descent failed."""


def test_a_point_that_needs_slack_is_never_reported() -> None:
    # Both sides have to be at least 1: no complementary point, though the elastic problem has solutions.
    m = pairs()
    m.both = pyo.Constraint(expr=m.x >= 1)
    m.too = pyo.Constraint(expr=m.y >= 1)
    for name in ("scholtes", "product", "penalty"):
        solution = bl.solve(m.clone(), "", encoding=name, starts=2)
        assert solution.point is None
        assert solution.status in (Status.UNKNOWN, Status.ERROR)


def test_a_follower_without_an_answer_stays_without_one() -> None:
    m = plain()
    m.c = pyo.Constraint(expr=m.y >= 11 + m.x)
    m.d = Complementarity(expr=complements(m.x >= 0, m.y >= 0))
    assert bl.solve(m, "bilevel x\nmin f y c", encoding="fischer-burmeister", starts=2).point is None
