"""Instances compare by what they say."""

from __future__ import annotations

from dataclasses import replace

from tests.mps_files.instances import AUX, MPS, read


def test_free_rows_do_not_make_another_problem() -> None:
    mps = read(MPS, AUX).mps
    assert replace(mps, free_rows=2) == mps
    assert replace(mps, constant=1.0) != mps
