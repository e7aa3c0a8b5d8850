"""The expected cost of a decision over a set of scenarios, whatever the set: N(x, l) with l = Phi2(sum_k p_k Phi1(s_k)).

Phi1 makes features of one scenario, their mean weighted by the probabilities stands for the set, Phi2 turns it into what N needs
to know of it. The order of the scenarios cannot matter, nor whether one that is twice as likely is written once or twice; nothing
is padded and nothing dropped at random. Zaheer et al. 2017, NeurIPS ("Deep sets"); Dumouchelle et al. 2022, "Neur2SP"
(arXiv:2205.12006), section 4.2; with N input-convex in x: "ICNN-enhanced 2SP" (arXiv:2505.05261), equations 7 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Affine, Floats, Network
from bilevel_lang.surrogate.scenario_encoder.folding import with_last_inputs


@dataclass(frozen=True, eq=False)
class ScenarioNetwork:
    """``features`` is Phi1, parameters (p,) to (e,); ``cost`` is N after Phi2, [decision (n,) | mean features (e,)] to (1,).

    Raises ValueError where the two do not fit.
    """

    features: Network
    cost: Network

    def __post_init__(self) -> None:
        if self.cost.inputs <= self.features.outputs or self.cost.outputs != 1:
            raise ValueError(
                f"{self.features.outputs} features do not fit a cost of {self.cost.inputs} inputs and {self.cost.outputs} outputs"
            )

    @property
    def parameters(self) -> int:
        """How many numbers a scenario is (p)."""
        return self.features.inputs

    @property
    def decisions(self) -> int:
        """How many numbers a decision is (n)."""
        return self.cost.inputs - self.features.outputs

    def mean_features(self, values: Floats, probabilities: Floats) -> Floats:
        """(e,): the set of scenarios ``values`` (S, p) with ``probabilities`` (S,), which sum to 1."""
        return np.asarray(probabilities @ self.features(values), dtype=float)

    def at(self, values: Floats, probabilities: Floats) -> Network:
        """The expected cost over that set as a network of the decision alone: this is what goes into a program."""
        return with_last_inputs(self.cost, self.mean_features(values, probabilities))

    def over_sets(self, points: Floats, values: Floats, weights: sp.csr_matrix) -> Floats:
        """(k,) the costs of ``points`` (k, n), each over its own set: row k of ``weights`` (k, S) are its probabilities."""
        means = np.asarray(weights @ self.features(values))
        return self.cost(np.hstack([points, means])).ravel()


def composed(features: Network, embedding: Network, value: Network) -> ScenarioNetwork:
    """Phi1, Phi2 (e to q) and N of [decision (n) | embedding (q)] as one: Phi2 becomes the first layers of ``cost``."""
    e, q = embedding.inputs, embedding.outputs
    n = value.inputs - q
    hidden = [Affine(_shifted(layer.weights, n), layer.bias) for layer in embedding.hidden]
    last = embedding.output
    hidden += [_after(layer, last, n) for layer in value.hidden]
    return ScenarioNetwork(features, Network(n + e, tuple(hidden), _after(value.output, last, n)))


def _shifted(weights: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """The same with ``n`` columns before it that it does not see."""
    return sp.csr_matrix(sp.hstack([sp.csr_matrix((weights.shape[0], n)), weights]))


def _after(layer: Affine, embedding: Affine, n: int) -> Affine:
    """A layer over [decision | embedding | neurons] as one over [decision | mean features and neurons of Phi2 | neurons]."""
    q = len(embedding.bias)
    weights = layer.weights.tocsc()
    seen = weights[:, n : n + q]
    parts = [weights[:, :n], seen @ embedding.weights, weights[:, n + q :]]
    return Affine(sp.csr_matrix(sp.hstack(parts)), layer.bias + np.asarray(seen @ embedding.bias).ravel())
