from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.solvers.branch_and_price.switched import Domain, switched
from tests.solvers.branch_and_price.programs import known
from tests.solvers.branch_and_price.switching import ITEMS, KINDS, decisions, second_stage, true_cost


@pytest.mark.parametrize("kind", KINDS)
def test_options_and_shares_have_the_same_answers_at_every_decision(kind: str) -> None:
    """The options written out as a MILP of their own: a knapsack's items only where its share is 1."""
    program, technology, domain = second_stage(kind, 3)
    form = switched(program, technology, domain)
    assert form is not None
    mine, knapsacks = form.form.program, form.form.knapsacks
    for x in decisions()[:: 1 if kind == "bought" else 3]:
        share = form.base + form.shares @ x
        upper = mine.upper.copy()
        for k, items in enumerate(knapsacks.items):
            upper[items[knapsacks.weights[k] > 0]] *= share[k]
        lower = np.minimum(mine.lower, upper)
        rooms = np.zeros((len(share), mine.columns))
        for k, items in enumerate(knapsacks.items):
            rooms[k, items[knapsacks.weights[k] > 0]] = knapsacks.weights[k][knapsacks.weights[k] > 0]
        shift = form.technology @ x
        low, up = form.box.row_lower - shift, form.box.row_upper - shift
        room = np.where(share > 0, form.room, 0)
        written = replace(
            mine,
            lower=lower,
            upper=upper,
            matrix=sp.csr_matrix(sp.vstack([mine.matrix, rooms])),
            row_lower=np.concatenate([low, np.full(len(room), -np.inf)]),
            row_upper=np.concatenate([up, room]),
        )
        found = known(written)
        true = true_cost(program, technology, x)
        assert (np.inf if found.status else found.fun) == pytest.approx(true)


def test_a_room_that_is_shut_needs_no_option_of_its_own() -> None:
    closed, there = (switched(*second_stage(kind, 1)) for kind in ("open", "larger"))
    assert closed is not None and there is not None
    assert len(closed.room) == 3
    assert len(there.room) == 6
    assert (there.base + there.shares @ np.array([1.0, 0.0, 1.0, 0.0])).tolist() == [0, 1, 1, 0, 0, 1]


def test_a_row_that_sees_more_than_a_binary_ties_knapsacks() -> None:
    program, technology, domain = second_stage("open", 1)
    form = switched(program, technology, domain)
    bought = switched(*second_stage("bought", 1))
    assert form is not None and bought is not None
    # The items' rows alone; and with them the second room's row and its items' bounds.
    assert form.technology.shape[0] == ITEMS
    assert bought.technology.shape[0] == ITEMS + 1 + ITEMS
    whole = Domain(domain.lower, np.array([2.0, 1.0, 1.0, 3.0]), domain.integer)
    several = switched(program, technology, whole)
    assert several is not None and several.technology.shape[0] == ITEMS + 1 + ITEMS


def test_what_has_no_filling_at_all_is_left_alone() -> None:
    program, technology, domain = second_stage("open", 1)
    lower = program.lower.copy()
    lower[:ITEMS] = 1.0
    never = replace(program, lower=lower, row_upper=np.concatenate([[1.0], program.row_upper[1:]]))
    assert switched(never, sp.csr_matrix(technology.shape), domain) is None


def test_no_knapsacks_no_form() -> None:
    program, technology, domain = second_stage("open", 1)
    assert switched(replace(program, integer=np.zeros(program.columns, dtype=bool)), technology, domain) is None
