"""The bounding scheme against closed forms, the literature and fine grids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.nonconvex.route import nonconvex_reformulation
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination
from bilevel_lang.verification import verify


def search(model: Any, annotation: str, **options: Any) -> tuple[SolverRun, dict[str, float]]:
    """The run and the modeller's variables by name; a point is verified by the examiner first."""
    problem = bl.resolve(model, annotation)
    made = nonconvex_reformulation(problem, Options(**options))
    run = made.run(Options(**options))
    if not run.has_solution:
        return run, {}
    point = made.recover(run)
    assert verify(problem, point, options=SolverOptions(time_limit=60, gap=1e-6)).verified
    return run, {v.name: value for v, value in point.values.items()}


def square(leader: Any, follower: Any, lower: float = -1, upper: float = 1, row: Any = None, sense: int = pyo.minimize) -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(-1, 1))
    m.y = pyo.Var(bounds=(lower, upper))
    m.leader = pyo.Objective(expr=leader(m.x, m.y), sense=sense)
    m.f = pyo.Expression(expr=follower(m.x, m.y))
    if row is not None:
        m.r = pyo.Constraint(expr=row(m.x, m.y))
    return m


def quartic(y: Any) -> Any:
    return 16 * y**4 + 2 * y**3 - 8 * y**2 - 1.5 * y + 0.5


MITSOS_BARTON = {
    "mb_2007_04": (lambda x, y: y, lambda x, y: -(y**2), 1.0, {"lower": -0.5}),
    "mb_2007_05": (lambda x, y: y, lambda x, y: quartic(y), 0.5, {}),
    "mb_2007_12": (lambda x, y: -x + x * y + 10 * y**2, lambda x, y: -x * y**2 + 0.5 * y**4, 0.0, {}),
    "mb_2007_13": (lambda x, y: x - y, lambda x, y: 0.5 * x * y**2 - x**3 * y, -1.0, {}),
    "mb_2007_14": (lambda x, y: (x - 0.25) ** 2 + y**2, lambda x, y: y**3 / 3 - x * y, 0.25, {}),
    "mb_2007_15": (lambda x, y: x + y, lambda x, y: 0.5 * x * y**2 - y**3 / 3, 0.0, {}),
    "mb_2007_16": (lambda x, y: 2 * x + y, lambda x, y: -0.5 * x * y**2 - y**4 / 4, -2.0, {}),
    "mb_2007_17": (lambda x, y: (x + 0.5) ** 2 + 0.5 * y**2, lambda x, y: 0.5 * x * y**2 + y**4 / 4, 0.1875, {}),
    "mb_2007_18": (lambda x, y: -(x**2) + y**2, lambda x, y: x * y**2 - 0.5 * y**4, -1.0, {}),
    "mb_2007_20": (lambda x, y: (x - 0.25) ** 2 + y**2, lambda x, y: -(x**2) * y + y**3 / 3, 0.3125, {}),
    "ka_2014_01": (lambda x, y: x - y, lambda x, y: 0.5 * x * y**2 - x * y**3, -1.0, {}),
}
"""Mitsos and Barton, A test set for bilevel programs (2006, 2007); Kleniati and Adjiman 2014."""


@pytest.mark.parametrize("name", MITSOS_BARTON)
def test_the_published_optimum_is_proven(name: str) -> None:
    leader, follower, best, bounds = MITSOS_BARTON[name]
    run, _ = search(square(leader, follower, **bounds), "bilevel x\nmin f y\n")
    assert run.termination is Termination.OPTIMAL
    assert run.objective == pytest.approx(best, abs=1e-3)
    assert run.bound is not None
    assert run.bound <= best + 1e-6
    assert run.objective - run.bound <= 1.01e-4 * max(1, abs(best))


