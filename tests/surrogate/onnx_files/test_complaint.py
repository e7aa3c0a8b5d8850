"""A complaint carries its mend."""

from __future__ import annotations

from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError


def test_fact_and_mend() -> None:
    complaint = ComplaintError("a fact", "a mend")
    assert (str(complaint), complaint.mend) == ("a fact", "a mend")
