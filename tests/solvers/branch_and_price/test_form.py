from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.solvers.branch_and_price.form import block_form
from tests.solvers.branch_and_price.programs import assignment, mixed, turned


def test_rows_are_knapsacks_bounds_or_linking_and_one_counts_the_penalties() -> None:
    program = mixed(0)
    form = block_form(program)
    assert form is not None
    assert form.knapsacks.rows.tolist() == [0, 1, 2]
    assert form.single.tolist() == list(range(8, 23))
    assert form.linking.tolist() == [3, 4, 5, 6, 7, 23, 24, 25, 26]
    assert form.free.tolist() == list(range(15, 23))
    assert form.counts == 1
    counted = np.flatnonzero(form.matrix.toarray()[-1])
    assert counted.tolist() == list(range(15, 20))
    assert (program.cost[counted] == 40).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_rows_of_one_column_are_bounds_rounded_inwards(sign: int) -> None:
    program = assignment(0) if sign > 0 else turned(assignment(0))
    form = block_form(program)
    assert form is not None
    low, up = np.full(program.rows, -np.inf), np.full(program.rows, np.inf)
    sides = [(0.2, 1.0), (-1.0, 0.9), (0.0, 0.0), (0.7, 0.3)]
    for row, (a, b) in zip(range(8, 12), sides, strict=True):
        low[row], up[row] = (a, b) if sign > 0 else (-b, -a)
    lower, upper = form.bounds(program.lower, program.upper, low, up)
    assert list(zip(lower[:5], upper[:5], strict=True)) == [(1, 1), (0, 0), (0, 0), (1, 0), (0, 1)]


def test_without_knapsacks_there_is_no_form() -> None:
    program = assignment(0)
    assert block_form(replace(program, integer=np.zeros(program.columns, dtype=bool))) is None
    # One knapsack of three is fewer than half of the whole columns.
    upper = program.upper.copy()
    upper[5:15] = 2.0
    assert block_form(replace(program, upper=upper)) is None
