"""The form partition against the forward pass and against the split form."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.embedding.partition import blocks
from tests.surrogate.embedding.solving import check_against_split, check_outputs_at_points


@pytest.mark.parametrize("seed", range(3))
def test_with_inputs_fixed_the_output_is_the_network_s(seed: int) -> None:
    check_outputs_at_points("partition", seed)


@pytest.mark.parametrize("seed", range(3))
def test_optimum_and_switches_are_those_of_the_split_form(seed: int) -> None:
    check_against_split("partition", seed)


def test_blocks_add_up_and_are_sorted() -> None:
    weights = sp.csr_matrix(np.array([[3.0, -1.0, 2.0, 0.0], [0.0, 5.0, 0.0, 0.0]]))
    small, large = blocks(weights)
    assert (small + large - weights).nnz == 0
    assert small.toarray()[0].tolist() == [0.0, -1.0, 2.0, 0.0] and large.toarray()[0].tolist() == [3.0, 0.0, 0.0, 0.0]
