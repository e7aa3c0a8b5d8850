"""Latin hypercubes and neighbourhoods."""

from __future__ import annotations

import itertools

import numpy as np

from bilevel_lang.reformulation.nn_embed.design import (
    PAIRS,
    UNEVEN,
    every_point,
    latin_hypercube,
    mutated,
    neighbours,
    trades,
    whole_steps,
)
from bilevel_lang.surrogate.bounds.input_set import box


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_every_slice_has_one_point() -> None:
    points = latin_hypercube(box(np.array([-1.0, 10.0]), np.array([1.0, 20.0])), 50, generator())
    for column, low, width in ((0, -1.0, 2.0), (1, 10.0, 10.0)):
        slices = np.floor((points[:, column] - low) / width * 50).astype(int)
        assert sorted(slices.tolist()) == list(range(50))


def test_whole_inputs_are_whole_and_small_boxes_are_complete() -> None:
    whole = np.array([True, True])
    small = box(np.array([0.0, 2.0]), np.array([2.0, 3.0]), whole)
    assert sorted(map(tuple, latin_hypercube(small, 10, generator()).tolist())) == sorted(map(tuple, every_point(small).tolist()))
    assert len(every_point(small)) == 6
    assert every_point(box(np.zeros(0), np.zeros(0))).shape == (1, 0)
    large = latin_hypercube(box(np.zeros(2), np.full(2, 9.0), whole), 40, generator())
    assert (large == np.rint(large)).all() and set(large[:, 0]) == set(map(float, range(10)))


def test_neighbours_stay_in_the_box() -> None:
    mixed = box(np.zeros(3), np.array([1.0, 4.0, 2.0]), np.array([True, True, False]))
    x = np.array([1.0, 2.0, 0.0])
    around = neighbours(x, mixed, generator())
    assert (around >= mixed.lower).all() and (around <= mixed.upper).all() and (around != x).any(axis=1).all()
    flips = {tuple(p) for p in around.tolist() if p[2] == 0.0}
    assert flips == {(0.0, 2.0, 0.0), (1.0, 1.0, 0.0), (1.0, 3.0, 0.0)} | {p for p in flips if p[:2] == (1.0, 2.0)}


def test_mutations_move_one_to_three_inputs_and_stay_inside() -> None:
    mixed = box(np.zeros(4), np.array([1.0, 1.0, 9.0, 2.0]), np.array([True, True, True, False]))
    parent = np.array([1.0, 0.0, 9.0, 1.0])
    found = mutated(parent[None, :], mixed, 200, generator())
    assert found.shape == (200, 4) and (found >= mixed.lower).all() and (found <= mixed.upper).all()
    assert (found[:, :3] == np.rint(found[:, :3])).all()
    changed = (found != parent).sum(axis=1)
    assert changed.max() <= 3 and set(changed.tolist()) >= {1, 2, 3}
    assert [0.0, 1.0, 9.0, 1.0] in found.tolist()  # one on, one off


def test_one_or_two_whole_inputs_move() -> None:
    mixed = box(np.zeros(3), np.array([1.0, 9.0, 2.0]), np.array([True, True, False]))
    found = {tuple(p) for p in whole_steps(np.array([1.0, 4.0, 0.5]), mixed, generator()).tolist()}
    alone = {(0.0, 4.0, 0.5)} | {(1.0, 4.0 + step, 0.5) for step in (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 5.0)}
    assert found == alone | {(0.0, 3.0, 0.5), (0.0, 5.0, 0.5)}
    many = box(np.zeros(100), np.ones(100), np.ones(100, dtype=bool))
    assert len(whole_steps(np.zeros(100), many, generator())) == 100 + PAIRS
    wide = box(np.full(30, -9.0), np.full(30, 9.0), np.ones(30, dtype=bool))
    assert len(trades(np.zeros(30), wide, generator())) == 4 * UNEVEN
    assert trades(np.zeros(100), many, generator()).shape == (0, 100)


def test_a_decision_may_trade_one_of_an_input_for_two_of_another() -> None:
    three = box(np.zeros(3), np.full(3, 9.0), np.ones(3, dtype=bool))
    found = {tuple(p) for p in trades(np.full(3, 4.0), three, generator()).tolist()}
    traded = {
        p for p in itertools.product((2.0, 3.0, 4.0, 5.0, 6.0), repeat=3) if sorted(abs(v - 4.0) for v in p) == [0.0, 1.0, 2.0]
    }
    assert len(traded) == 24 and found == traded
