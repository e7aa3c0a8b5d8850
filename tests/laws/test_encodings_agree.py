"""Encodings of one problem agree with each other, with Pyomo's own transformations, and with enumeration.

The followers are small enough to be solved by listing their vertices (LP) or active sets (QP), which no module of the package
takes part in. Two things follow for an answer (x*, y*) that claims to be optimal: its objective is what the follower's answer
to x* gives, and no x on a grid gives a better one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.core.expr.visitor import identify_variables

import bilevel_lang as bl
from bilevel_lang.solution import Exactness, Status
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions

GRID = 61
WIDE = 6.0
"""x and y lie in [0, WIDE]."""

M = 400.0
"""A proven M for the data below: sides of rows are at most 3 * (6 + 6 + 6) + 12 = 66; a multiplier of a vertex is a quotient of
2 x 2 determinants of integers, so at most 2 * 3 * |gradient| / 1, and |gradient| <= 3 (LP), <= 6 * 4 + 6 * 2 + 4 = 40 (QP)."""


@dataclass(frozen=True)
class Instance:
    """min p (x - t)² + d'y  s.t.  x in [0, 6],  y solves  min y'Qy/2 + (c + e x)'y  s.t.  A y + g x <= b,  0 <= y <= 6."""

    p: float
    t: float
    d: np.ndarray
    q: np.ndarray
    c: np.ndarray
    e: np.ndarray
    a: np.ndarray
    g: np.ndarray
    b: np.ndarray

    @property
    def quadratic(self) -> bool:
        """Whether the follower is a QP (strictly convex, so with one answer)."""
        return bool(self.q.any())

    def model(self) -> Any:
        m = pyo.ConcreteModel()
        m.x = pyo.Var(bounds=(0, WIDE))
        m.y = pyo.Var([0, 1], bounds=(0, WIDE))
        leader = self.d[0] * m.y[0] + self.d[1] * m.y[1]
        m.leader = pyo.Objective(expr=leader + (self.p * (m.x - self.t) ** 2 if self.p else self.t * m.x))
        linear = sum((self.c[k] + self.e[k] * m.x) * m.y[k] for k in (0, 1))
        curved = 0.5 * sum(self.q[k, j] * m.y[k] * m.y[j] for k in (0, 1) for j in (0, 1)) if self.quadratic else 0
        m.f = pyo.Objective(expr=linear + curved)
        m.f.deactivate()
        m.e = pyo.Constraint(
            range(len(self.b)), rule=lambda m, i: sum(self.a[i, k] * m.y[k] for k in (0, 1)) + self.g[i] * m.x <= self.b[i]
        )
        return m

    def leader(self, x: float, y: np.ndarray) -> float:
        return float(self.d @ y + (self.p * (x - self.t) ** 2 if self.p else self.t * x))

    def value(self, x: float) -> float:
        """The leader's objective at x with the follower's best answer for it; inf where the follower has none."""
        answers = self.answers(x)
        return min((self.leader(x, y) for y in answers), default=np.inf)

    def answers(self, x: float) -> list[np.ndarray]:
        """The follower's answer, or the optimal vertices: a linear function over the optimal face is best at one of them."""
        rows = np.vstack([self.a, np.eye(2), -np.eye(2)])
        sides = np.concatenate([self.b - self.g * x, np.full(2, WIDE), np.zeros(2)])
        cost = self.c + self.e * x
        sizes = (0, 1, 2) if self.quadratic else (2,)
        found = []
        for size in sizes:
            for active in itertools.combinations(range(len(sides)), size):
                y = self._piece(cost, rows[list(active)], sides[list(active)])
                if y is not None and np.all(rows @ y <= sides + 1e-9):
                    found.append(y)
        best = min((self._f(cost, y) for y in found), default=np.inf)
        return [y for y in found if self._f(cost, y) <= best + 1e-9]

    def _piece(self, cost: np.ndarray, rows: np.ndarray, sides: np.ndarray) -> np.ndarray | None:
        n = len(sides)
        system = np.block([[self.q, rows.T], [rows, np.zeros((n, n))]])
        if abs(np.linalg.det(system)) < 1e-9:
            return None
        return np.linalg.solve(system, np.concatenate([-cost, sides]))[:2]

    def _f(self, cost: np.ndarray, y: np.ndarray) -> float:
        return float(0.5 * y @ self.q @ y + cost @ y)


