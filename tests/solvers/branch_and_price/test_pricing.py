from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.solvers.branch_and_price.form import BlockForm, block_form
from bilevel_lang.solvers.branch_and_price.pricing import Box, priced
from tests.solvers.branch_and_price.programs import assignment, known, mixed


def whole(form: BlockForm) -> Box:
    """The box of all answers."""
    program = form.program
    lower, upper = form.bounds(program.lower, program.upper, program.row_lower, program.row_upper)
    sides = program.row_lower[form.linking], program.row_upper[form.linking]
    return Box(lower, upper, np.append(sides[0], -np.inf), np.append(sides[1], np.inf))


@pytest.mark.parametrize("seed", range(8))
def test_any_duals_prove_a_bound(seed: int) -> None:
    program = assignment(seed) if seed % 2 else mixed(seed)
    form = block_form(program)
    assert form is not None
    best, draw = known(program), np.random.default_rng(seed)
    room = form.knapsacks.room(program.row_lower, program.row_upper)
    for _ in range(10):
        found = priced(form, program.cost, whole(form), room, draw.normal(5, 15, form.matrix.shape[0]))
        assert best.status != 0 or found.bound <= best.fun + 1e-6
        weight = (found.chosen * form.knapsacks.weights).sum(axis=1)
        assert (weight <= room).all()


def test_forced_items_are_in_the_pattern_and_shut_ones_are_not() -> None:
    form = block_form(assignment(0))
    assert form is not None
    program, box = form.program, whole(form)
    room = np.array([60, 60, 60])
    duals = np.append(np.full(5, 100.0), 0.0)
    all_in = priced(form, program.cost, box, room, duals)
    assert all_in.chosen.all()
    box.lower[form.knapsacks.items[0, 2]] = 1.0
    box.upper[form.knapsacks.items[1, 3]] = 0.0
    found = priced(form, program.cost, box, room, np.zeros(6))
    assert np.argwhere(found.chosen).tolist() == [[0, 2]]
    assert found.values.tolist() == [program.cost[form.knapsacks.items[0, 2]], 0, 0]
    assert not priced(form, program.cost, box, room, duals).chosen[1, 3]
    assert priced(form, program.cost, box, np.array([1, 60, 60]), duals).bound == np.inf


def test_the_bound_is_the_sum_of_its_parts() -> None:
    form = block_form(assignment(3))
    assert form is not None
    room = form.knapsacks.room(form.program.row_lower, form.program.row_upper)
    # The last row only counts: it has no sides, and its multiplier is none.
    found = priced(form, form.program.cost, whole(form), room, np.append(np.full(5, 50.0), 3.0))
    assert found.duals.tolist() == [50.0] * 5 + [0.0]
    # What is left out costs 40 and is worth 50.
    assert found.rest == pytest.approx(-50)
    assert found.bound == pytest.approx(250 - 50 + found.values.sum())
