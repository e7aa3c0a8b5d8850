"""Small random problems against enumeration that knows no KKT conditions; nonconvex traps against their published optima.

Every follower's variable is bounded, so that each problem has an optimum or is infeasible.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from scipy.optimize import linprog

import bilevel_lang

SENSES = ("min", "max")


@dataclass(frozen=True)
class Linear:
    """``F, f``: cost of (x, y) and of y; ``rows``: (coefficients of (x, y), lower, upper, whether it is the follower's)."""

    nx: int
    lower: np.ndarray
    upper: np.ndarray
    rows: list[tuple[np.ndarray, float, float, bool]]
    F: np.ndarray
    f: np.ndarray
    leader: str
    follower: str
    cross: np.ndarray


def random_linear(seed: int, integer: bool) -> Linear:
    rng = np.random.default_rng((1, seed))
    nx, ny = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    lower = np.concatenate([np.zeros(nx), rng.integers(-2, 1, ny)]).astype(float)
    upper = np.concatenate([rng.integers(2, 5, nx), rng.integers(2, 7, ny)]).astype(float)
    inside = rng.integers(0, 3, nx + ny)
    rows = []
    for k in range(int(rng.integers(1, 5))):
        a = rng.integers(-4, 5, nx + ny).astype(float)
        side, room = float(a @ inside), float(rng.integers(0, 4))
        low, up = [(-math.inf, side + room), (side - room, math.inf), (side, side), (side - room, side + 1)][
            rng.choice(4, p=[0.4, 0.35, 0.1, 0.15])
        ]
        rows.append((a, low, up, k == 0 or bool(rng.random() < 0.7)))
    cross = rng.integers(-2, 3, (nx, ny)).astype(float) if integer else np.zeros((nx, ny))
    cost, own = (rng.integers(-4, 5, n).astype(float) for n in (nx + ny, ny))
    return Linear(nx, lower, upper, rows, cost, own, str(rng.choice(SENSES)), str(rng.choice(SENSES)), cross)


def least(
    p: Linear, x: np.ndarray, cost: np.ndarray, everybody: bool, cut: tuple[np.ndarray, float] | None = None
) -> float | None:
    """The least cost'y over the follower's rows (all rows for ``everybody``) at x; None where there is no y."""
    above, side, equal, value = [], [], [], []
    for a, low, up, own in p.rows:
        if own or everybody:
            b, shift = a[p.nx :], float(a[: p.nx] @ x)
            if low == up:
                equal.append(b)
                value.append(low - shift)
                continue
            above += [b] * (up < math.inf) + [-b] * (low > -math.inf)
            side += [up - shift] * (up < math.inf) + [shift - low] * (low > -math.inf)
    if cut is not None:
        above.append(cut[0])
        side.append(cut[1])
    box = list(zip(p.lower[p.nx :], p.upper[p.nx :], strict=True))
    result = linprog(cost, A_ub=above or None, b_ub=side or None, A_eq=equal or None, b_eq=value or None, bounds=box)
    return float(result.fun) if result.status == 0 else None


def by_enumeration(p: Linear) -> float | None:
    """All integer x, then the leader's best among the follower's best answers."""
    s, t, found = signs(p), -1.0 if p.follower == "max" else 1.0, []
    for point in itertools.product(*(range(int(u) + 1) for u in p.upper[: p.nx])):
        x = np.array(point, dtype=float)
        cost = t * (p.f + x @ p.cross)
        value = least(p, x, cost, False)
        if value is not None:
            best = least(p, x, s * p.F[p.nx :], True, (cost, value + 1e-9))
            found += [] if best is None else [s * (best + s * float(p.F[: p.nx] @ x))]
    return None if not found else s * min(s * v for v in found)


def by_vertices(p: Linear) -> float | None:
    """An optimum of an LP over an LP is at a vertex of the polyhedron of all rows."""
    n, s, t, found = len(p.F), signs(p), -1.0 if p.follower == "max" else 1.0, []
    planes = [(a, side) for a, low, up, _ in p.rows for side in {low, up} if math.isfinite(side)]
    planes += [(unit, side) for k, unit in enumerate(np.eye(n)) for side in (p.lower[k], p.upper[k])]
    for chosen in itertools.combinations(planes, n):
        matrix = np.array([a for a, _ in chosen])
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        z = np.linalg.solve(matrix, np.array([side for _, side in chosen]))
        fits = all(low - 1e-7 <= a @ z <= up + 1e-7 for a, low, up, _ in p.rows)
        if not fits or np.any(z < p.lower - 1e-7) or np.any(z > p.upper + 1e-7):
            continue
        value = least(p, z[: p.nx], t * p.f, False)
        if value is not None and t * float(p.f @ z[p.nx :]) <= value + 1e-7:
            found.append(float(p.F @ z))
    return None if not found else s * min(s * v for v in found)


def signs(p: Linear) -> float:
    return -1.0 if p.leader == "max" else 1.0


def solve_linear(p: Linear, integer: bool) -> bilevel_lang.BilevelSolution:
    m = pyo.ConcreteModel()
    ny = len(p.f)
    m.x = pyo.Var(range(p.nx), domain=pyo.Integers if integer else pyo.Reals)
    m.y = pyo.Var(range(ny))
    both = [*m.x.values(), *m.y.values()]
    for variable, low, up in zip(both, p.lower, p.upper, strict=True):
        variable.setlb(low)
        variable.setub(up)
    names = []
    for k, (a, low, up, own) in enumerate(p.rows):
        body = sum(c * v for c, v in zip(a, both, strict=True)) + 0 * both[-1]
        m.add_component(f"r{k}", pyo.Constraint(expr=(None if low == -math.inf else low, body, None if up == math.inf else up)))
        names += [f"r{k}"] if own else []
    m.o = pyo.Objective(expr=sum(c * v for c, v in zip(p.F, both, strict=True)), sense=getattr(pyo, f"{p.leader}imize"))
    products = sum(p.cross[i, j] * m.x[i] * m.y[j] for i in range(p.nx) for j in range(ny))
    m.f = pyo.Expression(expr=products + sum(c * v for c, v in zip(p.f, m.y.values(), strict=True)))
    return bilevel_lang.solve(m, f"bilevel x\n{p.follower} f y {' '.join(names)}", time_limit=20.0)


def agrees(found: bilevel_lang.BilevelSolution, expected: float | None) -> None:
    if expected is None:
        assert found.status.value == "infeasible"
        return
    assert found.status.value == "optimal", (found.status, found.messages)
    assert found.objective == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert found.verified and found.bound == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("seed", range(40))
def test_linear_over_linear(seed: int) -> None:
    p = random_linear(seed, integer=False)
    agrees(solve_linear(p, False), by_vertices(p))


@pytest.mark.parametrize("seed", range(100, 130))
def test_integer_leader_with_products(seed: int) -> None:
    p = random_linear(seed, integer=True)
    agrees(solve_linear(p, True), by_enumeration(p))


# --- Two followers with quadratic costs in Nash equilibrium, by all patterns of who stands at a bound.


def equilibria(a: np.ndarray, b: np.ndarray, c: np.ndarray, low: np.ndarray, up: np.ndarray) -> Iterator[np.ndarray]:
    """y with y_i = argmin a_i/2 y_i^2 + (c_i + b_i y_j) y_i over [low_i, up_i]."""
    for pattern in itertools.product((None, low, up), repeat=2):
        matrix, side = np.eye(2), np.zeros(2)
        for i, bound in enumerate(pattern):
            if bound is None:
                matrix[i] = [a[i], b[i]] if i == 0 else [b[i], a[i]]
            side[i] = -c[i] if bound is None else bound[i]
        if abs(np.linalg.det(matrix)) > 1e-9:
            y = np.linalg.solve(matrix, side)
            best = np.clip(-(c + b * y[::-1]) / a, low, up)
            if np.abs(best - y).max() < 1e-8:
                yield y


@pytest.mark.parametrize("seed", range(25))
def test_two_followers_in_equilibrium(seed: int) -> None:
    rng = np.random.default_rng((2, seed))
    a, b, c, t = rng.integers(1, 4, 2), rng.integers(-2, 3, 2), rng.integers(-4, 5, 2), rng.integers(-3, 4, 2)
    low, up = rng.choice([0.0, -2.0], 2), rng.choice([3.0, 4.0], 2)
    cost, senses, leader = rng.integers(-4, 5, 3), rng.choice(SENSES, 2), str(rng.choice(SENSES))
    scale = float(rng.choice([1.0, 1e3, 1e-2]))
    values = [cost @ [x, *y] for x in range(4) for y in equilibria(a, b, c + t * x, low, up)]
    expected = None if not values else float(min(values) if leader == "min" else max(values))

    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 3), domain=pyo.Integers)
    m.y = pyo.Var([0, 1], bounds=lambda m, i: (low[i], up[i]))
    m.o = pyo.Objective(expr=cost[0] * m.x + cost[1] * m.y[0] + cost[2] * m.y[1], sense=getattr(pyo, f"{leader}imize"))
    text = "bilevel x"
    for i, sense in enumerate(senses):
        own = a[i] / 2 * m.y[i] ** 2 + (c[i] + t[i] * m.x + b[i] * m.y[1 - i]) * m.y[i]
        m.add_component(f"f{i}", pyo.Expression(expr=scale * (own if sense == "min" else -own)))
        text += f"\n{sense} f{i} y[{i}]"
    agrees(bilevel_lang.solve(m, text, time_limit=20.0), expected)


