"""Inputs to [-1, 1], outputs to mean 0 and size 1; both are folded into the network that leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Affine, Floats, Network
from bilevel_lang.surrogate.training.labels import Labels


@dataclass(frozen=True, eq=False)
class Scaling:
    """Scaled inputs are ``(x - centre) / half`` (n,), scaled outputs ``(t - mean) / size`` (o,)."""

    centre: Floats
    half: Floats
    mean: Floats
    size: Floats

    def inputs(self, x: Floats) -> Floats:
        """Scaled inputs (k, n)."""
        scaled: Floats = (x - self.centre) / self.half
        return scaled

    def targets(self, t: Floats) -> Floats:
        """Scaled outputs (k, o)."""
        scaled: Floats = (t - self.mean) / self.size
        return scaled

    def gradients(self, g: Floats) -> Floats:
        """Gradients (k, n) of the scaled output by the scaled inputs."""
        scaled: Floats = g * self.half / self.size[0]
        return scaled

    def folded(self, network: Network) -> Network:
        """``network``, which speaks of scaled numbers, as one that speaks of the original ones."""
        n = network.inputs
        layers = []
        for layer in (*network.hidden, network.output):
            weights = layer.weights.tolil(copy=True).tocsc()
            own = weights[:, :n] @ sp.diags(1.0 / self.half)
            bias = layer.bias - own @ self.centre
            layers.append((sp.csr_matrix(sp.hstack([own, weights[:, n:]])), np.asarray(bias).ravel()))
        weights, bias = layers.pop()
        output = Affine(sp.csr_matrix(sp.diags(self.size) @ weights), bias * self.size + self.mean)
        return Network(n, tuple(Affine(w, b) for w, b in layers), output)


def scaling_of(labels: Labels) -> Scaling:
    """From the box, and from the targets' weighted mean and spread; what does not vary is left as it is."""
    centre, half = (labels.lower + labels.upper) / 2, (labels.upper - labels.lower) / 2
    half = np.where(half > 0, half, 1.0)
    weights = np.ones(len(labels)) if labels.weights is None or not labels.weights.any() else labels.weights
    mean = np.average(labels.targets, axis=0, weights=weights)
    spread = np.sqrt(np.average((labels.targets - mean) ** 2, axis=0, weights=weights))
    size = np.where(spread > 1e-12 * np.maximum(1.0, np.abs(mean)), spread, 1.0)
    return Scaling(centre, half, mean, size)
