"""Every exact encoding gives what enumeration gives: small random problems of all families, seeded.

The enumeration (benchmarks/agreement/enumeration.py) lists active sets with numpy and uses nothing of the package; it has answers
by hand below. By default each instance goes to two of the methods, in turn; ``-m slow`` gives thousands to all of them.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.agreement.comparison import Verdict, conditions_residual, independent, judge, point_faults
from benchmarks.agreement.enumeration import enumerate_optimum
from benchmarks.agreement.generator import instance
from benchmarks.agreement.instances import FAMILIES, Floats, Follower, Instance, Price, Rows
from benchmarks.agreement.methods import METHODS, Claim, claims

SEEDS = range(20)
"""Of every family: 200 instances."""

BLOCK = 25
SLOW = range(1000, 1000 + 12 * BLOCK, BLOCK)
"""First seeds of the blocks of the long test: 3000 instances."""

INF = math.inf


def in_turn(seed: int, family: str) -> tuple[str, ...]:
    """Two of the methods, so that every method sees every family."""
    first, count = seed + FAMILIES.index(family), len(METHODS)
    return tuple(METHODS[(first + step) % count] for step in (0, 3))


def nothing_wrong(verdicts: list[Verdict]) -> None:
    assert [f"{v.instance} {v.method}: {v.why}" for v in verdicts if v.outcome == "wrong"] == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_is_that_of_the_enumeration(family: str, seed: int) -> None:
    nothing_wrong(judge(instance(family, seed), in_turn(seed, family)))


@pytest.mark.parametrize(
    ("family", "seed"),
    [
        ("dualvar", 2021),  # unbounded, and SCIP without its own SOS1 branching said infeasible
        ("qp-lp", 108),  # a pair whose two sides are both 0
        ("dualvar", 5013),  # unbounded, and SCIP called a point of the duality row optimal
        ("qp-qp", 3025),  # SCIP's presolve of indicators said infeasible
        ("dualvar", 3),  # a row whose coefficients are all 0
        ("lp-lp", 1090),  # unbounded, and SCIP called the components infeasible
    ],
)
def test_what_was_once_wrong(family: str, seed: int) -> None:
    nothing_wrong(judge(instance(family, seed)))


@pytest.mark.slow
@pytest.mark.parametrize("first", SLOW)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_encoding_agrees_on_thousands(family: str, first: int) -> None:
    for seed in range(first, first + BLOCK):
        nothing_wrong(judge(instance(family, seed)))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_problem_with_an_optimum_is_solved_and_not_only_refused(family: str) -> None:
    """`sos1` takes everything here; what has an optimum is found and claimed."""
    solved = Counter(v.outcome for v in judge_with_an_optimum(family))
    assert set(solved) == {"solved"}, solved


def judge_with_an_optimum(family: str) -> list[Verdict]:
    problems = (instance(family, seed) for seed in range(100, 106))
    return [v for p in problems if enumerate_optimum(p).status == "optimal" for v in judge(p, ("sos1",))]


@pytest.mark.parametrize("family", FAMILIES)
def test_arrays_and_components_have_the_same_multipliers(family: str) -> None:
    """Where both routes come to one point with independent active rows there is only one multiplier for each row."""
    for seed in range(200, 204):
        problem = instance(family, seed)
        arrays, components = claims(problem, ("sos1", "sos1 (components)"))
        if arrays.verdict != "optimal" or components.verdict != "optimal" or arrays.z is None or components.z is None:
            continue
        if np.allclose(arrays.z, components.z, atol=1e-7, equal_nan=True) and independent(problem, np.nan_to_num(arrays.z)):
            assert arrays.multipliers == pytest.approx(components.multipliers, abs=1e-5)


# --- The enumeration against answers by hand


def problem(
    leader: tuple[str, list[float]],
    bounds: list[tuple[float, float]],
    follower: Follower,
    prices: tuple[Price, ...] = (),
    quadratic: Floats | None = None,
) -> Instance:
    """One follower, no rows of the leader."""
    n = len(bounds)
    lower, upper = (np.array(side, dtype=float) for side in zip(*bounds, strict=True))
    none = Rows(np.zeros((0, n)), np.zeros(0), np.zeros(0))
    square = np.zeros((n, n)) if quadratic is None else quadratic
    whole = np.zeros(n, dtype=bool)
    return Instance(
        "by hand", leader[0], lower, upper, whole, square, np.array(leader[1], dtype=float), none, (follower,), prices
    )


def at_most(rows: list[list[float]], sides: list[float]) -> Rows:
    return Rows(np.array(rows, dtype=float), np.full(len(sides), -INF), np.array(sides, dtype=float))


def follows(column: int, n: int, cost: float, rows: Rows, hessian: float = 0.0, cross: list[float] | None = None) -> Follower:
    """A ``min`` follower of one variable."""
    others = np.zeros((1, n)) if cross is None else np.array([cross], dtype=float)
    return Follower("min", (column,), np.array([[hessian]]), others, np.array([cost], dtype=float), rows)


BARD = follows(1, 2, 1.0, at_most([[-1, -1], [-2, 1], [2, 1], [3, -2]], [-3, 0, 12, 4]))
"""Bard 1998, 5.1.1."""


def test_bard_5_1_1() -> None:
    found = enumerate_optimum(problem(("min", [1, -4]), [(0, INF), (0, INF)], BARD))
    assert found.value == pytest.approx(-12)
    assert found.z == pytest.approx([4, 4])


def test_an_unconstrained_follower_answers_with_a_straight_line() -> None:
    # y = x; (x - 3)² + (y - 1)² is least at x = 2, where it is 2; without the constant 10 that is -8.
    follower = follows(1, 2, 0.0, at_most([[0, 1]], [10]), hessian=1.0, cross=[-1, 0])
    found = enumerate_optimum(problem(("min", [-6, -2]), [(0, 5), (-INF, INF)], follower, quadratic=2 * np.eye(2)))
    assert found.value == pytest.approx(-8)


def test_a_leader_that_may_run_away_is_unbounded() -> None:
    # y = max(0, x), and the leader gains from x without end.
    follower = follows(1, 2, 1.0, at_most([[1, -1]], [0]))
    assert enumerate_optimum(problem(("max", [1, 0]), [(0, INF), (0, INF)], follower)).status == "unbounded"
    assert enumerate_optimum(problem(("min", [1, 0]), [(0, INF), (0, INF)], follower)).value == pytest.approx(0)


def test_followers_without_an_answer_exclude_the_leaders_choice() -> None:
    # y <= x - 2 and y >= 0: only x >= 2 has an answer; y <= -1 has none at all.
    follower = follows(1, 2, 1.0, at_most([[-1, 1]], [-2]))
    assert enumerate_optimum(problem(("min", [1, 0]), [(0, 4), (0, INF)], follower)).value == pytest.approx(2)
    never = follows(1, 2, 1.0, at_most([[0, 1]], [-1]))
    assert enumerate_optimum(problem(("min", [1, 0]), [(0, 4), (0, INF)], never)).status == "infeasible"
    # min (x - 2) y over y >= 0 has no limit for x < 2.
    limitless = follows(1, 2, -2.0, at_most([[0, -1]], [1]), cross=[1, 0])
    assert enumerate_optimum(problem(("min", [1, 1]), [(0, 4), (0, INF)], limitless)).value == pytest.approx(2)


def test_the_leader_sees_every_multiplier_of_a_degenerate_follower() -> None:
    # min y s.t. y >= 1 twice: the first row's multiplier is anything in [0, 1].
    rows = Rows(np.array([[0.0, 1, 0], [0, 1, 0]]), np.ones(2), np.full(2, INF))
    follower = follows(1, 3, 1.0, rows)
    seen = (Price(2, 0, 0),)
    bounds = [(0.0, 1.0), (-INF, INF), (-INF, INF)]
    assert enumerate_optimum(problem(("max", [0, 0, 1]), bounds, follower, seen)).value == pytest.approx(1)
    assert enumerate_optimum(problem(("min", [0, 0, 1]), bounds, follower, seen)).value == pytest.approx(0)
    # A max follower of the negated objective has the opposite multipliers.
    turned = replace(follower, sense="max")
    assert enumerate_optimum(problem(("min", [0, 0, 1]), bounds, turned, seen)).value == pytest.approx(-1)


# --- The comparison finds faults


def test_a_wrong_answer_is_called_wrong() -> None:
    # The follower's row y <= 2x binds at (4, 4) from none; -x-y <= -3 and 3x - 2y <= 4 do: only 3x - 2y <= 4 has a price, -1/2.
    bard = problem(("min", [1, -4]), [(0, INF), (0, INF)], BARD)
    right = {"e0[0]": 0.0, "e0[1]": 0.0, "e0[2]": 0.0, "e0[3]": -0.5}
    z = np.array([4.0, 4.0])
    assert list(point_faults(bard, Claim("by hand", "optimal", -12.0, z=z, multipliers=right))) == []
    assert conditions_residual(bard, 0, z, right) == 0
    others = ({**right, "e0[3]": 0.5}, {**right, "e0[2]": -1.0, "e0[3]": 0.0}, {**right, "e0[1]": -1.0, "e0[3]": -1.0})
    for wrong in others:
        assert list(point_faults(bard, Claim("by hand", "optimal", -12.0, z=z, multipliers=wrong)))
    outside = np.array([4.0, 5.0])
    assert list(point_faults(bard, Claim("by hand", "optimal", -16.0, z=outside, multipliers=right)))
