"""Which settings are left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bilevel_lang.surrogate.network import Network
from bilevel_lang.surrogate.training.fitting import Trained, fit
from bilevel_lang.surrogate.training.halving import L1, RATES, drawn, halved
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import Settings

BASE = Settings(steps=400, seed=5)


def trained(settings: Settings, error: float) -> Trained:
    return Trained(None, settings, 10, error, error, 0.0, (), "cpu")  # type: ignore[arg-type]


def test_candidates_are_seeded_in_their_ranges_and_begin_with_the_plain_one() -> None:
    found = drawn(BASE, 20)
    assert found == drawn(BASE, 20) and found[0] == BASE and found != drawn(replace(BASE, seed=6), 20)
    assert len({s.layers for s in found}) > 2
    assert all(L1[0] <= s.l1 <= L1[1] and RATES[0] <= s.rate <= RATES[1] for s in found[1:])
    assert {s.layers for s in drawn(BASE, 20, layers=False)} == {BASE.layers}


def test_the_better_half_goes_on_with_twice_the_steps() -> None:
    candidates = drawn(BASE, 8)
    asked: list[tuple[Settings, int]] = []

    def by_rate(settings: Settings, start: Network | None) -> Trained:
        asked.append((settings, settings.steps))
        return trained(settings, settings.rate)

    best, tried = halved(candidates, by_rate)
    assert best == min(candidates, key=lambda s: s.rate)
    assert [steps for _, steps in asked] == [50] * 8 + [100] * 4 + [200] * 2 and len(tried) == 14


def test_real_networks_are_told_apart() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (120, 2))
    labels = Labels(x, np.abs(x).sum(axis=1, keepdims=True), -np.ones(2), np.ones(2))
    hopeless, good = (replace(BASE, steps=200, layers=(8,), rate=rate) for rate in (1e-8, 1e-2))
    best, tried = halved((hopeless, good), lambda settings, start: fit(labels, settings, start=start))
    assert best == good and tried[1].error < tried[0].error
