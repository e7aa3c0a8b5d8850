"""RHS, RANGES and BOUNDS, line by line; ``test_draft.py`` has what they mean."""

from __future__ import annotations

import pytest

from bilevel_lang.errors import BilevelError
from bilevel_lang.mps_files.mps_reading import read_mps
from tests.mps_files.instances import MPS


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" rhs cap 4", " rhs cap", "mps>:11:"),
        (" rhs cap 4", " rhs obj 4 obj 5", "second right-hand side"),
        (" rhs cap 4", " rhs cap 1e20", "not a number below"),
        ("BOUNDS", "RANGES\n rng obj 2\nBOUNDS", "it has no range"),
        ("BOUNDS", "RANGES\n rng cap 2 cap 3\nBOUNDS", "second range"),
        ("BOUNDS", "RANGES\n rng nix 2\nBOUNDS", "there is no row `nix`"),
        (" UP bnd x 3", " LO bnd x inf", "no value of `x`"),
        (" UP bnd x 3", " UP bnd x -inf", "no value of `x`"),
        (" UP bnd x 3", " UP bnd x 3 4", "number of fields"),
        (" UP bnd x 3", " UP bnd x 3x", "`3x` is not a number"),
        (" UP bnd x 3", " FX bnd x 3\n UP bnd x 4", "this bound already"),
        (" UP bnd x 3", " UP bnd x 3\n UP other y 4", "second set of bounds"),
    ],
)
def test_mistakes(old: str, new: str, said: str) -> None:
    with pytest.raises(BilevelError) as caught:
        read_mps(MPS.replace(old, new))
    assert said in str(caught.value)


def test_two_pairs_on_a_line() -> None:
    found, _ = read_mps(MPS.replace(" rhs cap 4", " rhs cap 4 need -1"))
    assert (found.rows[0].upper, found.rows[1].lower) == (4.0, -1.0)
