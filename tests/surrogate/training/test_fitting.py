"""Training: functions that a network can be, reproducible, interrupted and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.network import Floats
from bilevel_lang.surrogate.training.fitting import fit
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import Settings

QUICK = Settings(layers=(16,), steps=300, check=25)


def absolute(points: Floats) -> Floats:
    """100 |x| + 30 y + 1000: convex, far from size 1."""
    return 100 * np.abs(points[:, :1]) + 30 * points[:, 1:2] + 1000


def labels(count: int = 200, sign: float = 1.0, gradients: bool = False) -> Labels:
    x = np.random.default_rng(0).uniform(-1, 1, size=(count, 2))
    slopes = sign * np.column_stack([100 * np.sign(x[:, 0]), np.full(count, 30.0)])
    return Labels(x, sign * absolute(x), -np.ones(2), np.ones(2), gradients=slopes if gradients else None)


@pytest.mark.parametrize(("kind", "curvature"), [("relu", 1), ("icnn", 1), ("icnn", -1)])
def test_a_simple_function_is_learned_in_its_own_units(kind: str, curvature: int) -> None:
    sign = float(curvature)
    found = fit(labels(sign=sign), replace(QUICK, kind=kind, curvature=curvature))
    points = np.random.default_rng(9).uniform(-1, 1, size=(100, 2))
    assert np.abs(found.network(points) - sign * absolute(points)).mean() < 3.0  # of a range of 160
    assert found.validation_mae < 3.0 and found.validation_max_error >= found.validation_mae
    assert found.samples == 200 and found.network.inputs == 2
    if kind == "icnn":
        assert (found.network.convex() if curvature > 0 else found.network.concave()).all()


def test_a_convex_network_stays_convex_on_a_concave_function() -> None:
    found = fit(labels(sign=-1.0), replace(QUICK, kind="icnn"))
    assert found.network.convex().all()
    assert found.validation_mae > 5.0  # and says that it does not fit


def test_gradients_help_where_samples_are_few() -> None:
    points = np.random.default_rng(4).uniform(-1, 1, size=(300, 2))
    errors = []
    for sobolev in (0.0, 1.0):
        found = fit(labels(12, gradients=True), replace(QUICK, sobolev=sobolev, l1=0.0))
        errors.append(np.abs(found.network(points) - absolute(points)).mean())
    assert errors[1] < 0.7 * errors[0]


def test_the_same_seed_gives_the_same_network_and_another_seed_another() -> None:
    first, again, other = (fit(labels(), replace(QUICK, steps=50, seed=s)).network.output.weights.toarray() for s in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


class Killed(BaseException):
    """As good as kill -9: nothing below catches it."""


def test_an_interrupted_training_goes_on_to_the_same_network(tmp_path: Path) -> None:
    whole = fit(labels(), QUICK)

    def kill(step: int, *_: float) -> None:
        if step >= 100:
            raise Killed

    with pytest.raises(Killed):
        fit(labels(), QUICK, checkpoint=tmp_path / "t.npz", progress=kill)
    seen: list[int] = []
    resumed = fit(labels(), QUICK, checkpoint=tmp_path / "t.npz", progress=lambda step, *_: seen.append(step))
    assert seen[0] == 125
    assert resumed.history == whole.history
    assert np.array_equal(resumed.network.output.weights.toarray(), whole.network.output.weights.toarray())


def test_a_checkpoint_of_other_samples_is_refused(tmp_path: Path) -> None:
    fit(labels(), replace(QUICK, steps=25), checkpoint=tmp_path / "t.npz")
    with pytest.raises(UsageError, match="other samples"):
        fit(labels(150), replace(QUICK, steps=25), checkpoint=tmp_path / "t.npz")


@pytest.mark.parametrize("kind", ["relu", "icnn"])
def test_training_goes_on_from_a_network(kind: str) -> None:
    settings = replace(QUICK, kind=kind, layers=(8, 8))
    first = fit(labels(), settings)
    more = fit(labels(260), replace(settings, steps=1, rate=1e-12), start=first.network)
    points = np.random.default_rng(5).uniform(-1, 1, size=(50, 2))
    assert np.allclose(more.network(points), first.network(points), rtol=0.05, atol=5.0)
    with pytest.raises(UsageError, match="another shape"):
        fit(labels(), replace(settings, layers=(9, 8)), start=first.network)


def test_regularisation_leaves_fewer_weights() -> None:
    plain, thin = (fit(labels(), replace(QUICK, l1=l1, prune=1e-2)).network for l1 in (0.0, 3e-3))
    assert np.count_nonzero(thin.hidden[0].weights.toarray()) < np.count_nonzero(plain.hidden[0].weights.toarray())


def test_too_few_samples_are_said() -> None:
    with pytest.raises(UsageError, match="too few"):
        fit(labels(4), QUICK)
