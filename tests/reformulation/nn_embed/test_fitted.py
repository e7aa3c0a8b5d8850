"""The choice among surrogates: exact cuts where there are some, the held-out error otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_embed.fitted import Effort, best_fit
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import Settings

QUICK = Settings(layers=(12,), steps=200, check=25)


def labels(sign: float = 1.0, gradients: bool = True) -> Labels:
    x = np.random.default_rng(0).uniform(-1, 1, size=(120, 1))
    slope = np.where(x > 0, 2.0, -1.0)
    return Labels(x, sign * slope * x, -np.ones(1), np.ones(1), gradients=sign * slope if gradients else None)


@pytest.mark.parametrize("curvature", [1, -1])
def test_two_pieces_are_found_and_no_network_is_trained(curvature: int) -> None:
    found, said = best_fit(labels(float(curvature)), "auto", QUICK, curvature, None, Effort())
    assert (found.kind, found.network.neurons, len(said)) == ("cuts", 1, 1)
    assert found.mae <= 1e-9 and found.seconds == 0.0
    assert found.network(np.array([[0.5], [-0.5]]))[:, 0] == pytest.approx([curvature * 1.0, curvature * 0.5])


def test_without_known_curvature_a_network_is_trained() -> None:
    found, _ = best_fit(labels(), "auto", QUICK, None, None, Effort())
    assert found.kind == "relu" and 0 < found.mae <= found.max_error and found.seconds > 0
    with pytest.raises(RefusedError, match="no exact cuts"):
        best_fit(labels(), "cuts", QUICK, None, None, Effort())


def test_a_convex_network_is_compared_where_it_costs_no_binaries() -> None:
    _, said = best_fit(labels(gradients=False), "auto", QUICK, None, 1, Effort())
    assert [line.partition(":")[0] for line in said] == ["icnn", "relu"]
    found, _ = best_fit(labels(-1.0, gradients=False), "icnn", QUICK, None, -1, Effort())
    assert found.network.concave().all()


def test_curved_functions_get_a_network_on_what_few_cuts_leave() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, size=(300, 2))
    smooth = Labels(x, 50 * (x**2).sum(axis=1, keepdims=True), -np.ones(2), np.ones(2), gradients=100 * x)
    found, said = best_fit(smooth, "auto", replace(QUICK, layers=(16, 16)), 1, None, Effort())
    assert [line.partition(":")[0] for line in said] == ["cuts", "relu", "residual"]
    points = np.random.default_rng(1).uniform(-1, 1, size=(200, 2))
    off = np.abs(found.network(points)[:, 0] - 50 * (points**2).sum(axis=1)).mean()
    assert off <= 3.0 and 0.3 <= found.mae / off <= 3.0


def test_training_goes_on_from_what_there_was() -> None:
    first, _ = best_fit(labels(), "relu", QUICK, None, None, Effort())
    more, _ = best_fit(labels(), "relu", replace(QUICK, steps=25), None, None, Effort(), first)
    assert more.mae <= 1.2 * first.mae


def test_a_folder_keeps_the_state_and_a_second_run_only_reads_it(tmp_path: Path) -> None:
    steps: list[int] = []
    effort = Effort(folder=tmp_path, progress=lambda step, *_: steps.append(step))
    first, _ = best_fit(labels(), "relu", QUICK, None, None, effort)
    trained = len(steps)
    again, _ = best_fit(labels(), "relu", QUICK, None, None, effort)
    assert trained > 0 and len(steps) == trained and len(list(tmp_path.iterdir())) == 1
    assert np.array_equal(first.network.output.weights.toarray(), again.network.output.weights.toarray())


def test_only_the_kind_that_won_is_trained_on() -> None:
    made = labels(gradients=False)
    first, both = best_fit(made, "auto", QUICK, None, 1, Effort())
    _, again = best_fit(made, "auto", QUICK, None, 1, Effort(), first)
    assert len(both) == 2 and [line.partition(":")[0] for line in again] == [first.kind]
    _, wider = best_fit(made, "auto", replace(QUICK, layers=(8,)), None, 1, Effort(), first)
    assert len(wider) == 2  # one of another shape cannot go on
