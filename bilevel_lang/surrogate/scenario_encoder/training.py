"""Training of a network of scenario sets: Adam, sets drawn anew for every step, what is best on held-out decisions kept.

A step looks at the decisions of a few groups, so that features are made of their scenarios only, once each, and the sets of the
batch are their weighted means: nothing is padded. float64, one thread, the same numbers for the same seed, interrupted or not.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.network import Floats
from bilevel_lang.surrogate.scenario_encoder.labels import Ints, PairCosts
from bilevel_lang.surrogate.scenario_encoder.network import ScenarioNetwork, composed
from bilevel_lang.surrogate.scenario_encoder.sets import SetDraw, Sets
from bilevel_lang.surrogate.training.checkpoints import State, load, save
from bilevel_lang.surrogate.training.fitting import LEAST_SAMPLES, load_torch
from bilevel_lang.surrogate.training.parameters import Shape
from bilevel_lang.surrogate.training.scaling import Scaling
from bilevel_lang.surrogate.training.settings import Settings

HIDDEN, FEATURES, EMBEDDING = 64, 32, 16
"""Neurons of the hidden layers of Phi1 and Phi2, features of a scenario, and numbers that N is told of a set."""

HELD, SCALED = 12, 4
"""Sets drawn for each held-out decision, to measure errors on; and for each of the others, to know the size of costs by."""

GROUPS = 16
"""Groups of decisions that a step looks at, each solved in the same scenarios."""

DRAWN = "sets 2"
"""How sets are drawn, for checkpoints: a training does not go on with other ones."""


@dataclass(frozen=True, eq=False)
class TrainedEncoder:
    """``mae`` and ``max_error`` of the expected cost on held-out decisions and sets, ``seconds`` of wall clock."""

    network: ScenarioNetwork
    settings: Settings
    mae: float
    max_error: float
    seconds: float


def fit_sets(pairs: PairCosts, settings: Settings, deadline: float | None = None, folder: Path | None = None) -> TrainedEncoder:
    """A network for all sets of scenarios, N of kind ``settings.kind`` (``icnn``: convex in the decision) with its ``layers``.

    ``deadline``: a reading of ``time.perf_counter`` at which to stop. ``folder`` keeps the state at every look at the held-out
    decisions: an interrupted training of the same pairs goes on from there to the same network. Raises UsageError for too few
    decisions and for a state that is damaged, SolverMissingError without torch.
    """
    if len(pairs) < LEAST_SAMPLES:
        raise UsageError(f"{len(pairs)} decisions are too few to train a network", f"take {LEAST_SAMPLES} or more")
    return _Fit(pairs, settings).run(deadline, folder)


class _Fit:
    def __init__(self, pairs: PairCosts, settings: Settings) -> None:
        self.torch = load_torch()
        self.settings = settings
        sizes = [DRAWN, HIDDEN, FEATURES, EMBEDDING, GROUPS]
        self.fingerprint = settings.fingerprint(json.dumps([*sizes, pairs.content_hash()]))
        training, self.held = pairs.split(settings.hold_out, settings.seed)
        self.draw = SetDraw(training)
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(settings.seed, spawn_key=(1,))))
        self.held_sets = SetDraw(self.held).each(HELD, generator)
        p, n = pairs.scenarios.shape[1], pairs.points.shape[1]
        self.shapes = (
            Shape(p, (HIDDEN,), FEATURES),
            Shape(FEATURES, (HIDDEN,), EMBEDDING),
            Shape(n + EMBEDDING, settings.layers, 1, settings.kind == "icnn"),
        )
        self.ends = np.cumsum([0, *(shape.size for shape in self.shapes)])
        self.outer = _outer_scaling(training, self.draw.each(SCALED, generator))
        self.inner = _box(pairs.scenarios.min(axis=0), pairs.scenarios.max(axis=0))
        self.decision = _box(pairs.lower, pairs.upper)
        self.x = self._tensor(self.decision.inputs(training.points))
        self.scenarios = self._tensor(self.inner.inputs(pairs.scenarios))
        weights = training.weights
        self.w = self._tensor(weights / weights.mean() if weights.any() else np.ones(len(weights)))
        self.nonnegative, self.penalised = self._flags()

    def run(self, deadline: float | None, folder: Path | None) -> TrainedEncoder:
        began, settings = time.perf_counter(), self.settings
        file = None if folder is None else folder / f"training-{self.fingerprint[:16]}.npz"
        state = None if file is None else load(file, self.fingerprint, int(self.ends[-1]))
        state = state or self._begin()
        while state.step < settings.steps and state.since < settings.patience:
            loss = self._steps(state)
            self._look(state, loss)
            if file is not None:
                save(file, state, self.fingerprint)
            if deadline is not None and time.perf_counter() >= deadline:
                break
        network = self.network(state.best)
        off = self._errors(network)
        return TrainedEncoder(network, settings, float(off.mean()), float(off.max()), time.perf_counter() - began)

    def _begin(self) -> State:
        start = np.concatenate([shape.start(self.settings.seed + k) for k, shape in enumerate(self.shapes)])
        return State(start, np.zeros_like(start), np.zeros_like(start), start.copy())

    def _steps(self, state: State) -> float:
        """The steps until the held-out decisions are looked at, in place; the mean loss. What is drawn depends on seed and step
        alone, also in a training that goes on."""
        settings, torch = self.settings, self.torch
        count = min(settings.check, settings.steps - state.step)
        generator = np.random.Generator(np.random.Philox(key=[settings.seed, state.step]))
        owners = [self.draw.batch(settings.batch, GROUPS, generator) for _ in range(count)]
        sets = self.draw.of(np.concatenate(owners), generator)
        vector = self._tensor(state.vector).requires_grad_(True)
        adam = torch.optim.Adam([vector], lr=settings.rate)
        moments = {"exp_avg": self._tensor(state.first), "exp_avg_sq": self._tensor(state.second)}
        adam.state[vector] = {"step": torch.tensor(float(state.step)), **moments}
        total = 0.0
        for k in range(count):
            rate = settings.rate * 0.5 * (1.0 + math.cos(math.pi * state.step / settings.steps)) + 1e-6
            adam.param_groups[0]["lr"] = rate
            adam.zero_grad()
            loss = self._loss(vector, sets.slice(k * settings.batch, (k + 1) * settings.batch))
            loss.backward()
            adam.step()
            with torch.no_grad():
                vector.copy_(torch.where(self.nonnegative, vector.clamp(min=0.0), vector))
            state.step += 1
            total += float(loss.detach())
        found = (vector, adam.state[vector]["exp_avg"], adam.state[vector]["exp_avg_sq"])
        state.vector, state.first, state.second = (array.detach().numpy().copy() for array in found)
        return total / count

    def _look(self, state: State, loss: float) -> None:
        error = self._held_error(state.vector)
        state.since += 1
        if error < state.best_error * (1.0 - 1e-3):
            state.best, state.best_error, state.since = state.vector.copy(), error, 0
        state.history.append((state.step, loss, error))

    def _loss(self, vector: Any, sets: Sets) -> Any:
        first, second, third = self._matrices(vector)
        seen, places = np.unique(sets.places, return_inverse=True)
        weights = np.zeros((len(sets.owner), len(seen)))
        np.add.at(weights, (np.arange(len(weights))[:, None], places.reshape(sets.places.shape)), sets.weights)
        features, _ = self.shapes[0].forward(first, self.scenarios[self._numbers(seen)])
        told, _ = self.shapes[1].forward(second, self._tensor(weights) @ features)
        owner = self._numbers(sets.owner)
        found, _ = self.shapes[2].forward(third, self.torch.cat([self.x[owner], told], dim=1))
        off = (found.ravel() - self._tensor((sets.costs - self.outer.mean) / self.outer.size)) ** 2
        return (self.w[owner] * off).mean() + self.settings.l1 * (vector * self.penalised).abs().sum()

    def _numbers(self, places: Ints) -> Any:
        return self.torch.as_tensor(places)

    def _matrices(self, vector: Any) -> list[Any]:
        parts = vector.split(np.diff(self.ends).tolist())
        return [shape.matrices(part) for shape, part in zip(self.shapes, parts, strict=True)]

    # --- The held-out decisions.

    def _held_error(self, vector: Floats) -> float:
        off, weights = self._errors(self.network(vector)), self.held.weights[self.held_sets.owner]
        return float(np.average(off, weights=weights if weights.any() else None))

    def _errors(self, network: ScenarioNetwork) -> Floats:
        sets = self.held_sets
        weights = sets.matrix(len(self.held.scenarios))
        found = network.over_sets(self.held.points[sets.owner], self.held.scenarios, weights)
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
