from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from bilevel_lang.reformulation.linear.branching.blocks import Blocks, split
from bilevel_lang.reformulation.linear.branching.clauses import FIRST, OPEN, SECOND
from bilevel_lang.reformulation.linear.branching.multipliers import Fit, Multipliers
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.linear.branching.programs import bilevel

PLAIN = SolverOptions()
ZERO = 1e-8


def fits(blocks: Blocks, at_zero: np.ndarray) -> bool:
    """Whether the block has a point with the second sides of the pairs in ``at_zero`` at 0, by scipy."""
    program = blocks.rest.program
    upper = program.upper.copy()
    upper[blocks.second[at_zero]] = 0.0
    bounds = np.column_stack([program.lower, upper])
    return bool(linprog(program.cost, A_eq=program.matrix, b_eq=program.row_lower, bounds=bounds).status == 0)


@pytest.mark.parametrize("seed", range(8))
def test_fits_exactly_where_the_lp_with_the_sides_at_zero_has_a_point(seed: int) -> None:
    blocks = split(*bilevel(seed))
    asked = Multipliers(blocks, PLAIN, None)
    for slack in itertools.product((False, True), repeat=6):
        found = asked.fit(np.array(slack, dtype=float), np.full(6, OPEN), ZERO)
        assert isinstance(found, Fit)
        assert (found.columns is not None) == fits(blocks, np.array(slack))
        if found.columns is not None:
            assert np.abs(found.columns[blocks.second[np.array(slack)]]).max(initial=0.0) < 1e-8


@pytest.mark.parametrize("followers", [1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_every_clause_is_a_proof(seed: int, followers: int) -> None:
    blocks = split(*bilevel(seed, followers))
    pairs = 6 * followers
    asked = Multipliers(blocks, PLAIN, None)
    r = np.random.default_rng(seed)
    learned = 0
    for _ in range(30):
        slack = r.random(pairs) * (r.random(pairs) < 0.6)
        state = r.choice([OPEN, OPEN, SECOND], pairs)
        found = asked.fit(slack, state, ZERO)
        assert isinstance(found, Fit)
        assert found.columns is not None or found.clauses
        for clause in found.clauses:
            learned += 1
            assert not fits(blocks, clause)
            assert (slack[clause] > 0).all()
    assert learned


def test_followers_that_share_nothing_give_clauses_of_their_own() -> None:
    for seed in range(10):
        blocks = split(*bilevel(seed, followers=2))
        found = Multipliers(blocks, PLAIN, None).fit(np.ones(12), np.full(12, OPEN), ZERO)
        assert isinstance(found, Fit)
        for clause in found.clauses:
            assert len({int(k) // 6 for k in clause}) == 1


def test_a_pair_decided_for_its_first_side_may_have_any_multiplier() -> None:
    blocks = split(*bilevel(0))
    asked = Multipliers(blocks, PLAIN, None)
    assert not fits(blocks, np.ones(6, dtype=bool))
    found = asked.fit(np.ones(6), np.full(6, FIRST), ZERO)
    assert isinstance(found, Fit) and found.columns is not None


def test_the_response_costs_least() -> None:
    blocks = split(*bilevel(2))
    asked = Multipliers(blocks, PLAIN, None)
    r = np.random.default_rng(5)
    for _ in range(10):
        slack = r.random(6)
        found = asked.response(slack)
        assert not isinstance(found, Termination)
        cost = np.zeros(blocks.rest.program.columns)
        cost[blocks.second] = slack
        program = blocks.rest.program
        best = linprog(cost, A_eq=program.matrix, b_eq=program.row_lower, bounds=np.column_stack([program.lower, program.upper]))
        assert slack @ found == pytest.approx(best.fun, abs=1e-7)
        assert program.matrix @ asked.columns() == pytest.approx(program.row_lower, abs=1e-7)
