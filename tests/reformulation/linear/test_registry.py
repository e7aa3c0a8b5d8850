from __future__ import annotations

from bilevel_lang.reformulation.linear.registry import LINEAR_ENCODINGS, linear_encoding
from bilevel_lang.solvers.registry import SOLVERS


def test_names_are_found_and_unique():
    names = [e.name for e in LINEAR_ENCODINGS]
    assert len(names) == len(set(names))
    assert all(linear_encoding(name) is e for name, e in zip(names, LINEAR_ENCODINGS, strict=True))
    assert linear_encoding("nonsense") is None


def test_every_encoding_names_solvers_that_take_arrays():
    known = {s.name: s for s in SOLVERS}
    for encoding in LINEAR_ENCODINGS:
        assert encoding.solvers and all(hasattr(known[name], "run_matrix") for name in encoding.solvers)
