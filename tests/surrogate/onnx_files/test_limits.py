"""The limits are large enough for what can be embedded and small enough for a laptop."""

from __future__ import annotations

from bilevel_lang.surrogate.onnx_files.limits import LIMITS


def test_largest_matrices_fit_into_a_file_and_into_memory() -> None:
    assert LIMITS.elements * 8 <= LIMITS.file_bytes
    assert LIMITS.nonzeros * 12 <= 2**30
