from __future__ import annotations

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.complementarity.homotopy import MU
from bilevel_lang.solution import Exactness, Status
from tests.reformulation.problems import follow, pairs

pytest.importorskip("casadi")


def test_one_product_for_every_pair_and_the_last_step_in_the_model() -> None:
    made = bl.reformulate(follow(), "bilevel x\nmin f y c", encoding="scholtes")
    block = made.model.encoding
    assert sorted(block.product) == ["c", "y.lower", "y.upper"]
    assert (block.mu.fixed, block.mu.value) == (True, MU[-1])
    assert (made.exactness, made.solver) == (Exactness.STATIONARY, "ipopt")


def test_integers_are_refused_with_the_mend() -> None:
    m = follow()
    m.b = pyo.Var(domain=pyo.Binary)
    with pytest.raises(RefusedError, match=r"`b` is integer[\s\S]*--encoding sos1"):
        bl.solve(m, "bilevel x b\nmin f y c", solver="ipopt")


def test_the_answer_is_complementary_to_the_solvers_own_tolerance() -> None:
    # mu alone would leave x y = 1e-8, that is x of 1e-4 where y is 1e-4: the last piece is solved with one side at zero.
    solution = bl.solve(pairs(), "", encoding="scholtes", starts=4)
    assert solution.status is Status.FEASIBLE
    assert solution.objective == pytest.approx(1.0, abs=1e-6)
    assert abs(solution.variables["x"] * solution.variables["y"]) <= 1e-8


def test_a_degenerate_pair() -> None:
    m = pairs()
    m.leader.set_value((m.x + 1) ** 2 + (m.y + 1) ** 2)
    solution = bl.solve(m, "", encoding="scholtes", starts=2)
    assert [solution.variables[n] for n in "xy"] == pytest.approx([0, 0], abs=1e-5)


def test_more_starts_find_the_better_piece() -> None:
    # From (0, 9) the piece x = 0 is near, objective 4; the better one is y = 0, objective 1.
    m = pairs()
    m.leader.set_value((m.x - 2) ** 2 + (m.y - 1) ** 2)
    m.x.set_value(0.0)
    m.y.set_value(9.0)
    assert bl.solve(m, "", encoding="scholtes", starts=8).objective == pytest.approx(1.0, abs=1e-6)
