"""What a network is trained on: points, the numbers wanted there, and how much each point counts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bilevel_lang.surrogate.network import Bools, Floats

Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Labels:
    """``inputs`` (k, n) and ``targets`` (k, o), finite; ``gradients`` (k, n) of the only output, NaN rows where unknown, or None;
    ``weights`` (k,) >= 0, None: all 1; ``lower`` and ``upper`` (n,) the box in which the network will be used.

    Raises ValueError for shapes that do not fit.
    """

    inputs: Floats
    targets: Floats
    lower: Floats
    upper: Floats
    gradients: Floats | None = None
    weights: Floats | None = None

    def __post_init__(self) -> None:
        k, n = self.inputs.shape
        if self.targets.shape[0] != k or self.targets.ndim != 2 or self.lower.shape != (n,) or self.upper.shape != (n,):
            raise ValueError(f"inputs {self.inputs.shape}, targets {self.targets.shape} and box {self.lower.shape} do not fit")
        if not (np.isfinite(self.inputs).all() and np.isfinite(self.targets).all()):
            raise ValueError("inputs and targets have to be finite")
        if not (np.isfinite(self.lower).all() and np.isfinite(self.upper).all()):
            raise ValueError("the box has to be finite")
        if self.gradients is not None and (self.gradients.shape != (k, n) or self.targets.shape[1] != 1):
            raise ValueError("gradients are for one output, one row a sample")
        if self.weights is not None and (self.weights.shape != (k,) or (self.weights < 0).any()):
            raise ValueError("weights are one number >= 0 a sample")

    def __len__(self) -> int:
        return len(self.inputs)

    def rows(self, chosen: Ints | Bools) -> Labels:
        """The samples ``chosen`` (indices or flags)."""
        return Labels(
            self.inputs[chosen],
            self.targets[chosen],
            self.lower,
            self.upper,
            None if self.gradients is None else self.gradients[chosen],
            None if self.weights is None else self.weights[chosen],
        )

    def split(self, share: float, seed: int) -> tuple[Labels, Labels]:
        """(training, held out): the same for the same seed and number of samples; at least one sample in each part."""
        order = np.random.Generator(np.random.Philox(seed)).permutation(len(self))
        held = min(max(1, round(share * len(self))), len(self) - 1)
        return self.rows(np.sort(order[held:])), self.rows(np.sort(order[:held]))

    def content_hash(self) -> str:
        """SHA-256 of all numbers."""
        digest = hashlib.sha256()
        for array in (self.inputs, self.targets, self.lower, self.upper, self.gradients, self.weights):
            digest.update(b"none" if array is None else str(array.shape).encode() + np.ascontiguousarray(array + 0.0).tobytes())
        return digest.hexdigest()
