from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.linear.encoding import padded


def test_a_start_is_padded_with_what_is_not_known():
    assert padded(None, 4) is None
    found = padded(np.array([1.0, 2.0]), 4)
    assert found is not None and found[:2].tolist() == [1, 2] and np.isnan(found[2:]).all()
