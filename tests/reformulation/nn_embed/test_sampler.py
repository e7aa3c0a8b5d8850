"""Batches: the same answers whoever works, kept in a folder, cut off by time without a trace."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import SampleFileError
from bilevel_lang.reformulation.nn_embed.answers import AnswerRecipe
from bilevel_lang.reformulation.nn_embed.sampler import LEAST, MOST, Sampler, shard_size
from bilevel_lang.surrogate.bounds.input_set import InputSet
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction, knapsack_value
from tests.reformulation.nn_embed.test_answers import EVERY, recipe

BOX = arrays(interdiction())[2]


def never() -> bool:
    return False


def test_who_works_does_not_matter(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        there = Sampler(recipe(), BOX, executor)(EVERY, never)
    here = Sampler(recipe(), BOX, folder=tmp_path)(EVERY, never)
    assert np.array_equal(there[0], here[0])
    assert [a.value for a in there[1]] == [a.value for a in here[1]] == pytest.approx([-knapsack_value(x) for x in EVERY])


def test_every_batch_is_found_again(tmp_path: Path) -> None:
    for drawn in (16, 0):
        sampler = Sampler(recipe(), BOX, folder=tmp_path)
        first, second = sampler(EVERY[:10], never), sampler(EVERY[10:], never)
        assert sampler.drawn == drawn and len(first[1]) + len(second[1]) == 16
        assert sampler.taken == 16 - drawn
    last = max((tmp_path / "samples").glob("batch-*"), key=lambda path: path.stat().st_mtime_ns)
    (last / "shard-000000-4.samples").write_bytes(b"")
    again = Sampler(recipe(), BOX, folder=tmp_path)
    again(EVERY[:10], never)
    with pytest.raises(SampleFileError, match="shard-000000-4"):
        again(EVERY[10:], never)


def test_decisions_that_another_run_did_not_ask_about_are_drawn_beside_its_own(tmp_path: Path) -> None:
    first = Sampler(recipe(), BOX, folder=tmp_path)
    first(EVERY[:6], never), first(EVERY[6:10], never)
    other = Sampler(recipe(), BOX, folder=tmp_path)
    other(EVERY[:6], never)
    assert (other.drawn, other.taken) == (0, 6)
    _, answers = other(EVERY[10:], never)
    assert (other.drawn, other.taken) == (6, 6)
    assert [a.value for a in answers] == pytest.approx([-knapsack_value(x) for x in EVERY[10:]])
    again = Sampler(recipe(), BOX, folder=tmp_path)
    again(EVERY[:6], never), again(EVERY[6:10], never)
    assert again.drawn == 0


def test_another_seed_draws_its_own_and_is_no_mistake(tmp_path: Path) -> None:
    Sampler(recipe(), BOX, folder=tmp_path)(EVERY, never)
    seeded = Sampler(replace(recipe(), seed=1), BOX, folder=tmp_path)
    assert [a.value for a in seeded(EVERY, never)[1]] == pytest.approx([-knapsack_value(x) for x in EVERY])
    assert seeded.drawn == 16


def test_another_problem_in_the_folder_is_said(tmp_path: Path) -> None:
    Sampler(recipe(), BOX, folder=tmp_path)(EVERY, never)
    changed = recipe()
    source = replace(changed.source, follower_cost=2 * changed.source.follower_cost)
    with pytest.raises(SampleFileError, match="problem has changed"):
        Sampler(replace(changed, source=source), BOX, folder=tmp_path)(EVERY, never)


def test_when_time_is_over_no_shard_is_begun(tmp_path: Path) -> None:
    points, answers = Sampler(recipe(), BOX, folder=tmp_path)(EVERY, lambda: True)
    assert len(points) == len(answers) == shard_size(16)


def test_what_time_cut_off_is_not_kept(tmp_path: Path) -> None:
    late = replace(recipe(), until=time.time() - 1.0)
    _, answers = Sampler(late, BOX, folder=tmp_path)(EVERY, never)
    assert all(answer.point is None for answer in answers)
    again = Sampler(recipe(), BOX, folder=tmp_path)
    assert all(answer.response is not None for answer in again(EVERY, never)[1]) and again.drawn == 16


def test_continuous_decisions_keep_their_last_bit() -> None:
    source, inputs, domain = arrays(continuous())
    assert isinstance(domain, InputSet)
    points = np.random.default_rng(1).uniform(0, 5, (20, 1))
    assert np.array_equal(Sampler(AnswerRecipe(source, inputs), domain)(points, never)[0], points)


def test_shards_of_large_and_small_batches() -> None:
    assert shard_size(1) == LEAST and shard_size(100_000) == MOST
    assert [shard_size(k) for k in (8, 64, 80)] == [4, 8, 10]