def mirrlees() -> Any:
    m = square(lambda x, y: (x - 2) ** 2 + (y - 1) ** 2, lambda x, y: -x * pyo.exp(-((y + 1) ** 2)) - pyo.exp(-((y - 1) ** 2)))
    m.x.setlb(-3)
    m.x.setub(3)
    m.y.setlb(-2)
    m.y.setub(2)
    return m


def test_mirrlees_is_not_what_the_kkt_conditions_say() -> None:
    run, values = search(mirrlees(), "bilevel x\nmin f y\n")
    assert run.objective == pytest.approx(1.0018059, abs=1e-5)
    assert values["x"] == pytest.approx(1, abs=1e-5)
    assert "epsilon-optimal" in run.epsilon


def test_a_leader_and_a_follower_that_maximise() -> None:
    """mb_2007_14 upside down."""
    model = square(lambda x, y: -((x - 0.25) ** 2) - y**2, lambda x, y: x * y - y**3 / 3, sense=pyo.maximize)
    run, values = search(model, "bilevel x\nmax f y\n")
    assert run.objective == pytest.approx(-0.25, abs=1e-3)
    assert values["y"] == pytest.approx(0.5, abs=1e-3)


def test_units_of_the_objectives_do_not_matter() -> None:
    small, large = 1e-4, 1e3
    model = square(lambda x, y: small * ((x - 0.25) ** 2 + y**2), lambda x, y: large * (y**3 / 3 - x * y))
    run, values = search(model, "bilevel x\nmin f y\n")
    assert run.objective == pytest.approx(0.25 * small, rel=1e-3)
    assert values["x"] == pytest.approx(0.25, abs=1e-2)


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 8))])
def test_random_followers_of_one_variable_agree_with_a_grid(seed: int) -> None:
    """min c (x, y) over x in [-1, 1], y a global minimum of a random polynomial; the grid brackets the optimum."""
    random = np.random.default_rng(seed)
    a = random.integers(-8, 9, 6) / 4.0

    def follower(x: Any, y: Any) -> Any:
        return (1 + abs(a[0])) * y**4 + a[1] * y**3 + a[2] * y**2 + a[3] * x * y + a[4] * x * y**2 + 0.3 * y

    def leader(x: Any, y: Any) -> Any:
        return (x - a[5] / 4) ** 2 + y

    run, _ = search(square(leader, follower), "bilevel x\nmin f y\n")
    y = np.linspace(-1, 1, 2001)
    grid = min(float(leader(x, y[int(np.argmin(follower(x, y)))])) for x in np.linspace(-1, 1, 2001))
    assert run.termination is Termination.OPTIMAL
    assert run.objective == pytest.approx(grid, abs=3e-3)


def test_of_answers_that_tie_the_leader_gets_its_own() -> None:
    """Both valleys of (y**2 - 1/4)**2 are as deep: the optimistic leader takes y = 1/2."""
    run, values = search(square(lambda x, y: (x - y) ** 2 - y, lambda x, y: (y**2 - 0.25) ** 2), "bilevel x\nmin f y\n")
    assert run.objective == pytest.approx(-0.5, abs=1e-3)
    assert values["y"] == pytest.approx(0.5, abs=1e-2)


def test_a_follower_that_is_infeasible_for_some_decisions() -> None:
    """y = -sqrt(x) for x >= 0: x - sqrt(x)/10 is least at x = 1/400."""
    model = square(lambda x, y: x + 0.1 * y, lambda x, y: -(y**2) + 0.1 * y, row=lambda x, y: y**2 <= x)
    run, values = search(model, "bilevel x\nmin f y r\n")
    assert run.objective == pytest.approx(-0.0025, abs=1e-5)
    assert values["x"] == pytest.approx(0.0025, abs=1e-4)


def test_a_follower_that_is_infeasible_everywhere() -> None:
    run, _ = search(square(lambda x, y: x, lambda x, y: -(y**2), row=lambda x, y: y**2 + x <= -2), "bilevel x\nmin f y r\n")
    assert (run.termination, run.bound) == (Termination.INFEASIBLE, None)


