from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.solvers.branch_and_price.knapsacks import MOST, fillings, knapsacks_of
from tests.solvers.branch_and_price.programs import assignment, turned


@pytest.mark.parametrize("seed", range(6))
def test_every_filling_is_the_best_of_all(seed: int) -> None:
    draw = np.random.default_rng(seed)
    profits, weights = draw.normal(1, 3, (4, 6)), draw.integers(1, 8, (4, 6))
    usable, room = draw.random((4, 6)) < 0.8, draw.integers(-1, 20, 4)
    values, chosen = fillings(profits, weights, usable, room)
    for k in range(4):
        every = np.array(list(itertools.product([0, 1], repeat=6)))
        fits = ((every @ weights[k]) <= room[k]) & (every[:, ~usable[k]] == 0).all(axis=1)
        best = (every[fits] @ profits[k]).max(initial=0.0)
        assert values[k] == pytest.approx(best)
        assert chosen[k] @ profits[k] == pytest.approx(best)
        assert chosen[k] @ weights[k] <= max(room[k], 0)
        assert not chosen[k][~usable[k]].any()


@pytest.mark.parametrize(("whole", "sign"), [(True, 1), (False, 1), (True, -1), (False, -1)])
def test_rooms_are_found_with_whole_weights(whole: bool, sign: int) -> None:
    program = assignment(0, whole=whole)
    program = program if sign > 0 else turned(program)
    found = knapsacks_of(program, sp.csr_matrix(program.matrix))
    assert found is not None
    assert found.rows.tolist() == [0, 1, 2]
    dense = program.matrix.toarray()
    for k in range(3):
        assert found.weights[k] == pytest.approx(dense[k, found.items[k]] * found.factors[k])
    side = program.row_upper[:3] if sign > 0 else program.row_lower[:3]
    assert found.room(program.row_lower, program.row_upper).tolist() == np.rint(side * found.factors).tolist()
    assert found.one_sided(program.row_lower, program.row_upper)


def test_room_is_what_fits_between_nothing_and_everything() -> None:
    program = assignment(0)
    found = knapsacks_of(program, sp.csr_matrix(program.matrix))
    assert found is not None
    upper = program.row_upper.copy()
    upper[:3] = [6.9999999999, np.inf, -5.0]
    assert found.room(program.row_lower, upper).tolist() == [7, found.weights[1].sum(), -1]
    lower = program.row_lower.copy()
    lower[1] = 3.0
    assert not found.one_sided(lower, upper)


def test_what_is_no_knapsack_of_its_own() -> None:
    program = assignment(0)
    matrix = sp.csr_matrix(program.matrix)
    some = program.integer.copy()
    some[0] = False
    found = knapsacks_of(replace(program, integer=some), matrix)
    assert found is not None and found.rows.tolist() == [1, 2]
    twice = sp.csr_matrix(sp.vstack([matrix[0] * 2, matrix]))
    both = replace(
        program, matrix=twice, row_lower=np.append(-np.inf, program.row_lower), row_upper=np.append(9.0, program.row_upper)
    )
    found = knapsacks_of(both, twice)
    assert found is not None and found.rows.tolist() == [0, 2, 3]
    for factor in (np.pi, MOST):
        strange = sp.csr_matrix(sp.vstack([matrix[:3] * factor, matrix[3:]]))
        assert knapsacks_of(replace(program, matrix=strange), strange) is None
