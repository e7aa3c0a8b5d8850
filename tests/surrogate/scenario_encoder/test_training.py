from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.network import Floats
from bilevel_lang.surrogate.scenario_encoder.labels import PairCosts
from bilevel_lang.surrogate.scenario_encoder.training import fit_sets
from bilevel_lang.surrogate.training.settings import Settings

pytest.importorskip("torch")

SETTINGS = Settings("icnn", (12,), steps=400, batch=64, rate=1e-2, patience=100)


def lost(points: Floats, demands: Floats) -> Floats:
    """(k, S): what a newsvendor of stock x loses at a demand: 3 for each that is missing, 1 for each that is left."""
    gap = demands[None, :, 0] - points
    return 3 * np.maximum(gap, 0) + np.maximum(-gap, 0)


def newsvendors() -> PairCosts:
    generator = np.random.default_rng(0)
    points, demands = generator.uniform(0, 10, size=(80, 1)), generator.uniform(0, 10, size=(60, 1))
    return PairCosts(points, demands, lost(points, demands), np.ones(80), np.zeros(1), np.full(1, 10.0))


def test_one_network_knows_sets_that_it_has_not_seen() -> None:
    trained = fit_sets(newsvendors(), SETTINGS)
    points = np.linspace(0, 10, 41)[:, None]
    for low, up in ((0.0, 10.0), (1.0, 6.0), (5.0, 9.0)):
        demands = np.linspace(low, up, 25)[:, None]
        truth = lost(points, demands).mean(axis=1)
        found = trained.network.at(demands, np.full(25, 1 / 25))
        assert found.convex().all()
        assert np.abs(found(points).ravel() - truth).mean() < 0.08 * truth.mean()
        # The best stock has three quarters of the demand below it.
        best = float(points[np.argmin(found(points)), 0])
        assert lost(np.array([[best]]), demands).mean() < 1.1 * truth.min()
    assert trained.mae < 0.1 * 15
    assert trained.mae <= trained.max_error


def test_the_same_network_for_the_same_seed() -> None:
    short = Settings("relu", (4,), steps=60, check=20, seed=3)
    one, other = (fit_sets(newsvendors(), short).network for _ in range(2))
    assert (one.cost.output.weights != other.cost.output.weights).nnz == 0
    another = fit_sets(newsvendors(), Settings("relu", (4,), steps=60, check=20, seed=4)).network
    assert not np.array_equal(one.cost.output.weights.toarray(), another.cost.output.weights.toarray())


def test_a_training_that_was_interrupted_goes_on_to_the_same_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Settings("icnn", (4,), steps=80, check=20, patience=100, seed=3)
    alone = fit_sets(newsvendors(), short)
    # The first look is also the last, as if somebody had pulled the plug.
    first = fit_sets(newsvendors(), short, deadline=time.perf_counter(), folder=tmp_path)
    (file,) = tmp_path.glob("training-*.npz")
    again = fit_sets(newsvendors(), short, folder=tmp_path)
    points, demands = np.linspace(0, 10, 9)[:, None], np.linspace(2, 7, 4)[:, None]
    one, other, early = (t.network.at(demands, np.full(4, 0.25))(points) for t in (alone, again, first))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, early)
    # A training that is done is read and not repeated.
    monkeypatch.setattr("bilevel_lang.surrogate.scenario_encoder.training._Fit._steps", None)
    done = fit_sets(newsvendors(), short, folder=tmp_path)
    assert np.array_equal(one, done.network.at(demands, np.full(4, 0.25))(points))
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(UsageError, match="is damaged"):
        fit_sets(newsvendors(), short, folder=tmp_path)


def test_too_few_decisions_and_no_time() -> None:
    given = newsvendors()
    with pytest.raises(UsageError, match="3 decisions are too few"):
        fit_sets(given.rows(np.arange(3)), SETTINGS)
    # One stretch of steps, and what it gave.
    late = fit_sets(given, SETTINGS, deadline=time.perf_counter())
    assert np.isfinite(late.mae)
