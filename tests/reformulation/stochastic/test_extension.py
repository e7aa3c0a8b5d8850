from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic.extension import Extension
from tests.reformulation.stochastic.test_compilation import EVERYWHERE, everywhere
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def test_what_was_there_stays_in_its_place_and_what_varies_goes_with_it() -> None:
    old = arrays_of_text(everywhere(), EVERYWHERE)
    extension = Extension(old)
    early, late = extension.first_column(-1.0, 2.0, 7.0), extension.second_column(0.0, 3.0, 8.0, integer=True)
    extension.entry(0, late, np.array([10.0, 20.0, 30.0]))
    extension.row({early: 1.0, 0: 2.0}, {late: 3.0, 1: 4.0}, -5.0, 6.0)
    extension.couple({early: 1.0}, {late: 2.0}, 0.0, 1.0)
    new = extension.finished()
    n1, n2, m2 = len(old.first.lower), len(old.lower), len(old.row_lower)
    assert (early, late) == (n1, n2)
    for number in range(3):
        before, after = old.scenario(number), new.scenario(number)
        assert after.technology.toarray()[:m2, :n1].tolist() == before.technology.toarray().tolist()
        recourse = after.recourse.toarray()
        assert recourse[:m2, :n2].tolist() == before.recourse.toarray().tolist()
        assert recourse[0, late] == [10, 20, 30][number]
        assert recourse[m2].tolist() == pytest.approx([4.0 if k == 1 else 3.0 if k == late else 0.0 for k in range(n2 + 1)])
        assert after.technology.toarray()[m2].tolist() == [2.0 if k == 0 else 1.0 if k == early else 0.0 for k in range(n1 + 1)]
        assert after.lower[:n2].tolist() == before.lower.tolist()
        assert after.upper[:n2].tolist() == before.upper.tolist()
        assert (after.row_lower[m2], after.row_upper[m2]) == (-5.0, 6.0)
    assert (new.first.cost[early], new.cost[late], bool(new.integer[late])) == (7.0, 8.0, True)
    (coupling,) = new.couplings
    assert (coupling.first[early], coupling.second[late]) == (1.0, 2.0)
    assert len(old.lower) == n2, "the old arrays are left alone"