# --- Nonconvex followers: their KKT points are more than their optima (Mitsos and Barton 2007; Mirrlees 1999).

Function = Callable[[Any, Any], Any]
TRAPS: dict[str, tuple[Function, Function, float, float, float]] = {
    # name: leader, follower, lowest y, true optimum, lowest value over KKT points
    "mb_2007_04": (lambda x, y: y, lambda x, y: -(y**2), -0.5, 1.0, -0.5),
    "mb_2007_13": (lambda x, y: x - y, lambda x, y: 0.5 * x * y**2 - x**3 * y, -1.0, -1.0, -2.0),
    "mb_2007_14": (lambda x, y: (x - 0.25) ** 2 + y**2, lambda x, y: y**3 / 3 - x * y, -1.0, 0.25, 0.0625),
    "mb_2007_16": (lambda x, y: 2 * x + y, lambda x, y: -0.5 * x * y**2 - y**4 / 4, -1.0, -2.0, -3.0),
    "mb_2007_20": (lambda x, y: (x - 0.25) ** 2 + y**2, lambda x, y: -(x**2) * y + y**3 / 3, -1.0, 0.3125, 0.03125),
}


def trap(name: str, method: str) -> bilevel_lang.BilevelSolution:
    leader, follower, lowest, _, _ = TRAPS[name]
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-1, 1)), pyo.Var(bounds=(lowest, 1))
    m.o, m.f = pyo.Objective(expr=leader(m.x, m.y)), pyo.Expression(expr=follower(m.x, m.y))
    return bilevel_lang.solve(m, "bilevel x\nmin f y", method=method, time_limit=4.0)


