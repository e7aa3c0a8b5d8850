from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.continuous.policies import EPSILON, Policies
from tests.reformulation.value_function.continuous.programs import koeppe, mixed
from tests.reformulation.value_function.integer.programs import moore90


def test_a_constant_answer_is_infeasible_beyond_its_rows() -> None:
    policy = Policies(koeppe()).policy(np.array([0.0, 0.0]), sp.csr_matrix((2, 2)))
    (condition,) = policy.conditions  # 0 >= x
    assert condition.coefficients.tolist() == [1.0, 0.0]
    assert (condition.limit, condition.reach, condition.sure) == (0.0, 0.0, EPSILON)
    assert policy.objective(np.array([0.5, 1.0])) == 0.0
    assert policy.excess(np.array([0.5, 1.0])) == pytest.approx(0.5)
    assert policy.excess(np.array([0.0, 1.0])) == 0.0


def test_whole_rows_have_a_next_value() -> None:
    # y = 2 in -25 x + 20 y <= 30 and its neighbours: x >= 0.4, x <= 6, 2 x <= 17, -2 x <= 5; violated at the next whole number.
    policy = Policies(moore90()).policy(np.array([0.0, 2.0]), sp.csr_matrix((2, 2)))
    beyond = [(c.coefficients[0], c.limit, c.reach, c.sure) for c in policy.conditions]
    assert beyond == [(-25.0, -10.0, 0.0, 0.0), (1.0, 6.0, 7.0, 7.0), (2.0, 17.0, 18.0, 18.0), (-2.0, 5.0, 6.0, 6.0)]


def test_a_rule_has_the_rows_that_it_does_not_keep_by_itself() -> None:
    # w = x: 2 y + w >= x holds for all x, only w >= 0 is left, and its value is x.
    gain = sp.csr_matrix(([1.0], ([3], [0])), shape=(4, 4))
    policy = Policies(mixed()).policy(np.zeros(4), gain)
    (condition,) = policy.conditions
    assert (condition.coefficients.tolist(), condition.limit) == ([-1.0, 0.0, 0.0, 0.0], 0.0)
    assert policy.objective(np.array([4.0, 0.0, 0.0, 9.0])) == 4.0
