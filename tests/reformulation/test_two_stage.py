from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.kkt import speaking_of
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.two_stage import AGAIN, FIRST, OTHERWISE, TwoStage, budget_for
from bilevel_lang.solvers.program_reading import sense_of
from bilevel_lang.solvers.solver import SolverRun, Termination


class Script:
    """Stands for a search: gives the runs in turn and keeps the options it was called with."""

    def __init__(self, *runs: SolverRun | Exception) -> None:
        self.runs = list(runs)
        self.seen: list[Options] = []

    def __call__(self, options: Options) -> SolverRun:
        self.seen.append(options)
        run = self.runs.pop(0)
        if isinstance(run, Exception):
            raise run
        return run


def model(sense: Any = pyo.minimize) -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.o = pyo.Objective(expr=m.x, sense=sense)
    return m


def run(termination: Termination, m: Any, x: float | None = None, **extra: Any) -> SolverRun:
    values = None if x is None else ComponentMap([(m.x, x)])
    return SolverRun(termination, extra.pop("solver", "S 1"), values=values, objective=x, **extra)


def plan(m: Any, globally: Script, locally: Script, twin: Any, again: bool, local_first: bool = False) -> TwoStage:
    return TwoStage(sense_of(m), globally, lambda known: speaking_of(m, locally), "scholtes", again, local_first)


@pytest.mark.parametrize(
    "termination", [Termination.OPTIMAL, Termination.INFEASIBLE, Termination.UNBOUNDED, Termination.INTERRUPTED]
)
def test_what_the_global_search_settles_is_final(termination: Termination) -> None:
    m = model()
    globally = Script(run(termination, m, 1.0))
    assert plan(m, globally, Script(), model(), True)(Options()).termination is termination
    assert globally.seen[0].time_limit == FIRST


def test_a_local_answer_comes_on_the_models_own_variables_with_the_global_bound() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m, bound=-2.0, seconds=10.0, solver="G 1"))
    locally = Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0, solver="L 1"))
    found = plan(m, globally, locally, twin, False)(Options())
    assert found.termination is Termination.LOCALLY_OPTIMAL
    assert found.values is not None
    assert found.values[m.x] == 1.0
    assert (found.objective, found.bound) == (1.0, -2.0)
    assert "no global proof within 10 s" in found.message


@pytest.mark.parametrize(("sense", "better"), [(pyo.minimize, 0.5), (pyo.maximize, 1.5)])
def test_the_better_of_two_points_wins_in_the_sense_of_the_objective(sense: Any, better: float) -> None:
    m, twin = model(sense), model(sense)
    found = plan(m, Script(run(Termination.LIMIT, m, better)), Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0)), twin, False)(
        Options()
    )
    assert found.objective == better
    assert found.termination is not Termination.OPTIMAL


def test_a_broken_global_search_hands_over_and_its_words_are_kept() -> None:
    m, twin = model(), model()
    found = plan(m, Script(SolverFailedError("LP went wrong")), Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0)), twin, False)(
        Options()
    )
    assert found.objective == 1.0
    assert "LP went wrong" in found.message


def test_a_second_global_search_begins_from_the_local_answer() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m), run(Termination.OPTIMAL, m, 1.0, bound=1.0))
    found = plan(m, globally, Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0)), twin, True)(Options())
    assert found.termination is Termination.OPTIMAL
    assert globally.seen[1].time_limit == AGAIN
    assert globally.seen[1].solver_options["start"][m.x] == 1.0


@pytest.mark.parametrize(("bound", "limit", "searches"), [(0.97, None, 2), (0.5, None, 1), (0.97, 30.0, 1), (None, None, 1)])
def test_curved_rows_are_searched_again_only_where_the_bound_is_close_and_time_is_not_short(
    bound: float | None, limit: float | None, searches: int
) -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m, bound=bound), run(Termination.OPTIMAL, m, 1.0, bound=1.0))
    found = plan(m, globally, Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0)), twin, False)(Options(time_limit=limit))
    assert len(globally.seen) == searches
    assert found.termination is (Termination.OPTIMAL if searches == 2 else Termination.LOCALLY_OPTIMAL)


def test_the_stages_share_the_time_limit() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m, seconds=2.0), run(Termination.LIMIT, m, seconds=1.0))
    locally = Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0, seconds=1.0))
    plan(m, globally, locally, twin, True)(Options(time_limit=6.0))
    assert globally.seen[0].time_limit == 2.0
    assert locally.seen[0].time_limit == 2.0
    assert globally.seen[1].time_limit == 3.0


def test_ctrl_c_in_the_local_search_ends_the_plan() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m))
    found = plan(m, globally, Script(run(Termination.INTERRUPTED, twin, 1.0)), twin, True)(Options())
    assert found.termination is Termination.INTERRUPTED
    assert found.objective == 1.0
    assert len(globally.seen) == 1


def test_where_any_point_will_do_the_local_search_goes_first() -> None:
    m, twin = model(), model()
    found = plan(m, Script(), Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0)), twin, False, local_first=True)(Options())
    assert found.values is not None
    assert (found.values[m.x], found.encoding) == (1.0, "scholtes")


