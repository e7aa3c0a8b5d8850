from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.reformulation.linear.big_m import LinearBigM, with_big_m
from bilevel_lang.reformulation.linear.bounds import vertices
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness, Status
from tests.reformulation.linear.random_followers import mpec_of, random_bilevel
from tests.reformulation.problems import follow, linear

E = "bilevel x\nmin f y c"


def two(x: tuple[Any, Any], y: tuple[Any, Any]) -> Any:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=x), pyo.Var(bounds=y)
    return m


def agree(seeds: range, may_refuse: bool = False) -> None:
    refused = 0
    for seed in seeds:
        mpec = mpec_of(random_bilevel(seed))
        try:
            encoded = LinearBigM().encode(mpec, "highs", Options())
        except RefusedError:
            refused += 1
            continue
        assert encoded.exactness is Exactness.EXACT
        run = encoded.run(Options(), None)
        exact = LinearSos1().encode(mpec, "scip", Options()).run(Options(), None)
        assert run.termination is exact.termination, seed
        assert run.doubts == (), seed
        if exact.objective is not None:
            assert run.objective == pytest.approx(exact.objective, abs=1e-6, rel=1e-6), seed
    assert refused <= (len(seeds) // 2 if may_refuse else 0)


def test_bounds_are_derived_for_random_followers_and_the_optimum_is_that_of_sos1() -> None:
    agree(range(12))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(12, 312, 30))
def test_the_same_for_hundreds(start: int) -> None:
    agree(range(start, start + 30))


def test_without_enumeration_the_other_proofs_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vertices, "BASES", 0)
    agree(range(0, 60, 6), may_refuse=True)


@pytest.mark.parametrize("solver", ["highs", "scip"])
def test_a_known_problem_by_both_solvers(solver: str) -> None:
    solution = bl.solve(linear(), "bilevel x\nmin f y e1 e2 e3 e4", encoding="big-m", solver=solver)
    assert (solution.status, solution.exactness) == (Status.OPTIMAL, Exactness.EXACT), solution.messages
    assert solution.objective == pytest.approx(-12, abs=1e-6)


def test_a_quadratic_leader_goes_to_scip_and_is_refused_for_highs() -> None:
    solution = bl.solve(follow(), E, encoding="big-m")
    assert solution.status is Status.OPTIMAL and solution.solver.startswith("SCIP")
    assert solution.objective == pytest.approx(2.75, abs=1e-6)
    with pytest.raises(RefusedError, match="quadratic"):
        bl.solve(follow(), E, encoding="big-m", solver="highs")


def test_every_bound_is_told_with_its_origin() -> None:
    mpec = mpec_of(linear(), "bilevel x\nmin f y e1 e2 e3 e4")
    notes = LinearBigM().encode(mpec, "highs", Options()).notes
    assert [n.split()[2] for n in notes] == [f"{name}.{word}" for name in mpec.names() for word in ("slack", "multiplier")]
    assert all(n.endswith(")") for n in notes)


def test_a_side_that_is_zero_needs_no_binary() -> None:
    mpec = mpec_of(linear(), "bilevel x\nmin f y e1 e2 e3 e4")
    bounds = [5.0] * 12
    bounds[1] = bounds[4] = 0.0  # the multiplier of e1, the slack of e3
    program = with_big_m(mpec, bounds)
    assert program.integer.sum() == 4
    assert program.upper[mpec.right[0]] == program.upper[mpec.left[2]] == 0


def test_a_pair_that_is_decided_needs_no_bound_on_its_other_side() -> None:
    m = unbounded_price()
    m.low = pyo.Constraint(expr=m.x <= 2)  # the multiplier is 8 or more: the row is always tight
    solution = bl.solve(m, E, encoding="big-m")
    assert (solution.status, solution.exactness) == (Status.OPTIMAL, Exactness.EXACT), solution.messages
    assert solution.objective == pytest.approx(0, abs=1e-5)
    assert any("M of c.multiplier = inf (not needed: the other side is zero)" in w for w in solution.why)


def test_both_sides_of_a_pair_may_be_zero_for_good() -> None:
    # A follower that does not care (multipliers 0), and whose y is 0 (the slack of c too).
    m = two((0, 3), (0, 5))
    m.f = pyo.Expression(expr=0 * m.y + m.x)
    m.c = pyo.Constraint(expr=m.y <= 0)
    m.d = pyo.Constraint(expr=m.y + m.x >= 1)
    m.o = pyo.Objective(expr=m.x - m.y)
    solution = bl.solve(m, "bilevel x\nmin f y c d", encoding="big-m")
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(1)


# --- Followers that big-M is known to fail on.


def test_multipliers_that_may_grow_together_do_not_prevent_a_bound() -> None:
    # y >= x and y <= 10 at x = 10: the set of multipliers is unbounded, its vertices are not.
    solution = bl.solve(follow(), E, encoding="big-m")
    assert solution.exactness is Exactness.EXACT
    assert any("M of c.multiplier = 1 (" in w for w in solution.why)


@pytest.mark.parametrize("steep", [1e3, 1e5, 1e6])
def test_a_follower_that_runs_far_up(steep: float) -> None:
    # max x, follower y >= steep (x - 1): x = 2, y = steep. A fixed big-M of 1e5 stops at x = 1.1 for 1e6, without a word.
    m = two((0, 2), (0, None))
    m.c = pyo.Constraint(expr=m.y >= steep * (m.x - 1))
    m.f, m.leader = pyo.Expression(expr=m.y), pyo.Objective(expr=m.x, sense=pyo.maximize)
    solution = bl.solve(m, E, encoding="big-m")
    assert (solution.status, solution.exactness) == (Status.OPTIMAL, Exactness.EXACT), solution.messages
    assert [solution.variables[n] for n in "xy"] == pytest.approx([2, steep], rel=1e-6)


