"""Training of a network of scenario sets: Adam on mini-batches of sets, the state kept that is best on held-out decisions.

In every step the features of all scenarios are made once, and the sets of the batch are their weighted means: nothing is padded.
float64, one thread, the same numbers for the same seed.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.network import Floats
from bilevel_lang.surrogate.scenario_encoder.labels import PairCosts, Sets, drawn_sets
from bilevel_lang.surrogate.scenario_encoder.network import ScenarioNetwork, composed
from bilevel_lang.surrogate.training.fitting import LEAST_SAMPLES, load_torch
from bilevel_lang.surrogate.training.parameters import Shape
from bilevel_lang.surrogate.training.scaling import Scaling
from bilevel_lang.surrogate.training.settings import Settings

HIDDEN, FEATURES, EMBEDDING = 64, 32, 16
"""Neurons of the hidden layers of Phi1 and Phi2, features of a scenario, and numbers that N is told of a set."""

SETS = 12
"""Sets drawn for each decision."""


@dataclass(frozen=True, eq=False)
class TrainedEncoder:
    """``mae`` and ``max_error`` of the expected cost on held-out decisions and sets, ``seconds`` of wall clock."""

    network: ScenarioNetwork
    settings: Settings
    mae: float
    max_error: float
    seconds: float


def fit_sets(pairs: PairCosts, settings: Settings, deadline: float | None = None) -> TrainedEncoder:
    """A network for all sets of scenarios, N of kind ``settings.kind`` (``icnn``: convex in the decision) with its ``layers``.

    ``deadline``: a reading of ``time.perf_counter`` at which to stop. Raises UsageError for too few decisions,
    SolverMissingError without torch.
    """
    if len(pairs) < LEAST_SAMPLES:
        raise UsageError(f"{len(pairs)} decisions are too few to train a network", f"take {LEAST_SAMPLES} or more")
    return _Fit(pairs, settings).run(deadline)


class _Fit:
    def __init__(self, pairs: PairCosts, settings: Settings) -> None:
        self.torch = load_torch()
        self.settings = settings
        training, self.held = pairs.split(settings.hold_out, settings.seed)
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(settings.seed, spawn_key=(1,))))
        self.sets, self.held_sets = drawn_sets(training, SETS, generator), drawn_sets(self.held, SETS, generator)
        p, n = pairs.scenarios.shape[1], pairs.points.shape[1]
        self.shapes = (
            Shape(p, (HIDDEN,), FEATURES),
            Shape(FEATURES, (HIDDEN,), EMBEDDING),
            Shape(n + EMBEDDING, settings.layers, 1, settings.kind == "icnn"),
        )
        self.ends = np.cumsum([0, *(shape.size for shape in self.shapes)])
        self.outer = _outer_scaling(training, self.sets)
        self.inner = _box(pairs.scenarios.min(axis=0), pairs.scenarios.max(axis=0))
        self.decision = _box(pairs.lower, pairs.upper)
        self.x = self._tensor(self.decision.inputs(training.points))[self.sets.owner]
        self.scenarios = self._tensor(self.inner.inputs(pairs.scenarios))
        self.t = self._tensor(self.outer.targets(self.sets.costs[:, None]))
        weights = training.weights[self.sets.owner]
        self.w = self._tensor(weights / weights.mean() if weights.any() else np.ones(len(weights)))
        self.nonnegative, self.penalised = self._flags()

    def run(self, deadline: float | None) -> TrainedEncoder:
        began, settings = time.perf_counter(), self.settings
        starts = [shape.start(settings.seed + k) for k, shape in enumerate(self.shapes)]
        vector = self._tensor(np.concatenate(starts)).requires_grad_(True)
        adam = self.torch.optim.Adam([vector], lr=settings.rate)
        best, best_error, since, step = vector.detach().clone(), math.inf, 0, 0
        while step < settings.steps and since < settings.patience:
            step = self._steps(vector, adam, step)
            error = self._held_error(vector)
            since += 1
            if error < best_error * (1.0 - 1e-3):
                best, best_error, since = vector.detach().clone(), error, 0
            if deadline is not None and time.perf_counter() >= deadline:
                break
        network = self.network(best.numpy())
        off = self._errors(network)
        return TrainedEncoder(network, settings, float(off.mean()), float(off.max()), time.perf_counter() - began)

    def _steps(self, vector: Any, adam: Any, step: int) -> int:
        """The steps until the held-out decisions are looked at; the number of the last one."""
        settings = self.settings
        generator = np.random.Generator(np.random.Philox(key=[settings.seed, step]))
        for _ in range(min(settings.check, settings.steps - step)):
            adam.param_groups[0]["lr"] = settings.rate * 0.5 * (1.0 + math.cos(math.pi * step / settings.steps)) + 1e-6
            adam.zero_grad()
            loss = self._loss(vector, generator.integers(0, len(self.sets.owner), settings.batch))
            loss.backward()
            adam.step()
            with self.torch.no_grad():
                vector.copy_(self.torch.where(self.nonnegative, vector.clamp(min=0.0), vector))
            step += 1
        return step

    def _loss(self, vector: Any, batch: Any) -> Any:
        first, second, third = self._matrices(vector)
        features, _ = self.shapes[0].forward(first, self.scenarios)
        means = self._tensor(self.sets.weights[batch].toarray()) @ features
        told, _ = self.shapes[1].forward(second, means)
        found, _ = self.shapes[2].forward(third, self.torch.cat([self.x[batch], told], dim=1))
        off = ((found - self.t[batch]) ** 2).ravel()
        return (self.w[batch] * off).mean() + self.settings.l1 * (vector * self.penalised).abs().sum()

    def _matrices(self, vector: Any) -> list[Any]:
        parts = vector.split(np.diff(self.ends).tolist())
        return [shape.matrices(part) for shape, part in zip(self.shapes, parts, strict=True)]

    # --- The held-out decisions.

    def _held_error(self, vector: Any) -> float:
        off, weights = self._errors(self.network(vector.detach().numpy())), self.held.weights[self.held_sets.owner]
        return float(np.average(off, weights=weights if weights.any() else None))

    def _errors(self, network: ScenarioNetwork) -> Floats:
        sets = self.held_sets
        found = network.over_sets(self.held.points[sets.owner], self.held.scenarios, sets.weights)
        return np.abs(found - sets.costs)

    # --- Between the two worlds.

    def network(self, vector: Floats) -> ScenarioNetwork:
        """What the parameters stand for, in the units of the samples."""
        features, embedding, value = (
            shape.network(vector[low:up]) for shape, low, up in zip(self.shapes, self.ends[:-1], self.ends[1:], strict=True)
        )
        plain = (np.zeros(EMBEDDING), np.ones(EMBEDDING))
        centre, half = (np.concatenate(pair) for pair in zip((self.decision.centre, self.decision.half), plain, strict=True))
        value = Scaling(centre, half, self.outer.mean, self.outer.size).folded(value)
        scenario = Scaling(self.inner.centre, self.inner.half, np.zeros(FEATURES), np.ones(FEATURES))
        return composed(scenario.folded(features), embedding, value)

    def _flags(self) -> tuple[Any, Any]:
        """(size,): what stays >= 0, and what the L1 term shrinks: weights of N alone."""
        flags = np.zeros((2, int(self.ends[-1])), dtype=bool)
        flags[0, self.ends[2] :] = self.shapes[2].nonnegative()
        flags[1, self.ends[2] :] = self.shapes[2].penalised()
        return self.torch.as_tensor(flags[0]), self._tensor(flags[1].astype(float))

    def _tensor(self, array: Floats) -> Any:
        return self.torch.tensor(array, dtype=self.torch.float64)


def _box(lower: Floats, upper: Floats) -> Scaling:
    """To [-1, 1]."""
    half = (upper - lower) / 2
    return Scaling((lower + upper) / 2, np.where(half > 0, half, 1.0), np.zeros(1), np.ones(1))


def _outer_scaling(pairs: PairCosts, sets: Sets) -> Scaling:
    """Costs to mean 0 and size 1, by what the decisions count."""
    weights = pairs.weights[sets.owner]
    weights = weights if weights.any() else np.ones(len(weights))
    mean = float(np.average(sets.costs, weights=weights))
    spread = math.sqrt(float(np.average((sets.costs - mean) ** 2, weights=weights)))
    size = spread if spread > 1e-12 * max(1.0, abs(mean)) else 1.0
    return Scaling(np.zeros(1), np.ones(1), np.array([mean]), np.array([size]))