def instance(seed: int, *, leader: str, follower: str) -> Instance:
    """Integer data from a seed; y = 0 is feasible at x = 0, so that the problem has a solution."""
    random = np.random.default_rng((seed, leader == "qp", follower == "qp"))

    def numbers(*shape: int) -> np.ndarray:
        return random.integers(-3, 4, shape).astype(float)

    root = np.array([[1.0, 1.0], [0.0, 1.0]]) if seed % 2 else np.eye(2)
    curved = follower == "qp"
    return Instance(
        p=1.0 if leader == "qp" else 0.0,
        t=float(random.integers(1, 5)) if leader == "qp" else float(random.integers(-2, 3)),
        d=numbers(2),
        q=root.T @ root if curved else np.zeros((2, 2)),
        c=numbers(2),
        e=numbers(2) / 3 if curved else np.zeros(2),
        a=numbers(3, 2),
        g=numbers(3),
        b=random.integers(2, 13, 3).astype(float),
    )


KINDS = [("lp", "lp"), ("qp", "qp"), ("qp", "lp"), ("lp", "qp")]
PROBLEMS = [instance(seed, leader=lead, follower=follow) for lead, follow in KINDS for seed in range(6)]
ALL = [pytest.param(problem, marks=pytest.mark.slow if number % 6 >= 3 else ()) for number, problem in enumerate(PROBLEMS)]
"""For the tests that solve each of them: half of them by default."""
NAMES = [f"{lead}-{follow}-{seed}" for lead, follow in KINDS for seed in range(6)]
ANNOTATION = "bilevel x\nmin f y e"


def solve(problem: Instance, **options: Any) -> Any:
    return bl.solve(problem.model(), ANNOTATION, **options)


def tolerance(problem: Instance) -> float:
    """1e-6 where all rows and pairs are linear; a curved objective of the leader is proven to SCIP's 1e-7 by a column, too."""
    return 2e-6 if problem.p else 1e-6


@pytest.mark.parametrize("problem", ALL, ids=NAMES)
def test_sos1_gives_the_optimum_of_the_enumeration(problem: Instance) -> None:
    solution = solve(problem, encoding="sos1", solver="scip")
    assert solution.status is Status.OPTIMAL, solution.messages
    assert solution.exactness is Exactness.EXACT
    x = solution.variables["x"]
    here = problem.value(x)
    # x* is known to the solver's tolerance only: to 3e-4 where a curved objective is proven to 1e-7, and an LP follower's
    # answer may jump at it. So look around it as well.
    around = min(here, *(problem.value(float(np.clip(x + h, 0, WIDE))) for h in (-1e-6, 1e-6, -1e-5, 1e-5)))
    assert solution.objective == pytest.approx(around, abs=2e-4)
    best = min(problem.value(float(x)) for x in np.linspace(0, WIDE, GRID))
    assert solution.objective <= best + 1e-6
    assert solution.bound <= solution.objective + 1e-6


@pytest.mark.parametrize("problem", ALL, ids=NAMES)
def test_big_m_agrees_with_sos1(problem: Instance) -> None:
    exact = solve(problem, encoding="sos1").objective
    solution = solve(problem, encoding="big-m", big_m=M)
    assert solution.verified, solution.messages
    given = any("given, not proven" in said for said in solution.messages)
    assert (solution.status is Status.OPTIMAL) is not given  # no proof where one M is only given
    assert solution.objective == pytest.approx(exact, abs=tolerance(problem), rel=1e-6)


@pytest.mark.parametrize("problem", PROBLEMS[::4], ids=NAMES[::4])
def test_a_local_answer_is_verified_and_never_better_than_the_optimum(problem: Instance) -> None:
    pytest.importorskip("casadi")
    exact = solve(problem, encoding="sos1").objective
    solution = solve(problem, encoding="scholtes", starts=2)
    assert solution.status is Status.FEASIBLE, solution.messages
    assert solution.exactness is Exactness.STATIONARY
    assert solution.bound is None
    # The answer is feasible to 1e-6 in each of a handful of rows with multipliers of at most 3 * 40.
    assert solution.objective >= exact - 5e-4


# --- Pyomo's own KKT transformation


def stationarity_of_pyomo(problem: Instance, values: dict[str, float]) -> tuple[list[float], dict[str, float]]:
    """The rows of ``core.kkt`` at a point, and the multipliers by the names that we give them."""
    m = problem.model()
    m.leader.deactivate()
    m.f.activate()
    transformation = pyo.TransformationFactory("core.kkt")
    transformation.apply_to(m, parameterize_wrt=[m.x])
    named = {}
    for i in m.e:
        _, upper = transformation.get_multiplier_from_object(m, m.e[i])
        named[f"e[{i}]"] = upper
    for k in m.y:
        low, high = transformation.get_multiplier_from_object(m, m.y[k])
        named[f"y[{k}].lower"], named[f"y[{k}].upper"] = low, high
    for name, variable in named.items():
        variable.set_value(values[name])
    m.x.set_value(values["x"])
    for k in m.y:
        m.y[k].set_value(values[f"y[{k}]"])
    return [pyo.value(row.body) for row in m.kkt.stationarity_conditions.values()], values


