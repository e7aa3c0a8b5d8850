from __future__ import annotations

import itertools

import numpy as np

from bilevel_lang.reformulation.linear.branching.clauses import FIRST, OPEN, SECOND, Clauses


def clauses(pairs: int, *members: list[int]) -> Clauses:
    made = Clauses(pairs)
    for each in members:
        made.add(np.array(each))
    return made


def test_the_last_pair_of_a_clause_is_decided_and_that_goes_on() -> None:
    state = np.array([SECOND, OPEN, OPEN, OPEN])
    assert clauses(4, [0, 1], [1, 2, 3], [2, 0]).propagate(state)
    assert state.tolist() == [SECOND, FIRST, FIRST, OPEN]


def test_a_clause_without_a_way_out_refutes_the_node() -> None:
    assert not clauses(3, [0, 1]).propagate(np.array([SECOND, SECOND, OPEN]))


def test_without_clauses_nothing_happens() -> None:
    state = np.array([OPEN, SECOND])
    assert Clauses(2).propagate(state)
    assert state.tolist() == [OPEN, SECOND]
    assert Clauses(2).shortest(state, np.zeros(2, dtype=bool)) is None


def test_propagation_loses_no_solution() -> None:
    r = np.random.default_rng(0)
    for _ in range(50):
        members = [np.flatnonzero(r.random(6) < 0.4) for _ in range(5)]
        members = [m for m in members if m.size]
        made = clauses(6, *[m.tolist() for m in members])
        state = r.choice([OPEN, OPEN, FIRST, SECOND], 6)
        # All ways to decide what is open that satisfy every clause as it was given.
        ways = [w for w in itertools.product((FIRST, SECOND), repeat=6) if all((np.array(w)[m] == FIRST).any() for m in members)]
        ways = [w for w in ways if all(s in (OPEN, v) for s, v in zip(state, w, strict=True))]
        after = state.copy()
        if not made.propagate(after):
            assert ways == []
        else:
            assert all(s in (OPEN, v) for w in ways for s, v in zip(after, w, strict=True))


def test_implied_clauses_are_not_kept() -> None:
    made = clauses(5, [0, 1, 2], [0, 1])
    assert len(made) == 1
    made.add(np.array([0, 1, 4]))
    assert len(made) == 1
    made.add(np.array([2, 3]))
    assert len(made) == 2


def test_the_shortest_clause_that_the_point_breaks() -> None:
    made = clauses(6, [0, 1, 2], [3, 4], [2, 5])
    nothing = np.zeros(6, dtype=bool)
    state = np.full(6, OPEN)
    state[1] = SECOND
    at_zero = nothing.copy()
    at_zero[3] = at_zero[5] = True
    found = made.shortest(state, at_zero)
    assert found is not None and found.tolist() == [0, 2]
    at_zero[2] = True
    assert made.shortest(state, at_zero) is None
    state[0] = FIRST
    assert made.shortest(state, nothing) is not None