def test_a_follower_that_is_unbounded_for_some_decisions() -> None:
    """x*y**2 has a least value for x >= 0 only, which is 0."""
    model = square(lambda x, y: x + y**2, lambda x, y: x * y**2)
    model.y.setlb(None)
    model.y.setub(None)
    run, values = search(model, "bilevel x\nmin f y\n")
    assert run.objective == pytest.approx(0, abs=1e-6)
    assert values["x"] == pytest.approx(0, abs=1e-4)


def test_a_follower_that_is_unbounded_everywhere_has_no_answer() -> None:
    model = square(lambda x, y: x + y**2, lambda x, y: y**3 + x)
    model.y.setlb(None)
    model.y.setub(None)
    run, values = search(model, "bilevel x\nmin f y\n", time_limit=20)
    assert run.termination in (Termination.LIMIT, Termination.INFEASIBLE)
    assert not values


def test_no_constraint_qualification_is_needed() -> None:
    """Dempe and Dutta 2012: y = 0 always, so (x - 1)**2 + y**2 is 0; no KKT multiplier exists there."""
    run, _ = search(
        square(lambda x, y: (x - 1) ** 2 + y**2, lambda x, y: x**2 * y, row=lambda x, y: y**2 <= 0), "bilevel x\nmin f y r\n"
    )
    assert run.objective == pytest.approx(0, abs=1e-4)


def steps(lower: float) -> Any:
    """The follower rounds x down."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(lower, 4.5))
    m.y = pyo.Var(bounds=(0, 5), domain=pyo.Integers)
    m.leader = pyo.Objective(expr=-m.x + 2 * m.y)
    m.f = pyo.Expression(expr=m.y)
    m.r = pyo.Constraint(expr=m.y <= m.x)
    return m


def test_a_best_value_that_is_not_attained_is_said_to_be_none() -> None:
    """-x + 2 floor(x) on [2.5, 4.5] is near 1 for x just below 3, and 3 there."""
    run, values = search(steps(2.5), "bilevel x\nmax f y r\n")
    assert run.bound == pytest.approx(1, abs=1e-4)
    assert run.objective == pytest.approx(1, abs=2e-4)
    assert 2.99 < values["x"] < 3
    assert "not attained" in run.epsilon


def test_each_follower_has_its_own_cuts() -> None:
    m = square(lambda x, y: (x - 0.25) ** 2 + y**2, lambda x, y: y**3 / 3 - x * y)
    m.z = pyo.Var(bounds=(-1, 1))
    m.g = pyo.Expression(expr=-((m.z - 0.25 * m.y) ** 2))
    m.leader.set_value(m.leader.expr + m.z)
    run, values = search(m, "bilevel x\nmin f y\nmin g z\n")
    # z is at the bound farther from y/4: for y >= 0 that is -1.
    assert run.objective == pytest.approx(-0.75, abs=1e-3)
    assert values["z"] == pytest.approx(-1, abs=1e-6)


def test_followers_without_an_equilibrium_are_infeasible() -> None:
    """Matching pennies."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y, m.z = pyo.Var(domain=pyo.Binary), pyo.Var(domain=pyo.Binary)
    m.leader = pyo.Objective(expr=m.x)
    m.f, m.g = pyo.Expression(expr=(m.y - m.z) ** 2), pyo.Expression(expr=-((m.y - m.z) ** 2))
    run, _ = search(m, "bilevel x\nmin f y\nmin g z\n")
    assert run.termination is Termination.INFEASIBLE


def test_the_time_limit_is_kept_and_the_bound_told(capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = search(mirrlees(), "bilevel x\nmin f y\n", time_limit=1e-3, verbose=True)
    assert run.termination is Termination.LIMIT
    assert not capsys.readouterr().out


def test_rounds_are_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    search(square(lambda x, y: x, lambda x, y: (y - x) ** 2), "bilevel x\nmin f y\n", verbose=True)
    assert "round    1" in capsys.readouterr().err
