"""Which surrogate: a pool of exact cuts, a network on what the pool leaves, a convex network or any; held-out errors decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.cuts import CutPool, cut_pool, sum_of
from bilevel_lang.surrogate.network import Network
from bilevel_lang.surrogate.training.fitting import Progress, Trained, fit
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import KINDS, Settings

TUNING_STEPS, TUNING_RATE = 300, 3e-3
"""Of a network that is trained further on more samples."""

MOST_PIECES = 24
"""Of a pool that goes into a program: each costs a binary where the program pushes against the pool."""

EXACT = 1e-7
"""Held-out error, relative to the spread of the labels, below which nothing better is looked for."""

WORTH = 0.9
"""What costs more columns has to have an error below this share of that of what costs less."""

GOOD = 0.3
"""Share of the held-out samples, those best for the leader, on which candidates are compared."""

STATE = "training-"
"""How the name of a file with the state of a training begins."""


@dataclass(frozen=True)
class Effort:
    """What training may take: ``deadline`` a reading of ``time.perf_counter``; ``folder`` keeps its states, to go on from after
    an interruption; ``progress`` is told of every look at the held-out samples; ``states`` are the files of all trainings, in
    order."""

    deadline: float | None = None
    folder: Path | None = None
    progress: Progress | None = None
    states: list[Path] = field(default_factory=list)

    def fit(self, labels: Labels, settings: Settings, start: Network | None = None) -> Trained:
        """A network; its state is in a file named by samples and settings, so that another training does not meet it."""
        file = None
        if self.folder is not None:
            file = self.folder / f"{STATE}{settings.fingerprint(labels.content_hash())[:16]}.npz"
            self.states.append(file)
        return fit(labels, settings, start=start, checkpoint=file, progress=self.progress, deadline=self.deadline)


@dataclass(frozen=True, eq=False)
class Fitted:
    """``network`` and how wrong it is on held-out samples: ``mae`` and ``max_error`` on all, ``near`` on the good ones."""

    kind: str
    layers: tuple[int, ...]
    network: Network
    mae: float
    max_error: float
    near: float
    seconds: float = 0.0


def best_fit(
    labels: Labels,
    wanted: str,
    settings: Settings,
    curvature: int | None,
    free: int | None,
    effort: Effort,
    previous: Fitted | None = None,
) -> tuple[Fitted, tuple[str, ...]]:
    """The surrogate to use, and a line for each candidate.

    ``wanted`` is the user's word. ``curvature`` +1 or -1: what is learned is convex or concave, its gradients make exact cuts;
    None: neither is known. ``free`` +1 or -1: a convex or concave network would cost no binaries. ``previous``: what fewer
    samples gave, to go on from. Raises RefusedError for ``cuts`` where there are none.
    """
    training, held = labels.split(settings.hold_out, settings.seed)
    found: list[Fitted] = []
    start = _start(previous, settings)
    for candidate in _candidates(labels, training, held, wanted, settings, curvature, free, effort, start):
        found.append(candidate)
        if candidate.near <= EXACT * max(float(np.ptp(labels.targets)), 1e-12):
            break
    best = found[0]
    for candidate in found[1:]:
        best = candidate if candidate.near < WORTH * best.near else best
    said = [f"{f.kind}: held-out error {f.mae:.4g}, near good decisions {f.near:.4g}" for f in found]
    return best, tuple(said)


def _candidates(
    labels: Labels,
    training: Labels,
    held: Labels,
    wanted: str,
    settings: Settings,
    curvature: int | None,
    free: int | None,
    effort: Effort,
    start: dict[str, Network],
) -> Iterator[Fitted]:
    """From the cheapest on; of networks only the kind that won before, where one can go on from it."""
    pool, tried = None, set(start) or set(KINDS)
    if wanted in ("auto", "cuts"):
        pool = _pool(training, curvature)
        if pool is not None:
            yield _measured("cuts", (), pool.network(), held)
        elif wanted == "cuts":
            raise RefusedError(
                "nn-embed: there are no exact cuts of this target", "use `--network relu`; cuts need an LP follower and its value"
            )
    if wanted == "icnn" or (wanted == "auto" and free is not None and "icnn" in tried):
        convex = replace(settings, kind="icnn", curvature=free or curvature or 1)
        yield _trained("icnn", _fit(labels, convex, start, effort), held)
    if wanted == "relu" or (wanted == "auto" and (pool is None or len(pool) >= MOST_PIECES) and "relu" in tried):
        yield _trained("relu", _fit(labels, settings, start, effort), held)
    if wanted == "auto" and pool is not None and len(pool) >= MOST_PIECES:
        yield _residual(pool, labels, settings, held, effort)


def _start(previous: Fitted | None, settings: Settings) -> dict[str, Network]:
    same = previous is not None and previous.kind in KINDS and previous.layers == settings.layers
    return {previous.kind: previous.network} if previous is not None and same else {}


def _fit(labels: Labels, settings: Settings, start: dict[str, Network], effort: Effort) -> Trained:
    network = start.get(settings.kind)
    if network is None:
        return effort.fit(labels, settings)
    shorter = replace(settings, steps=min(settings.steps, TUNING_STEPS), rate=min(settings.rate, TUNING_RATE))
    return effort.fit(labels, shorter, network)


def _pool(training: Labels, curvature: int | None) -> CutPool | None:
    """The pieces that come nearest to all of them on the samples, where there are exact ones."""
    if curvature is None or training.gradients is None:
        return None
    known = np.isfinite(training.gradients).all(axis=1)
    if not known.any():
        return None
    whole = cut_pool(training.inputs[known], training.targets[known, 0], training.gradients[known], curvature)
    return whole.reduced(training.inputs, MOST_PIECES)


def _residual(pool: CutPool, labels: Labels, settings: Settings, held: Labels, effort: Effort) -> Fitted:
    """A network on what the pool leaves, and the sum of both."""
    rest = replace(labels, targets=labels.targets - pool(labels.inputs)[:, None], gradients=None)
    trained = effort.fit(rest, replace(settings, sobolev=0.0))
    whole = replace(trained, network=sum_of(pool.network(), trained.network))
    return _trained("residual", whole, held)


def _trained(kind: str, trained: Trained, held: Labels) -> Fitted:
    return replace(_measured(kind, trained.settings.layers, trained.network, held), seconds=trained.seconds)


def _measured(kind: str, layers: tuple[int, ...], network: Network, held: Labels) -> Fitted:
    off: Floats = np.abs(network(held.inputs) - held.targets).mean(axis=1)
    weights = np.ones(len(held)) if held.weights is None else held.weights
    good = np.argsort(-weights, kind="stable")[: max(1, round(GOOD * len(held)))]
    return Fitted(kind, layers, network, float(off.mean()), float(off.max()), float(off[good].mean()))
