"""Shards: every sample in one of them, and random numbers of their own."""

from __future__ import annotations

import pytest

from bilevel_lang.surrogate.sampling.shards import Shard, cut


def test_shards_cover_the_run() -> None:
    shards = cut(25, 10, seed=3)
    assert [(s.number, s.start, s.count) for s in shards] == [(0, 0, 10), (1, 10, 10), (2, 20, 5)]
    assert len({s.file_name for s in shards}) == 3


def test_random_numbers_depend_on_seed_number_and_purpose_alone() -> None:
    def numbers(shard: Shard, purpose: int = 0) -> tuple[float, ...]:
        return tuple(shard.generator(purpose).random(4))

    first = Shard(0, 0, 10, 3)
    assert numbers(first) == numbers(Shard(0, 0, 99, 3))
    others = [numbers(Shard(1, 10, 10, 3)), numbers(Shard(0, 0, 10, 4)), numbers(first, purpose=1)]
    assert len({numbers(first), *others}) == 4


@pytest.mark.parametrize(("samples", "size"), [(0, 1), (1, 0)])
def test_nothing_cannot_be_cut(samples: int, size: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        cut(samples, size, 0)