@pytest.mark.skipif("core.kkt" not in list(pyo.TransformationFactory), reason="this Pyomo has no core.kkt")
@pytest.mark.parametrize("problem", ALL, ids=NAMES)
def test_stationarity_is_that_of_pyomo(problem: Instance) -> None:
    random = np.random.default_rng(5)
    mpec = bl.reformulate(problem.model(), ANNOTATION).model
    names = ["x", *(f"y[{k}]" for k in (0, 1)), *(f"e[{i}]" for i in range(3))]
    names += [f"y[{k}].{side}" for k in (0, 1) for side in ("lower", "upper")]
    values = {name: float(random.uniform(0, 4)) for name in names}
    theirs, _ = stationarity_of_pyomo(problem, values)
    for name, value in values.items():
        if name in mpec.kkt.multiplier:
            mpec.kkt.multiplier[name].set_value(-value, skip_validation=True)  # theirs is >= 0, ours <= 0 on a <= row
        elif name in mpec.kkt.bound_multiplier:
            mpec.kkt.bound_multiplier[name].set_value(value)
        else:
            variable = mpec.find_component(name)
            if variable is not None and variable.ctype is pyo.Var:
                variable.set_value(value)
    ours = [pyo.value(row.body) for row in mpec.kkt.stationarity.values()]
    # The rows are in another order there; at a random point no two of them have the same value.
    assert sorted(ours) == pytest.approx(sorted(theirs), abs=1e-9)


# --- The MPEC goes to anything that reads pyomo.mpec


@pytest.mark.parametrize("problem", PROBLEMS[::3], ids=NAMES[::3])
def test_pyomos_disjunctive_transformation_takes_our_mpec(problem: Instance) -> None:
    exact = solve(problem, encoding="sos1").objective
    mpec = bl.reformulate(problem.model(), ANNOTATION).model
    pyo.TransformationFactory("mpec.simple_disjunction").apply_to(mpec)
    pyo.TransformationFactory("gdp.bigm").apply_to(mpec, bigM=M)
    run = by_name("scip").run(mpec, SolverOptions())
    assert run.objective == pytest.approx(exact, abs=tolerance(problem), rel=1e-6)


@pytest.mark.parametrize("problem", PROBLEMS[::6], ids=NAMES[::6])
def test_pyomos_nonlinear_transformation_takes_our_mpec(problem: Instance) -> None:
    exact = solve(problem, encoding="sos1").objective
    mpec = bl.reformulate(problem.model(), ANNOTATION).model
    pyo.TransformationFactory("mpec.simple_nonlinear").apply_to(mpec)
    # Products of unbounded multipliers are hard to prove: the bounds of the enumeration above hold for some multipliers.
    for variable in identify_all(mpec):
        variable.setlb(-M if variable.lb is None else max(variable.lb, -M))
        variable.setub(M if variable.ub is None else min(variable.ub, M))
    run = by_name("scip").run(mpec, SolverOptions(time_limit=20))
    # ab <= 1e-7 lets a or b be 3e-4 where the other one is as small.
    assert run.objective == pytest.approx(exact, abs=5e-3, rel=1e-3)


def identify_all(model: Any) -> list[Any]:
    found = {id(v): v for row in model.component_data_objects(pyo.Constraint, active=True) for v in identify_variables(row.body)}
    return list(found.values())


# --- What must not matter


@pytest.mark.parametrize("problem", PROBLEMS[1::4], ids=NAMES[1::4])
def test_scaling_a_row_or_an_objective_changes_nothing(problem: Instance) -> None:
    exact = solve(problem).objective
    scaled = replace(
        problem, a=problem.a * 8, g=problem.g * 8, b=problem.b * 8, c=problem.c * 4, e=problem.e * 4, q=problem.q * 4
    )
    assert solve(scaled).objective == pytest.approx(exact, abs=5e-6, rel=1e-6)


@pytest.mark.parametrize("problem", PROBLEMS[2::4], ids=NAMES[2::4])
def test_a_duplicated_row_changes_nothing(problem: Instance) -> None:
    exact = solve(problem).objective
    twice = replace(problem, a=np.vstack([problem.a] * 2), g=np.tile(problem.g, 2), b=np.tile(problem.b, 2))
    assert solve(twice).objective == pytest.approx(exact, abs=5e-6, rel=1e-6)


@pytest.mark.parametrize("problem", PROBLEMS[3::4], ids=NAMES[3::4])
def test_a_max_agent_is_the_min_agent_of_the_negated_objective(problem: Instance) -> None:
    m = problem.model()
    m.f.set_value(-m.f.expr)
    assert bl.solve(m, "bilevel x\nmax f y e").objective == pytest.approx(solve(problem).objective, abs=5e-6, rel=1e-6)
