from __future__ import annotations

from typing import Any

import pytest

from bilevel_lang.reformulation.nn_recourse.bounding import Bounding
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions, Termination
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


def test_no_decision_at_all() -> None:
    m: Any = newsvendor()
    m.l.setub(20)
    m.x.setub(50)
    found = Bounding(arrays_of_text(m, THREE + LATE), None, None).run()
    assert found.ended is Termination.INFEASIBLE
    assert found.x is None
