from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.continuous.policies import EPSILON
from bilevel_lang.reformulation.value_function.continuous.search import APPROACHED, NOT_ATTAINED, SOLVERS, _Search, find_optimum
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.follower import OutOfTimeError
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.value_function.continuous.enumeration import (
    Infimum,
    infimum,
    on_a_grid,
    solutions_on_a_grid,
    with_continuous_column,
    with_continuous_columns_of_both,
)
from tests.reformulation.value_function.continuous.programs import koeppe, mixed, moore90_continuous, stairs
from tests.reformulation.value_function.integer.enumeration import best_by_enumeration
from tests.reformulation.value_function.integer.programs import INF, program

both = pytest.mark.parametrize("solver", list(SOLVERS))


def compare(tiny: BilevelProgram, known: Infimum | None, solver: str) -> None:
    found = find_optimum(tiny, solver, Options())
    if known is None:
        assert found.run.termination is Termination.INFEASIBLE
        return
    size = max(1.0, abs(known.value))
    assert found.run.termination is Termination.OPTIMAL
    assert found.run.bound == pytest.approx(known.value, abs=1e-7 * size)
    off = tiny.relaxation.sense * (found.run.objective - known.value)
    assert -1e-7 * size <= off <= (APPROACHED if found.epsilon else 1e-7) * size
    # "Perhaps": where two decisions have the best value, the search may have come upon the one that does not attain it.
    assert known.attained or NOT_ATTAINED in found.epsilon


def on_grid(seed: int, solver: str) -> None:
    whole, tied = on_a_grid(seed)
    best = best_by_enumeration(whole)
    compare(tied, None if best is None else Infimum(best, attained=True), solver)


def by_pieces(seed: int, solver: str) -> None:
    tiny = with_continuous_column(seed)
    compare(tiny, infimum(tiny), solver)


@pytest.mark.parametrize(("solver", "seed"), [("scip", s) for s in range(25)] + [("highs", s) for s in range(25, 65)])
def test_continuous_links_on_a_grid_against_enumeration(solver: str, seed: int) -> None:
    on_grid(seed, solver)


@pytest.mark.parametrize(("solver", "seed"), [("scip", s) for s in range(100, 125)] + [("highs", s) for s in range(125, 165)])
def test_a_continuous_link_against_the_pieces_of_its_interval(solver: str, seed: int) -> None:
    by_pieces(seed, solver)


def both_continuous(seed: int, solver: str) -> None:
    tiny = with_continuous_columns_of_both(seed)
    answer, sense = find_optimum(tiny, solver, Options()), tiny.relaxation.sense
    found = answer.run
    best = min((sense * value for value in solutions_on_a_grid(tiny)), default=None)
    if found.termination is Termination.INFEASIBLE:
        assert best is None
        return
    assert found.termination is Termination.OPTIMAL
    if best is not None:
        # The grid has solutions only, and misses the best one by less than its step times the slopes, which are at most 8.
        # A bound that leaves out decisions off a row by less than epsilon may be beyond one of those, by epsilon times a slope.
        slack = APPROACHED if answer.epsilon else 1e-6
        assert sense * found.bound - slack <= best <= sense * found.objective + 0.2


@pytest.mark.parametrize(("solver", "seed"), [("scip", s) for s in range(200, 210)] + [("highs", s) for s in range(210, 230)])
def test_continuous_columns_of_both_against_a_fine_grid(solver: str, seed: int) -> None:
    both_continuous(seed, solver)