def test_a_local_search_that_finds_no_point_hands_over_to_the_global_one() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.OPTIMAL, m, 2.0, seconds=1.0))
    locally = Script(run(Termination.LOCALLY_INFEASIBLE, twin))
    found = plan(m, globally, locally, twin, False, local_first=True)(Options())
    assert (found.termination, found.objective, found.encoding) == (Termination.OPTIMAL, 2.0, None)


def test_an_interrupt_of_the_local_search_is_not_followed_by_another_search() -> None:
    m, twin = model(), model()
    globally = Script()
    found = plan(m, globally, Script(run(Termination.INTERRUPTED, twin)), twin, False, local_first=True)(Options())
    assert found.termination is Termination.INTERRUPTED
    assert globally.seen == []


def test_the_global_search_after_a_local_one_has_what_is_left_of_the_time() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.OPTIMAL, m, 2.0))
    locally = Script(run(Termination.LIMIT, twin, seconds=12.0))
    plan(m, globally, locally, twin, False, local_first=True)(Options(time_limit=20.0))
    assert globally.seen[0].time_limit == pytest.approx(8.0)
    # The local search must not use up everything, or nothing would be left to hand over to.
    assert locally.seen[0].time_limit == pytest.approx(10.0)


def test_a_local_solver_that_breaks_down_does_not_take_the_incumbent_with_it() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m, 3.0, bound=1.0))
    found = plan(m, globally, Script(SolverFailedError("out of memory")), twin, False)(Options())
    assert (found.objective, found.bound) == (3.0, 1.0)
    assert "out of memory" in found.message


def test_options_of_the_global_solver_are_not_handed_to_the_local_one() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m))
    locally = Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0))
    plan(m, globally, locally, twin, False)(Options(solver_options={"limits/nodes": 5}))
    assert globally.seen[0].solver_options == {"limits/nodes": 5}
    assert locally.seen[0].solver_options == {}


def test_a_late_claim_that_there_is_no_point_does_not_lose_the_one_that_is_known() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m), run(Termination.INFEASIBLE, m))
    locally = Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0))
    found = plan(m, globally, locally, twin, True)(Options())
    assert found.termination is Termination.LOCALLY_OPTIMAL and found.objective == 1.0
    assert any("a point is known" in doubt for doubt in found.doubts)


def test_another_local_search_follows_one_that_finds_nothing() -> None:
    m, twin = model(), model()
    globally = Script(run(Termination.LIMIT, m, seconds=2.0))
    locally, other = Script(run(Termination.FAILED, twin, seconds=1.0)), Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0))
    both = TwoStage(1.0, globally, lambda known: locally, "scholtes", False, otherwise=lambda known: speaking_of(m, other))
    found = both(Options(time_limit=6.0))
    assert (found.objective, found.encoding) == (1.0, OTHERWISE)
    assert other.seen[0].time_limit == 3.0


def test_no_other_local_search_after_one_with_a_point_or_without_time() -> None:
    m, twin = model(), model()
    other = Script()
    locally = Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0), run(Termination.LIMIT, twin, seconds=9.0))
    globally = Script(run(Termination.LIMIT, m), run(Termination.LIMIT, m))
    both = TwoStage(1.0, globally, lambda known: speaking_of(m, locally), "scholtes", False, False, lambda known: other)
    assert both(Options()).objective == 1.0
    assert both(Options(time_limit=6.0)).values is None
    assert other.seen == []


@pytest.mark.parametrize("incumbent", [0.5, 1.5])
def test_the_point_that_is_not_given_is_kept_as_another(incumbent: float) -> None:
    m, twin = model(), model()
    runner_up = run(Termination.LOCALLY_OPTIMAL, twin, 2.0)
    locally = Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0, others=(runner_up,)))
    found = plan(m, Script(run(Termination.LIMIT, m, incumbent)), locally, twin, False)(Options())
    every = {each.values[m.x] for each in (found, *found.others) if each.values is not None}
    assert every == {incumbent, 1.0, 2.0}
    assert found.objective == min(incumbent, 1.0)


def test_the_local_search_is_told_what_the_global_one_has_found() -> None:
    m, twin = model(), model()
    told: list[Any] = []

    def prepare(known: ComponentMap | None) -> Any:
        told.append(None if known is None else known[m.x])
        return speaking_of(m, Script(run(Termination.LOCALLY_OPTIMAL, twin, 1.0)))

    for incumbent in (7.0, None):
        TwoStage(1.0, Script(run(Termination.LIMIT, m, incumbent)), prepare, "scholtes", False)(Options())
    assert told == [7.0, None]


def test_a_large_problem_has_more_time_for_its_first_search() -> None:
    assert budget_for(100) == budget_for(20_000) == FIRST and budget_for(400_000) == 20 * FIRST
    m = model()
    globally = Script(run(Termination.OPTIMAL, m, 1.0), run(Termination.OPTIMAL, m, 1.0))
    both = TwoStage(1.0, globally, lambda known: speaking_of(m, Script()), "scholtes", False, budget=70.0)
    both(Options())
    both(Options(time_limit=30.0))
    assert [o.time_limit for o in globally.seen] == [70.0, 10.0]
