"""A network of the expected cost, and how wrong it is on decisions that it has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.surrogate.training.fitting import fit
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import Settings

KINDS = ("icnn", "relu", "residual")
"""An input-convex network, one of ReLUs, and one of ReLUs on what the cuts leave: what `--network auto` compares."""

TUNING_STEPS, TUNING_RATE = 800, 3e-3
"""Of a network that is trained further on more samples."""

GOOD = 0.3
"""Share of the held-out decisions, the best ones, on which networks of equal worth are compared."""


def fitted(kind: str, labels: Labels, settings: Settings, deadline: float | None, before: Fitted | None) -> Fitted:
    """Trained on ``labels``, which for ``residual`` are what the cuts leave; ``before``: what fewer samples gave, to go on from.

    Raises SolverMissingError without torch.
    """
    settings = replace(settings, kind="icnn" if kind == "icnn" else "relu", curvature=1)
    if before is not None:
        settings = replace(settings, steps=min(settings.steps, TUNING_STEPS), rate=min(settings.rate, TUNING_RATE))
    trained = fit(labels, settings, start=None if before is None else before.network, deadline=deadline)
    _, held = labels.split(settings.hold_out, settings.seed)
    off = np.abs(trained.network(held.inputs) - held.targets).ravel()
    weights = np.ones(len(held)) if held.weights is None else held.weights
    good = np.argsort(-weights, kind="stable")[: max(1, round(GOOD * len(held)))]
    mae, worst, near = float(off.mean()), float(off.max()), float(off[good].mean())
    return Fitted(kind, settings.layers, trained.network, mae, worst, near, trained.seconds)
