from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity.finish import Budget
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Status
from bilevel_lang.solvers.ipopt import CompiledNlp
from bilevel_lang.solvers.solver import SolverRun, Termination
from tests.reformulation.problems import follow, pairs, plain

pytest.importorskip("casadi")


def run(m: Any, annotation: str = "", **options: Any) -> tuple[Any, SolverRun]:
    made = bl.reformulate(m, annotation, encoding="scholtes", **options)
    return made, made.run(Options(**options))


def test_the_best_end_point_wins_and_is_a_local_optimum() -> None:
    _, found = run(pairs(), starts=4)
    assert found.termination is Termination.LOCALLY_OPTIMAL
    assert found.objective == pytest.approx(1.0, abs=1e-6)
    assert found.bound is None
    assert "4 of 4 starts converged" in found.message


def test_a_maximisation_takes_the_largest() -> None:
    m = pairs()
    m.leader.set_value(-m.leader.expr)
    m.leader.sense = -1
    _, found = run(m, starts=4)
    assert found.objective == pytest.approx(-1.0, abs=1e-6)


def test_a_time_limit_before_the_first_step_gives_no_point() -> None:
    _, found = run(follow(), "bilevel x\nmin f y c", time_limit=1e-9)
    assert found.termination is Termination.LIMIT
    assert found.values is None


def interrupted_after(monkeypatch: pytest.MonkeyPatch, steps: int, termination: Termination) -> None:
    """Let ``steps`` solves through and stop the following ones, up to the pieces that are solved at the end."""
    solve = CompiledNlp.solve
    count = 0

    def stopped(self: CompiledNlp, start: Any = None, parameters: Any = None, options: Any = None) -> Any:
        nonlocal count
        count += 1
        result = solve(self, start, parameters, options)
        return replace(result, termination=termination) if count > steps and parameters is not None else result

    monkeypatch.setattr(CompiledNlp, "solve", stopped)


@pytest.mark.parametrize("steps", [3, 7])
def test_an_interrupted_run_keeps_the_best_point(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    # After 3 steps no descent is finished, after 7 the first one is.
    interrupted_after(monkeypatch, steps, Termination.INTERRUPTED)
    _, found = run(follow(), "bilevel x\nmin f y c")
    assert found.termination is Termination.INTERRUPTED
    assert found.objective == pytest.approx(2.75, abs=1e-5)


def test_a_run_out_of_time_keeps_the_best_point(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_after(monkeypatch, 2, Termination.LIMIT)
    clock = iter([0.0] * 8 + [100.0] * 1000)
    monkeypatch.setattr(f"{Budget.__module__}.time.perf_counter", lambda: next(clock))
    _, found = run(follow(), "bilevel x\nmin f y c", time_limit=10.0)
    assert found.termination is Termination.LIMIT
    assert found.objective == pytest.approx(2.75, abs=1e-5)


def test_ctrl_c_before_anything_was_found_gives_no_point(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_after(monkeypatch, 0, Termination.INTERRUPTED)
    solution = bl.solve(follow(), "bilevel x\nmin f y c", encoding="scholtes")
    assert solution.status is Status.INTERRUPTED
    assert solution.point is None
    assert solution.exit_code == 130


def test_an_infeasible_problem_is_not_called_infeasible() -> None:
    m = plain()
    m.c = pyo.Constraint(expr=m.y >= 11 + m.x)
    solution = bl.solve(m, "bilevel x\nmin f y c", encoding="scholtes", starts=2)
    assert solution.status is Status.UNKNOWN
    assert solution.point is None


def test_the_model_is_as_before_after_a_run() -> None:
    made, _ = run(follow(), "bilevel x\nmin f y c", starts=1)
    assert made.model.encoding.product.active
    assert all(v.ub is None for v in made.model.encoding.slack.values())
    assert made.run(Options(starts=1)).objective == pytest.approx(2.75, abs=1e-6)


def test_a_step_that_stops_at_a_point_is_gone_on_from_and_only_its_piece_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ipopt's words are changed to "too many iterations" for every step but the pieces, which are solved without parameters."""
    solve = CompiledNlp.solve

    def unconverged(self: CompiledNlp, start: Any = None, parameters: Any = None, options: Any = None) -> Any:
        found = solve(self, start, parameters, options)
        return found if parameters is None else replace(found, termination=Termination.LIMIT)

    monkeypatch.setattr(CompiledNlp, "solve", unconverged)
    _, found = run(pairs(), starts=4)
    assert found.objective == pytest.approx(1.0, abs=1e-6) and "0 of 4 starts converged" in found.message
    monkeypatch.setattr(CompiledNlp, "solve", lambda *given, **named: replace(unconverged(*given, **named), violation=1.0))
    _, found = run(pairs(), starts=2)
    assert found.values is None
