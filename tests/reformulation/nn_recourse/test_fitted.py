from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.fitted import fitted
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import Settings

pytest.importorskip("torch")


def test_a_convex_network_is_convex_and_its_error_is_of_decisions_it_has_not_seen() -> None:
    r = np.random.default_rng(0)
    points = r.uniform(-1, 1, (120, 2))
    values = np.abs(points[:, :1]) + points[:, 1:]
    labels = Labels(points, values, np.full(2, -1.0), np.ones(2))
    settings = Settings(layers=(8,), steps=400)
    found = fitted("icnn", labels, settings, None, None)
    a, b = r.uniform(-1, 1, (2, 200, 2))
    middle = found.network((a + b) / 2)
    assert (middle <= (found.network(a) + found.network(b)) / 2 + 1e-9).all()
    _, held = labels.split(settings.hold_out, settings.seed)
    assert found.mae == pytest.approx(np.abs(found.network(held.inputs) - held.targets).mean())
    assert found.max_error >= found.mae
    assert found.mae < 0.3 * np.abs(values - values.mean()).mean()
