"""The form big-m against the forward pass and against the split form."""

from __future__ import annotations

import pytest

from tests.surrogate.embedding.solving import check_against_split, check_outputs_at_points


@pytest.mark.parametrize("seed", range(3))
def test_with_inputs_fixed_the_output_is_the_network_s(seed: int) -> None:
    check_outputs_at_points("big-m", seed)


@pytest.mark.parametrize("seed", range(3))
def test_optimum_and_switches_are_those_of_the_split_form(seed: int) -> None:
    check_against_split("big-m", seed)
