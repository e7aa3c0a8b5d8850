from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.solvers.branch_and_price import search
from bilevel_lang.solvers.hot_blocks import PATIENCE, HotBlocks, hot_milp
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.solvers.branch_and_price.programs import assignment, known, mixed, moved


@pytest.mark.parametrize("seed", range(6))
def test_every_answer_is_that_of_the_program_as_it_is_then(seed: int) -> None:
    base, gap = (assignment, mixed)[seed % 2](seed), (1e-9, 0.03)[seed // 3]
    hot = hot_milp(base, SolverOptions(extra={"mip_rel_gap": gap}))
    assert isinstance(hot, HotBlocks)
    for k in range(5):
        program = moved(base, 10 * seed + k) if k else base
        hot.set_bounds(program.lower, program.upper)
        hot.set_sides(program.row_lower, program.row_upper)
        hot.set_cost(program.cost)
        answer, best = hot.solve(), known(program)
        if best.status == 0:
            assert answer.termination is Termination.OPTIMAL
            assert answer.bound - 1e-6 <= best.fun <= answer.objective + 1e-6
            assert answer.objective - answer.bound <= gap * abs(answer.objective) + 1e-6
        else:
            assert answer.termination is Termination.INFEASIBLE
    assert hot.solves == 5


def test_without_end_and_without_knapsacks() -> None:
    base = mixed(4)
    hot = hot_milp(replace(base, cost=np.append(base.cost[:-2], [0.0, -1.0])), SolverOptions())
    assert isinstance(hot, HotBlocks)
    open_ = np.full(base.rows, np.inf)
    hot.set_sides(-open_, open_)
    assert hot.solve().termination in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED)
    plain = replace(base, integer=np.zeros(base.columns, dtype=bool))
    assert isinstance(hot_milp(plain, SolverOptions()), HotMilp)


def test_what_the_search_leaves_open_is_solved_by_highs_and_soon_all(monkeypatch: pytest.MonkeyPatch) -> None:
    base = assignment(2)
    hot = hot_milp(base, SolverOptions())
    assert isinstance(hot, HotBlocks)
    monkeypatch.setattr(search, "NODES", 0)
    for _ in range(PATIENCE + 4):
        assert hot.solve().objective == pytest.approx(known(base).fun)
    assert PATIENCE <= hot.left_over < PATIENCE + 4


def test_past_the_deadline_nothing_is_solved() -> None:
    hot = hot_milp(assignment(1), SolverOptions(), deadline=time.perf_counter() - 1)
    assert hot.solve().termination is Termination.LIMIT