@pytest.mark.parametrize("name", TRAPS)
def test_a_wrong_stationary_point_never_passes(name: str) -> None:
    true, found = TRAPS[name][3], trap(name, "kkt")
    if found.status.value == "optimal":
        assert found.objective == pytest.approx(true, abs=1e-4)
    elif found.status.value == "feasible":
        assert found.objective is not None and found.objective >= true - 1e-4
    else:
        assert found.status.exit_code != 0
    assert found.status.value not in ("infeasible", "unbounded")
    assert found.bound is None or found.bound <= true + 1e-4


@pytest.mark.parametrize("name", TRAPS)
def test_the_engine_s_own_answer_is_within_the_epsilons_that_it_states(name: str) -> None:
    """Better than the optimum it may be only by what its follower misses, and that is no more than the message says."""
    leader, follower, lowest, true, _ = TRAPS[name]
    found = trap(name, "auto")
    assert found.status.value == "optimal", found.messages
    assert found.exactness is not None and found.exactness.value == "epsilon"
    assert found.objective is not None and found.bound is not None
    (said,) = (message for message in found.messages if message.startswith("epsilon-optimal"))
    told = re.fullmatch(r"epsilon-optimal: bounds within (\S+) relative; min f may miss its optimum by (\S+)", said)
    assert told is not None, said
    gap, miss = float(told[1]), float(told[2])
    assert gap <= 1e-4 and miss <= 2e-6
    assert found.bound <= true + 1e-9
    assert found.objective <= true + gap * max(1.0, abs(true))
    x, y = found.variables["x"], found.variables["y"]
    assert found.objective == pytest.approx(leader(x, y), abs=1e-9)
    measured = follower(x, y) - lowest_on_a_segment(lambda v: follower(x, v), lowest, 1.0)
    assert measured <= miss + 1e-12
    if measured <= 1e-14:
        assert found.objective >= true - 1e-9


def lowest_on_a_segment(function: Callable[[Any], Any], low: float, high: float) -> float:
    """The least value of a polynomial of degree 4 or less, by its stationary points and the ends."""
    at = np.linspace(low, high, 5)
    polynomial = np.polynomial.Polynomial.fit(at, [float(function(v)) for v in at], 4).convert()
    inner = [float(r.real) for r in polynomial.deriv().roots() if abs(r.imag) < 1e-6 and low <= r.real <= high]
    return min(float(function(v)) for v in (low, high, *inner))
