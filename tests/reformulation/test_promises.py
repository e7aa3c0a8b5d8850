from __future__ import annotations

import itertools

import pytest

from bilevel_lang.reformulation.promises import weaker
from bilevel_lang.solution import Exactness


def test_the_weaker_promise_is_the_same_whatever_the_order():
    for a, b in itertools.product(Exactness, repeat=2):
        assert weaker(a, b) is weaker(b, a) and weaker(a, b) in (a, b)
    assert all(weaker(Exactness.EXACT, e) is e for e in Exactness)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Exactness.EXACT, Exactness.RELAXATION, Exactness.RELAXATION),
        (Exactness.STATIONARY, Exactness.RELAXATION, Exactness.STATIONARY),
        (Exactness.APPROXIMATION, Exactness.STATIONARY, Exactness.APPROXIMATION),
    ],
)
def test_some_pairs(a, b, expected):
    assert weaker(a, b) is expected
