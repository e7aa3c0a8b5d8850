"""Training: Adam on mini-batches, the best held-out state kept, pruned, scalings folded in; the same numbers for the same seed.

Everything is float64. torch runs on one thread here: on small networks more threads cost far more than they give. A GPU is used
where torch sees one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bilevel_lang.errors import SolverMissingError, UsageError
from bilevel_lang.surrogate.network import Floats, Network
from bilevel_lang.surrogate.training.checkpoints import State, load, save
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.linear_start import with_linear_part
from bilevel_lang.surrogate.training.parameters import Shape
from bilevel_lang.surrogate.training.scaling import Scaling, scaling_of
from bilevel_lang.surrogate.training.settings import Settings

LEAST_SAMPLES = 5

Progress = Callable[[int, int, float, float], None]
"""(step, steps at most, training loss, held-out mean absolute error in the targets' own units)."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A network and how it came about.

    ``validation_mae`` and ``validation_max_error`` are of the held-out samples, in the targets' own units; ``seconds`` of wall
    clock; ``history`` rows are (step, training loss, held-out mean absolute error).
    """

    network: Network
    settings: Settings
    samples: int
    validation_mae: float
    validation_max_error: float
    seconds: float
    history: tuple[tuple[int, float, float], ...]
    device: str


def fit(
    labels: Labels,
    settings: Settings,
    *,
    start: Network | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    deadline: float | None = None,
) -> Trained:
    """Train a network on ``labels``.

    ``start``: a network that :func:`fit` gave with the same kind and layers, to go on from. ``checkpoint``: a file that keeps the
    state at every look at the held-out samples; an interrupted training goes on from there to the same network. ``deadline``: a
    reading of ``time.perf_counter`` at which to stop. Raises UsageError for too few samples, SolverMissingError without torch.
    """
    if len(labels) < LEAST_SAMPLES:
        raise UsageError(f"{len(labels)} samples are too few to train a network", f"take {LEAST_SAMPLES} or more")
    return _Fit(labels, settings, start).run(checkpoint, progress, deadline)


def load_torch() -> Any:
    """torch, on one thread. Raises SolverMissingError with the line that installs it."""
    try:
        import torch
    except ImportError as error:
        raise SolverMissingError(f"torch is not installed ({error})", help="pip install 'bilevel-lang[nn]'") from error
    torch.set_num_threads(1)
    return torch


class _Fit:
    def __init__(self, labels: Labels, settings: Settings, start: Network | None) -> None:
        self.torch = load_torch()
        self.settings = settings
        self.training, self.held = labels.split(settings.hold_out, settings.seed)
        self.fingerprint = settings.fingerprint(labels.content_hash())
        self.scaling = scaling_of(self.training)
        self.sign = -1.0 if settings.kind == "icnn" and settings.curvature < 0 else 1.0
        self.shape = Shape(labels.inputs.shape[1], settings.layers, labels.targets.shape[1], settings.kind == "icnn")
        self.device = "cuda" if self.torch.cuda.is_available() else "cpu"
        self.x = self._tensor(self.scaling.inputs(self.training.inputs))
        self.t = self._tensor(self.sign * self.scaling.targets(self.training.targets))
        self.held_x = self._tensor(self.scaling.inputs(self.held.inputs))
        self.held_t = self._tensor(self.sign * self.scaling.targets(self.held.targets))
        self.units = self._tensor(self.scaling.size)
        self.w = self._weights()
        self.begin = self._begin() if start is None else self._vector_of(start)
        self.g, self.known = self._gradients()
        self.penalised = self._tensor(self.shape.penalised().astype(float))
        self.nonnegative = self.torch.as_tensor(self.shape.nonnegative(), device=self.device)

    def run(self, checkpoint: Path | None, progress: Progress | None, deadline: float | None) -> Trained:
        began = time.perf_counter()
        state = load(checkpoint, self.fingerprint, self.shape.size) if checkpoint is not None else None
        if state is None:
            zero = np.zeros(self.shape.size)
            state = State(self.begin.copy(), zero, zero.copy(), self.begin.copy())
            state.best_error = self._held_error(self.begin)
        settings = self.settings
        while state.step < settings.steps and state.since < settings.patience:
            loss = self._steps(state, min(settings.check, settings.steps - state.step))
            self._look(state, loss)
            if checkpoint is not None:
                save(checkpoint, state, self.fingerprint)
            if progress is not None:
                progress(state.step, settings.steps, loss, state.history[-1][2])
            if deadline is not None and time.perf_counter() >= deadline:
                break
        return self._trained(self._pruned(state.best), state, time.perf_counter() - began)

    # One stretch of steps between two looks

    def _steps(self, state: State, count: int) -> float:
        """``count`` steps of Adam in place; the mean loss. Batches depend on seed and step alone, also of a run that goes on."""
        torch, settings = self.torch, self.settings
        vector, first, second = (self._tensor(a) for a in (state.vector, state.first, state.second))
        plain = self.g is None and not settings.stability
        slope = torch.zeros_like(vector)
        if not plain:
            vector.requires_grad_(True)
        generator = np.random.Generator(np.random.Philox(key=[settings.seed, state.step]))
        total: Any = 0.0
        for _ in range(count):
            batch = self._batch(generator)
            if plain:
                loss = self._slope(vector, batch, slope)
            else:
                loss = self._loss(vector, batch)
                (slope,) = torch.autograd.grad(loss, vector)
            state.step += 1
            self._adam(vector, slope, first, second, state.step)
            total += loss.detach()
        state.vector, state.first, state.second = (a.detach().cpu().numpy().copy() for a in (vector, first, second))
        return float(total) / count

    def _batch(self, generator: np.random.Generator) -> Any:
        k, size = len(self.training), self.settings.batch
        return slice(None) if k <= size else self.torch.as_tensor(generator.integers(0, k, size), device=self.device)

    def _slope(self, vector: Any, batch: Any, into: Any) -> Any:
        """The loss of values alone; ``into`` (size,) becomes its gradient."""
        x, weights, matrices = self.x[batch], self.w[batch], self.shape.matrices(vector)
        found, seen = self.shape.forward(matrices, x)
        off = found - self.t[batch]
        scaled = off * (weights / off.numel())[:, None]
        self.shape.backward(matrices, x, seen, 2.0 * scaled, into)
        return (scaled * off).sum()

    def _loss(self, vector: Any, batch: Any) -> Any:
        settings = self.settings
        weights, matrices = self.w[batch], self.shape.matrices(vector)
        found, seen = self.shape.forward(matrices, self.x[batch])
        loss = (weights * ((found - self.t[batch]) ** 2).mean(1)).mean()
        if self.g is not None:
            off = ((self.shape.gradient(matrices, seen) - self.g[batch]) ** 2).mean(1)
            loss = loss + settings.sobolev * (weights * self.known[batch] * off).mean()
        if settings.stability:
            stable = [self.torch.tanh(1.0 + low * up).mean() for low, up in self.shape.interval(matrices)]
            loss = loss - settings.stability * sum(stable)
        return loss

    def _adam(self, vector: Any, slope: Any, first: Any, second: Any, step: int) -> None:
        """Kingma and Ba 2015, algorithm 1, with a rate that falls along a cosine, and the projection of a convex network."""
        rate = self.settings.rate * 0.5 * (1.0 + math.cos(math.pi * (step - 1) / self.settings.steps)) + 1e-6
        with self.torch.no_grad():
            # The derivative of l1 times the sum of magnitudes, which torch need not find out anew at every step.
            slope = slope.addcmul(vector.sign(), self.penalised, value=self.settings.l1)
            first.mul_(0.9).add_(slope, alpha=0.1)
            second.mul_(0.999).addcmul_(slope, slope, value=0.001)
            size = (second / (1.0 - 0.999**step)).sqrt_().add_(1e-8)
            vector.addcdiv_(first, size, value=-rate / (1.0 - 0.9**step))
            if self.shape.convex:
                vector.copy_(self.torch.where(self.nonnegative, vector.clamp(min=0.0), vector))

    # The held-out samples

    def _look(self, state: State, loss: float) -> None:
        error = self._held_error(state.vector)
        if error < state.best_error * (1.0 - 1e-3):
            state.best, state.best_error, state.since = state.vector.copy(), error, 0
        else:
            state.since += 1
        state.history.append((state.step, loss, error))

    def _held_error(self, vector: Floats) -> float:
        """Weighted mean absolute error on the held-out samples, in the targets' own units."""
        found, _ = self.shape.forward(self.shape.matrices(self._tensor(vector)), self.held_x)
        each: Floats = ((found - self.held_t).abs() * self.units).mean(1).cpu().numpy()
        weights = self.held.weights
        return float(np.average(each, weights=weights if weights is not None and weights.any() else None))

    def _pruned(self, vector: Floats) -> Floats:
        """Without weights that are small beside the others, as long as the held-out error stays within a tenth."""
        error, share = self._held_error(vector), self.settings.prune
        weights = np.asarray(self.shape.penalised())
        while share > 1e-9:
            thin: Floats = vector.copy()
            for part in self.shape.parts():
                for where in (part.W, part.D):
                    block = thin[where]
                    if block.size and weights[where].any():
                        block[np.abs(block) < share * np.abs(block).max()] = 0.0
            if self._held_error(thin) <= 1.1 * error:
                return thin
            share /= 10
        return vector

    # Between the two worlds

    def _network(self, vector: Floats) -> Network:
        return self.scaling.folded(self.shape.network(vector, negate=self.sign < 0))

    def _trained(self, vector: Floats, state: State, seconds: float) -> Trained:
        network = self._network(vector)
        off = np.abs(network(self.held.inputs) - self.held.targets)
        samples = len(self.training) + len(self.held)
        return Trained(
            network, self.settings, samples, float(off.mean()), float(off.max()), seconds, tuple(state.history), self.device
        )

    def _begin(self) -> Floats:
        vector = self.shape.start(self.settings.seed)
        if not self.settings.linear_start:
            return vector
        return with_linear_part(self.shape, vector, *(a.cpu().numpy() for a in (self.x, self.t, self.w)))

    def _vector_of(self, network: Network) -> Floats:
        """The parameters of a network of this shape, in the scaled numbers of these samples. Raises UsageError for another."""
        if network.inputs != self.shape.inputs or network.widths != self.shape.layers or network.outputs != self.shape.outputs:
            raise UsageError("the network to go on from has another shape", "leave `layers` as they were")
        scaled = unfolded(network, self.scaling)
        vector = np.zeros(self.shape.size)
        columns = network.inputs
        for part, layer in zip(self.shape.parts(), (*scaled.hidden, scaled.output), strict=True):
            sign = self.sign if layer is scaled.output else 1.0
            weights = sign * layer.weights.toarray()
            vector[part.D] = weights[:, : part.inputs].ravel() if part.inputs else []
            vector[part.W] = weights[:, columns - part.before : columns].ravel() if part.before else []
            vector[part.b] = sign * layer.bias
            columns += part.rows
        off = np.abs(self._network(vector)(self.held.inputs) - network(self.held.inputs)) / self.scaling.size
        if off.max() > 1e-6:
            raise UsageError("the network to go on from has connections that this kind has not", "leave `network` as it was")
        return vector

    def _tensor(self, array: Floats) -> Any:
        return self.torch.tensor(array, dtype=self.torch.float64, device=self.device)

    def _weights(self) -> Any:
        weights = self.training.weights
        if weights is None or not weights.any():
            weights = np.ones(len(self.training))
        return self._tensor(weights / weights.mean())

    def _gradients(self) -> tuple[Any, Any]:
        if self.training.gradients is None or not self.settings.sobolev:
            return None, None
        known = np.asarray(np.isfinite(self.training.gradients).all(axis=1))
        scaled: Floats = self.sign * self.scaling.gradients(np.where(known[:, None], self.training.gradients, 0.0))
        return self._tensor(scaled), self._tensor(known.astype(float))


def unfolded(network: Network, scaling: Scaling) -> Network:
    """The inverse of :meth:`Scaling.folded`."""
    back = Scaling(-scaling.centre / scaling.half, 1.0 / scaling.half, -scaling.mean / scaling.size, 1.0 / scaling.size)
    return back.folded(network)
