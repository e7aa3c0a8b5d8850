from __future__ import annotations

from tests.reformulation.linear.models import bard511, mpec_of


def test_columns_and_pairs_have_names_that_a_user_knows():
    mpec = mpec_of(bard511())
    assert list(mpec.names()) == ["e[1]", "e[2]", "e[3]", "e[4]", "y.lower"]
    names = [mpec.column_name(j) for j in range(mpec.program.columns)]
    assert names[:3] == ["x", "y", "the slack of e[1]"]
    assert names[-1] == "the multiplier of y.lower" and len(set(names)) == len(names)