@pytest.mark.parametrize("price", [1e5, 1e6])
def test_a_multiplier_that_is_large(price: float) -> None:
    m = two((0, 2), (0, 10))
    m.c = pyo.Constraint(expr=m.y >= m.x)
    m.f, m.leader = pyo.Expression(expr=price * m.y), pyo.Objective(expr=m.x - 3 * m.y)
    solution = bl.solve(m, E, encoding="big-m")
    assert (solution.status, solution.exactness) == (Status.OPTIMAL, Exactness.EXACT), solution.messages
    assert solution.objective == pytest.approx(-4, abs=1e-5)
    assert any("is solved again with its pairs decided" in w for w in solution.why)


def test_a_multiplier_that_is_too_large_is_refused_with_its_size() -> None:
    m = two((0, 2), (0, 10))
    m.c = pyo.Constraint(expr=m.y >= m.x)
    m.f, m.leader = pyo.Expression(expr=1e9 * m.y), pyo.Objective(expr=m.x - 3 * m.y)
    with pytest.raises(RefusedError, match=r"the multiplier of `c` may reach 1e\+09[\s\S]*no numerical use[\s\S]*sos1"):
        bl.solve(m, E, encoding="big-m")


def unbounded_price() -> Any:
    """min (x + 3)², follower (y - 10)²/2 with y <= x: y = x, the multiplier is 10 - x; x has no bounds. 0 at x = -3."""
    m = two((None, None), (None, None))
    m.c = pyo.Constraint(expr=m.y <= m.x)
    m.f, m.leader = pyo.Expression(expr=(m.y - 10) ** 2 / 2), pyo.Objective(expr=(m.x + 3) ** 2)
    return m


def test_a_multiplier_without_bound_in_the_leaders_box_is_refused_by_name() -> None:
    with pytest.raises(RefusedError) as caught:
        bl.solve(unbounded_price(), E, encoding="big-m")
    for said in ("for the multiplier of `c`", "--encoding sos1", "--big-m M"):
        assert said in str(caught.value)


# --- Bounds that are given.


def test_a_given_bound_that_is_reached_is_not_trusted() -> None:
    # Within M = 5 the best is 64 at x = 5; solved again without M, the same pairs give the true 0.
    solution = bl.solve(unbounded_price(), E, encoding="big-m", big_m={"c": 5})
    assert solution.objective == pytest.approx(0, abs=1e-3)
    assert solution.status is Status.FEASIBLE
    assert (solution.exactness, solution.bound) == (Exactness.APPROXIMATION, None)
    assert "not trusted: c.multiplier reaches the given M = 5; raise --big-m, or use --encoding sos1" in solution.messages
    assert any("is reached, beyond the claimed bound 64" in said for said in solution.messages)


def test_a_given_bound_with_room_is_no_proof_either() -> None:
    solution = bl.solve(unbounded_price(), E, encoding="big-m", big_m=100)
    assert solution.objective == pytest.approx(0, abs=1e-5)
    assert solution.status is Status.FEASIBLE
    assert any("M = 100 was given, not proven" in said for said in solution.messages)
    assert not any("not trusted" in said for said in solution.messages)


def test_too_small_a_bound_is_no_proof_of_infeasibility() -> None:
    m = unbounded_price()
    m.z = pyo.Var()
    m.low = pyo.Constraint([-1, 1], rule=lambda m, sign: m.x + sign * m.z <= 2)
    solution = bl.solve(m, "bilevel x z\nmin f y c", encoding="big-m", big_m=5)
    assert solution.status is Status.UNKNOWN
    assert any("within the given M = 5: raise --big-m" in said for said in solution.messages)


def test_a_derived_bound_is_preferred_to_a_given_one() -> None:
    solution = bl.solve(follow(), E, encoding="big-m", big_m=0.5)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(2.75, abs=1e-6)


def test_names_are_checked() -> None:
    with pytest.raises(UsageError, match=r"no agent has a side `d`"):
        bl.solve(follow(), E, encoding="big-m", big_m={"d": 1.0})


def test_the_multipliers_of_a_dualvar_have_no_chosen_vertex() -> None:
    # The leader sees the multiplier of c at x = y = 10, where it has no upper bound: 1 and more are all right.
    m = follow()
    m.p = pyo.Var(bounds=(0, 500))
    m.leader.set_value((m.x - 10) ** 2 - m.p)
    text = f"{E}\ndualvar p -c"
    exact = bl.solve(m, text, encoding="sos1")
    assert exact.objective == pytest.approx(-500, abs=1e-4)
    solution = bl.solve(m, text, encoding="big-m")
    assert solution.objective == pytest.approx(exact.objective, abs=1e-4)
    m.p.setub(None)
    with pytest.raises(RefusedError, match="the multiplier of `c`"):
        bl.solve(m, text, encoding="big-m")


def test_a_start_may_be_given_in_the_mpecs_own_columns() -> None:
    mpec = mpec_of(linear(), "bilevel x\nmin f y e1 e2 e3 e4")
    start = np.full(mpec.program.columns, np.nan)
    start[:2] = 4.0
    assert LinearBigM().encode(mpec, "highs", Options()).run(Options(), start).objective == pytest.approx(-12, abs=1e-6)
