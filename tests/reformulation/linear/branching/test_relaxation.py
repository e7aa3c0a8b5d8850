from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.linear.branching.blocks import split
from bilevel_lang.reformulation.linear.branching.clauses import FIRST, OPEN, SECOND
from bilevel_lang.reformulation.linear.branching.relaxation import NodePoint, Relaxation
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.linear.branching.programs import Lpcc, bilevel, coupled, enumerated

PLAIN = SolverOptions()


def relaxation(made: Lpcc) -> Relaxation:
    return Relaxation(split(*made), PLAIN, None)


def test_decided_pairs_have_a_side_at_zero_and_the_others_need_not() -> None:
    made = bilevel(1)
    relaxed = relaxation(made)
    free = relaxed.solve(np.full(6, OPEN))
    assert isinstance(free, NodePoint)
    assert free.bound == pytest.approx(enumerated(made[0], made[1][:0], made[2][:0]))
    for k in range(6):
        state = np.full(6, OPEN)
        state[k] = FIRST
        found = relaxed.solve(state)
        assert found is Termination.INFEASIBLE or (isinstance(found, NodePoint) and found.first[k] == 0.0)
        if isinstance(found, NodePoint):
            assert found.bound >= free.bound - 1e-9
    # Second sides of outer pairs are not the business of this block.
    second = relaxed.solve(np.full(6, SECOND))
    assert isinstance(second, NodePoint) and second.bound == pytest.approx(free.bound)


def test_inner_pairs_are_decided_on_both_sides() -> None:
    for seed in range(20):
        program, left, right = coupled(seed)
        blocks = split(program, left, right)
        relaxed = Relaxation(blocks, PLAIN, None)
        for side in (FIRST, SECOND):
            state = np.full(len(left), side)
            found = relaxed.solve(state)
            if isinstance(found, NodePoint):
                at = blocks.first if side == FIRST else blocks.second[blocks.inner]
                assert (found.columns[at] == 0).all()
                assert (relaxed.inner_products(found) == 0).all()
