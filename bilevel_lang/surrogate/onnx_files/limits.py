"""How large an ONNX file may claim to be. Everything is compared with these before memory is taken for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """``file_bytes`` of the file; ``elements`` of one tensor; ``nodes`` of the graph; ``columns`` (inputs and neurons together);
    ``nonzeros`` of one affine map; ``axes`` of one tensor. What is larger could not be embedded in any case."""

    file_bytes: int = 256 * 2**20
    elements: int = 30_000_000
    nodes: int = 20_000
    columns: int = 100_000
    nonzeros: int = 30_000_000
    axes: int = 16


LIMITS = Limits()
