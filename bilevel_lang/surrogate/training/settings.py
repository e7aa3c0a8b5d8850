"""How a network is trained: numbers only, so that a record, a checkpoint and the command line can hold them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from bilevel_lang.errors import UsageError

KINDS = ("relu", "icnn")


@dataclass(frozen=True, slots=True)
class Settings:
    """What is trained and how hard; every weight is of a term of the loss on data scaled to size 1.

    ``kind`` ``relu``: any weights; ``icnn``: convex in its inputs (``curvature`` +1) or concave (-1). ``layers`` are the widths
    of the hidden layers. ``steps`` of Adam at most, ``batch`` samples each; ``rate`` is the first learning rate, which falls to
    nothing along a cosine. Every ``check`` steps the held-out share of the samples is looked at; after ``patience`` looks without
    gain it is over. ``sobolev`` weighs errors of the gradient, ``l1`` the size of hidden weights, ``stability`` neurons that
    change sign in the box (Xiao et al. 2019, ICLR, eq. 3). ``prune``: weights below this share of the largest of their layer are
    dropped at the end, if the held-out error stays within a tenth. ``linear_start``: begin with the least-squares line, not at
    random.
    """

    kind: str = "relu"
    layers: tuple[int, ...] = (32, 32)
    curvature: int = 1
    steps: int = 3000
    batch: int = 256
    rate: float = 1e-2
    check: int = 50
    patience: int = 20
    hold_out: float = 0.2
    sobolev: float = 0.0
    l1: float = 1e-4
    stability: float = 0.0
    prune: float = 1e-3
    linear_start: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises UsageError for what makes no sense."""
        if self.kind not in KINDS:
            raise UsageError(f"no network of kind {self.kind!r}", "there are " + ", ".join(KINDS))
        if not self.layers or min(self.layers) < 1 or max(self.layers) > 4096:
            raise UsageError(f"layers {self.layers!r}", "give the widths of the hidden layers, 1 to 4096 each, as 50x50")
        if self.curvature not in (-1, 1):
            raise UsageError(f"curvature {self.curvature!r} is neither 1 (convex) nor -1 (concave)")
        if not 0.0 < self.hold_out < 1.0:
            raise UsageError(f"hold_out {self.hold_out!r} is not between 0 and 1")
        if min(self.steps, self.batch, self.check, self.patience) < 1 or self.rate <= 0.0:
            raise UsageError("steps, batch, check, patience and rate have to be positive")
        if min(self.sobolev, self.l1, self.stability, self.prune) < 0.0:
            raise UsageError("weights of the loss cannot be negative")

    def fingerprint(self, data: str) -> str:
        """SHA-256 of the settings and ``data`` (a hash of the samples): what a checkpoint belongs to."""
        return hashlib.sha256(json.dumps([asdict(self), data], sort_keys=True).encode()).hexdigest()
