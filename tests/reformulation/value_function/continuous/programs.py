"""Small problems whose best value is known by hand, some of which nothing attains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from tests.reformulation.value_function.integer.programs import INF, moore90, program


def koeppe() -> BilevelProgram:
    """Koeppe, Queyranne and Ryan 2010: min x - y, the follower min y with y >= x in {0, 1}; -1 is approached for x -> 0, y = 1.

    At x = 0 itself the follower takes y = 0.
    """
    return program([1, -1], [[-1, 1]], [(0, INF)], [1], [(0, 1), (0, 1)], integer=[False, True])


def moore90_continuous() -> BilevelProgram:
    """Moore and Bard 1990 with a continuous x: -22.5 is approached for x -> 5/2, y = 2.

    By hand: y = 1 is the follower's for x >= 5/2 (its last row), so that y = 2 needs x < 5/2; y = 1 itself gives at most
    -8 - 10 at x = 8.
    """
    whole = moore90()
    return replace(whole, relaxation=replace(whole.relaxation, integer=np.array([False, True])))


def stairs(sense: int = 1) -> BilevelProgram:
    """The follower rounds x up: min y, y >= x, whole. The leader's |y - x - 1/2| <= 0 leaves x = k + 1/2 alone, all attained.

    min x + y over x in [0, 4] is 3/2 at (1/2, 1); its maximum 15/2 at (7/2, 4).
    """
    rows = [[-1.0, 1.0], [-1.0, 1.0]]
    return program([1, 1], rows, [(0, INF), (0.5, 0.5)], [1], [(0, 4), (0, 9)], own=1, integer=[False, True], sense=sense)


def mixed() -> BilevelProgram:
    """x in [0, 10]; the follower pays 3 for a whole unit of y and 1 for one of w >= 0: min 3 y + w, 2 y + w >= x, y <= 2.

    Two units of w for one of y: w = x is as good as anything and better than y (3 for 2). The leader gets w and pays 4 for what
    of x is over 6: max w - 4 u, u >= x - 6, u >= 0. w = x, and at x = 6 its gain is 6.
    """
    rows = [[0, 0, 2, 1], [0, 0, 1, 0], [-1, 1, 0, 0]]
    rows[0][0] = -1
    return program(
        [0, -4, 0, 1],
        [list(map(float, r)) for r in rows],
        [(0, INF), (-INF, 2), (-6, INF)],
        [3, 1],
        [(0, 10), (0, 10), (0, 5), (0, INF)],
        own=2,
        integer=[False, False, True, False],
        sense=-1,
    )