@pytest.mark.slow
@pytest.mark.parametrize("solver", list(SOLVERS))
@pytest.mark.parametrize("hundred", range(10, 25))
def test_thousands_against_enumeration(solver: str, hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        on_grid(seed, solver)
        by_pieces(seed, solver)
        if seed % 5 == 0:
            both_continuous(seed, solver)


def test_the_pieces_know_what_is_not_attained() -> None:
    assert infimum(koeppe()) == Infimum(-1.0, attained=False)
    assert infimum(stairs()) == Infimum(1.5, attained=True)


@both
@pytest.mark.parametrize(("made", "best"), [(koeppe, -1.0), (moore90_continuous, -22.5)])
def test_an_infimum_that_nothing_attains_is_named(made: object, best: float, solver: str) -> None:
    found = find_optimum(made(), solver, Options())  # type: ignore[operator]
    assert found.run.termination is Termination.OPTIMAL
    assert found.run.bound == pytest.approx(best, abs=1e-9)
    assert best < found.run.objective <= best + 1e-4 * abs(best)
    assert NOT_ATTAINED in found.epsilon
    assert f"epsilon = {EPSILON:g}" in found.epsilon


@both
@pytest.mark.parametrize(("sense", "best"), [(1, 1.5), (-1, 7.5)])
def test_a_row_of_the_leader_at_every_limit(sense: int, best: float, solver: str) -> None:
    found = find_optimum(stairs(sense), solver, Options())
    assert (found.run.objective, found.epsilon) == (pytest.approx(best), "")


def test_rules_of_a_follower_with_continuous_columns_which_alone_bound_the_leader() -> None:
    found = find_optimum(mixed(), "scip", Options())
    assert found.run.objective == pytest.approx(6.0, abs=1e-6)
    assert found.epsilon == ""
    # Rules, of which there are few, and not an answer for each decision.
    assert (found.run.cuts or 0) <= 12


def test_constants_that_highs_cannot_have_are_refused() -> None:
    with pytest.raises(RefusedError, match="use --solver scip"):
        find_optimum(mixed(), "highs", Options())


@both
def test_an_unbounded_follower_has_no_answer(solver: str) -> None:
    endless = program([1, 0], [[-1, 1]], [(0, INF)], [-1], [(0, 3), (0, INF)], integer=[False, True])
    assert find_optimum(endless, solver, Options()).run.termination is Termination.INFEASIBLE


@both
def test_an_unbounded_relaxation_is_told(solver: str) -> None:
    loose = program([-1, 0], [[-1, 1]], [(0, INF)], [1], [(0, INF), (0, INF)], integer=[False, True])
    found = find_optimum(loose, solver, Options())
    assert found.run.termination is Termination.INFEASIBLE_OR_UNBOUNDED
    assert "give the leader's variables bounds" in found.run.message


@both
def test_a_limit_gives_the_best_point_and_a_bound(solver: str) -> None:
    random = np.random.default_rng(3)
    n = 12
    rows = random.integers(1, 50, (n, 2 * n)).astype(float)
    hard = program(
        list(-random.integers(1, 50, 2 * n).astype(float)),
        [list(r) for r in rows],
        [(-INF, float(r.sum() * 20)) for r in rows],
        list(random.integers(1, 50, n).astype(float) * random.choice([-1, 1], n)),
        [(0, 100)] * (2 * n),
        integer=[False] * n + [True] * n,
    )
    found = find_optimum(hard, solver, Options(time_limit=0.7)).run
    assert found.termination in (Termination.LIMIT, Termination.OPTIMAL)
    if found.objective is not None and found.bound is not None:
        assert found.bound <= found.objective + 1e-6


def test_a_limit_before_the_end_leaves_the_bound_that_needs_no_witness(monkeypatch: pytest.MonkeyPatch) -> None:
    # Koeppe's example with x = k / 4: x = 0 touches y = 0's limit at -1, and has no neighbour; -3/4 at x = 1/4 is the optimum.
    rows, sides = [[-1.0, 0.0, 1.0], [1.0, -0.25, 0.0]], [(0, INF), (0, 0)]
    grid = program([1, 0, -1], rows, sides, [1], [(0, 1), (0, 4), (0, 1)], own=1, integer=[False, True, True])
    whole = find_optimum(grid, "highs", Options())
    assert (whole.run.objective, whole.run.bound, whole.epsilon) == (pytest.approx(-0.75), pytest.approx(-0.75), "")
    monkeypatch.setattr(_Search, "_checked", _out_of_time)
    stopped = find_optimum(grid, "highs", Options()).run
    assert (stopped.termination, stopped.objective) == (Termination.LIMIT, pytest.approx(-0.75))
    assert stopped.bound == pytest.approx(-1.0)


def _out_of_time(*_: object) -> None:
    raise OutOfTimeError("now")
