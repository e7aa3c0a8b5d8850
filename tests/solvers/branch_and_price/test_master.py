from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp

from bilevel_lang.solvers.branch_and_price import master as module
from bilevel_lang.solvers.branch_and_price.form import BlockForm, block_form
from bilevel_lang.solvers.branch_and_price.master import Master
from tests.solvers.branch_and_price.programs import assignment


def every_pattern(form: BlockForm) -> tuple[np.ndarray, np.ndarray]:
    """All that fit the rooms of the program: knapsacks (p,) and what is chosen (p, w)."""
    knapsacks = form.knapsacks
    room = knapsacks.room(form.program.row_lower, form.program.row_upper)
    blocks, chosen = [], []
    for k in range(len(room)):
        for taken in itertools.product([False, True], repeat=knapsacks.items.shape[1]):
            if 0 < np.array(taken) @ knapsacks.weights[k] <= room[k]:
                blocks.append(k)
                chosen.append(taken)
    return np.array(blocks), np.array(chosen)


def opened(master: Master, form: BlockForm) -> None:
    """Sides, bounds and rooms of the program itself."""
    program = form.program
    room = form.knapsacks.room(program.row_lower, program.row_upper)
    master.set_sides(np.append(program.row_lower[form.linking], -np.inf), np.append(program.row_upper[form.linking], np.inf))
    master.set_bounds(program.lower, program.upper, room)


def convexified(form: BlockForm, blocks: np.ndarray, chosen: np.ndarray) -> float:
    """The optimum over convex combinations of the patterns, built with scipy."""
    program, knapsacks = form.program, form.knapsacks
    points = np.zeros((len(blocks), program.columns))
    for p, (k, taken) in enumerate(zip(blocks, chosen, strict=True)):
        points[p, knapsacks.items[k][taken]] = 1.0
    dense = form.matrix[: len(form.linking)].toarray()
    columns = np.hstack([dense[:, form.free], dense @ points.T])
    convex = np.hstack(
        [np.zeros((len(knapsacks.rows), len(form.free))), blocks[None, :] == np.arange(len(knapsacks.rows))[:, None]]
    )
    cost = np.concatenate([program.cost[form.free], points @ program.cost])
    rows = [
        LinearConstraint(columns, program.row_lower[form.linking], program.row_upper[form.linking]),
        LinearConstraint(convex, -np.inf, 1),
    ]
    upper = np.concatenate([program.upper[form.free], np.full(len(blocks), np.inf)])
    return float(milp(cost, bounds=(0, upper), constraints=rows).fun)


@pytest.mark.parametrize("seed", range(4))
def test_with_all_patterns_it_is_the_convex_hull_of_every_knapsack(seed: int) -> None:
    form = block_form(assignment(seed))
    assert form is not None
    master = Master(form)
    blocks, chosen = every_pattern(form)
    master.begin(form.program.cost)
    assert master.add(blocks, chosen) == len(blocks)
    assert master.add(blocks, chosen) == 0
    opened(master, form)
    found = master.solve()
    assert found is not None and found.missing == pytest.approx(0, abs=1e-7)
    assert found.objective == pytest.approx(convexified(form, blocks, chosen))
    assert found.y @ form.program.cost == pytest.approx(found.objective)
    # Other costs, then a pattern less: an item that may not be.
    cost = form.program.cost + np.arange(form.program.columns) % 3
    master.begin(cost)
    opened(master, form)
    other = master.solve()
    assert other is not None and other.y @ cost == pytest.approx(other.objective)
    assert other.objective >= found.objective - 1e-7
    upper = form.program.upper.copy()
    upper[0] = 0.0
    master.set_bounds(form.program.lower, upper, form.knapsacks.room(form.program.row_lower, form.program.row_upper))
    shut = master.solve()
    assert shut is not None and shut.y[0] == 0


def test_what_cannot_be_is_missing() -> None:
    form = block_form(assignment(0))
    assert form is not None
    master = Master(form)
    master.begin(form.program.cost)
    opened(master, form)
    upper = form.program.upper.copy()
    upper[-1] = 0.0
    master.set_bounds(form.program.lower, upper, np.zeros(3, dtype=np.int64))
    found = master.solve()
    assert found is not None and found.missing == pytest.approx(1)
    # A knapsack in which an item must be, and no pattern with it.
    lower = form.program.lower.copy()
    lower[0] = 1.0
    master.set_bounds(lower, form.program.upper, np.full(3, 30))
    found = master.solve()
    assert found is not None and found.missing == pytest.approx(1)


def test_of_many_patterns_those_that_were_of_use_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    form = block_form(assignment(1))
    assert form is not None
    monkeypatch.setattr(module, "PATTERNS", 12)
    master = Master(form)
    blocks, chosen = every_pattern(form)
    assert len(blocks) > 12
    master.begin(form.program.cost)
    master.add(blocks, chosen)
    opened(master, form)
    before = master.solve()
    assert before is not None
    master.begin(form.program.cost)
    # All of one age: those that the answer used are among the last used all the same.
    master.begin(form.program.cost)
    assert len(master.blocks) == 6
    opened(master, form)
    assert master.solve() is not None
    assert master.add(blocks, chosen) == len(blocks) - 6
    opened(master, form)
    after = master.solve()
    assert after is not None and after.objective == pytest.approx(before.objective)


def test_shares_of_a_knapsack_may_be_less_than_one() -> None:
    form = block_form(assignment(2))
    assert form is not None
    master = Master(form)
    master.begin(form.program.cost)
    opened(master, form)
    blocks, chosen = every_pattern(form)
    master.add(blocks, chosen)
    room, most = form.knapsacks.room(form.program.row_lower, form.program.row_upper), np.array([0.0, 0.25, 1.0])
    # Nothing is left out for free: patterns are taken as far as they may be.
    master.set_bounds(form.program.lower, form.program.upper, room, most)
    found = master.solve()
    assert found is not None
    total = np.bincount(master.blocks, found.shares, 3)
    assert (total <= most + 1e-9).all()
    assert total[1] == pytest.approx(0.25)
    # An item that has to be in: as often as the knapsack is there.
    lower = form.program.lower.copy()
    lower[form.knapsacks.items[1, 0]] = 1.0
    master.set_bounds(lower, form.program.upper, np.maximum(room, form.knapsacks.weights[:, 0]), most)
    master.add(np.array([1]), np.eye(1, form.knapsacks.items.shape[1], dtype=bool))
    found = master.solve()
    assert found is not None and found.y[form.knapsacks.items[1, 0]] == pytest.approx(0.25)
