from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bilevel_lang.solvers.branch_and_price import search as module
from bilevel_lang.solvers.branch_and_price.form import block_form
from bilevel_lang.solvers.branch_and_price.search import Search
from bilevel_lang.solvers.matrix import MatrixProgram
from tests.solvers.branch_and_price.programs import assignment, known, mixed, moved, turned


def asked(search: Search, program: MatrixProgram, deadline: float | None = None) -> Any:
    """What ``search`` finds for ``program``."""
    bounds, sides = (program.lower, program.upper), (program.row_lower, program.row_upper)
    return search.solve(program.cost, bounds, sides, deadline)


@pytest.mark.parametrize("gap", [1e-9, 0.02])
@pytest.mark.parametrize("seed", range(6))
def test_one_program_after_the_other_is_solved_to_the_gap(seed: int, gap: float) -> None:
    make = [assignment, mixed, lambda s: turned(mixed(s)), lambda s: assignment(s, whole=False)][seed % 4]
    base = make(seed)
    form = block_form(base)
    assert form is not None
    search = Search(form, gap)
    closed = 0
    for k in range(6):
        program = moved(base, 10 * seed + k) if k else base
        found, best = asked(search, program), known(program)
        closed += found.closed
        if best.status != 0:
            assert found.x is None and not found.closed
            continue
        assert found.bound <= best.fun + 1e-6
        if found.x is None:
            continue
        assert found.objective == pytest.approx(program.cost @ found.x)
        assert found.objective >= best.fun - 1e-6
        activity = program.matrix @ found.x
        assert ((activity >= program.row_lower - 1e-6) & (activity <= program.row_upper + 1e-6)).all()
        assert ((found.x >= program.lower - 1e-6) & (found.x <= program.upper + 1e-6)).all()
        assert (found.x[program.integer] == np.rint(found.x[program.integer])).all()
        if found.closed:
            assert found.objective - found.bound <= gap * abs(found.objective) + 1e-8
    assert closed > 0 or seed % 4 in (1, 2)


def test_an_answer_of_before_that_is_good_enough_needs_no_second_search() -> None:
    base = assignment(3, 4, 7)
    form = block_form(base)
    assert form is not None
    search = Search(form, 0.05)
    first = asked(search, base)
    solves = search.master.solves
    again = asked(search, base)
    assert again.closed and again.objective == first.objective
    assert search.master.solves <= solves + 2
    assert len(search.points) == 1


def test_what_was_not_looked_into_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    form = block_form(assignment(2))
    assert form is not None
    late = asked(Search(form, 0.01), form.program, deadline=time.perf_counter() - 1)
    assert not late.closed and late.bound == -np.inf
    monkeypatch.setattr(module, "NODES", 0)
    none = asked(Search(form, 0.01), form.program)
    assert not none.closed and none.bound == -np.inf


def test_bounds_of_items_that_are_not_0_or_1_and_rows_with_two_sides_are_left_to_others() -> None:
    base = assignment(0)
    form = block_form(base)
    assert form is not None
    upper, lower = base.upper.copy(), base.row_lower.copy()
    upper[0] = 2.0
    upper_rows = np.where(np.arange(base.rows) >= 8, 2.0, base.row_upper)
    found = Search(form, 0.01).solve(base.cost, (base.lower, upper), (base.row_lower, upper_rows), None)
    assert not found.closed and found.x is None
    lower[0] = 3.0
    found = Search(form, 0.01).solve(base.cost, (base.lower, base.upper), (lower, base.row_upper), None)
    assert not found.closed and found.x is None


def test_a_bound_without_a_point_holds_and_knows_that_counts_are_whole() -> None:
    above = 0
    for seed in range(2, 7):
        base = [assignment, mixed, lambda s: assignment(s, 4, 8), lambda s: assignment(s, whole=False)][seed % 4](seed)
        form = block_form(base)
        assert form is not None
        search = Search(form, 0.01)
        for k in range(2):
            program = moved(base, 10 * seed + k) if k else base
            best, relaxed = known(program), known(replace(program, integer=np.zeros(program.columns, dtype=bool)))
            asked(search, program)
            sides = (program.row_lower, program.row_upper)
            least = search.least(program.cost, (program.lower, program.upper), sides, None)
            if best.status != 0 or least == -np.inf:
                continue
            assert least <= best.fun + 1e-6
            assert least >= relaxed.fun - 2e-3 * abs(relaxed.fun) - 1e-6
            above += least > relaxed.fun + 1e-2 * abs(relaxed.fun)
        late = search.least(base.cost, (base.lower, base.upper), (base.row_lower, base.row_upper), time.perf_counter() - 1)
        assert late == -np.inf
    assert above > 2
