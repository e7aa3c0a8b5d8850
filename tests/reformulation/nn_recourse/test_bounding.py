from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.bounding import Bounding
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.nn_recourse.loading import loading
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.stochastic_models import FARMER, LATE, THREE, farmer, newsvendor


def scarce() -> Any:
    """The newsvendor who may miss 20 at most: fewer than 70 are infeasible."""
    m = newsvendor()
    m.l.setub(20)
    return m


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (newsvendor, THREE + LATE),
        (farmer, FARMER),
        (scarce, THREE + LATE),
        (lambda: facilities(False), ANNOTATION),
        (lambda: facilities(False, binary=False), ANNOTATION),
    ],
    ids=["news", "farmer", "scarce", "binary", "continuous"],
)
def test_bound_and_value_meet_at_the_optimum_of_the_extensive_form(make: Any, text: str) -> None:
    arrays = arrays_of_text(make(), text)
    found = Bounding(arrays, None, None).run()
    theirs = Highs().run_matrix(extensive_form(arrays), SolverOptions())
    assert found.ended is Termination.OPTIMAL
    assert arrays.sense * found.value == pytest.approx(theirs.objective, rel=1e-6)
    assert found.bound <= found.value
    assert found.bound == pytest.approx(found.value, rel=1e-6)


def test_the_bound_of_an_integer_second_stage_is_that_of_its_relaxation() -> None:
    whole, parts = (arrays_of_text(facilities(w), ANNOTATION) for w in (True, False))
    optimum = Highs().run_matrix(extensive_form(whole), SolverOptions()).objective
    relaxed = Highs().run_matrix(extensive_form(parts), SolverOptions()).objective
    found = Bounding(whole, None, None).run()
    assert found.bound == pytest.approx(relaxed, rel=1e-6)
    assert optimum is not None and found.bound < optimum - 0.1


@pytest.mark.parametrize("exactly", [False, True])
@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("seed", range(3))
def test_the_bound_of_patterns_is_between_that_of_the_relaxation_and_the_optimum(seed: int, sense: int, exactly: bool) -> None:
    """Binaries beside a continuous decision, equality rows, both senses."""
    arrays = loading(seed, sense, exactly)
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions(gap=0.0)).objective
    assert optimum is not None
    relaxed = Bounding(arrays, None, None).run(patterns=False)
    bounding = Bounding(arrays, None, None)
    found = bounding.run()
    assert bounding.patterns is not None
    assert found.ended is Termination.OPTIMAL
    assert found.bound <= sense * optimum + 1e-6
    assert found.bound >= relaxed.bound - 1e-3 * abs(relaxed.bound)


def test_patterns_close_a_part_of_the_relaxations_gap() -> None:
    left, all_of_it = 0.0, 0.0
    for seed in range(2):
        arrays = loading(seed)
        optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions(gap=0.0)).objective
        assert optimum is not None
        left += optimum - Bounding(arrays, None, None).run().bound
        all_of_it += optimum - Bounding(arrays, None, None).run(patterns=False).bound
    assert all_of_it > 1
    assert left < 0.9 * all_of_it


def test_bounding_goes_on_from_what_is_known() -> None:
    arrays = loading(1)
    bounding = Bounding(arrays, None, None)
    first = bounding.run(patterns=False)
    cuts = len(bounding.cuts.slopes)
    second = bounding.run()
    assert len(bounding.cuts.slopes) > cuts
    assert second.bound >= first.bound
    assert second.bound == pytest.approx(Bounding(arrays, None, None).run().bound, rel=2e-3)


def test_no_time_no_bound() -> None:
    found = Bounding(loading(1), None, time.perf_counter()).run()
    assert found.ended is Termination.LIMIT
    assert found.bound == -np.inf


def test_no_decision_at_all() -> None:
    m: Any = newsvendor()
    m.l.setub(20)
    m.x.setub(50)
    found = Bounding(arrays_of_text(m, THREE + LATE), None, None).run()
    assert found.ended is Termination.INFEASIBLE
    assert found.x is None
