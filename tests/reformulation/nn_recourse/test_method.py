from __future__ import annotations

from typing import Any

import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_options import NnOptions
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.stochastic_models import FARMER, LATE, RISKY, THREE, farmer, newsvendor, newsvendor_with_profit


@pytest.mark.parametrize(
    ("make", "text", "optimum"), [(newsvendor, THREE + LATE, 1110), (farmer, FARMER, -108390)], ids=["news", "farmer"]
)
def test_a_linear_second_stage_is_solved_to_a_proven_optimum(make: Any, text: str, optimum: float) -> None:
    found = bl.solve(make(), text, method="nn-embed")
    assert found.status.value == "optimal"
    assert found.objective == pytest.approx(optimum, rel=1e-6)
    assert found.bound == pytest.approx(optimum, rel=1e-6)
    assert found.certificate is not None and found.certificate.verified
    assert found.surrogate is not None and found.surrogate["kind"] == "cuts"


def test_both_methods_agree_on_binary_decisions_with_an_integer_second_stage() -> None:
    mine = bl.solve(facilities(True), ANNOTATION, method="nn-embed")
    theirs = bl.solve(facilities(True), ANNOTATION, method="extensive-form")
    assert mine.status.value == theirs.status.value == "optimal"
    assert mine.objective == pytest.approx(theirs.objective)


def test_an_approximation_is_called_so_and_has_a_bound() -> None:
    pytest.importorskip("torch")
    nn = NnOptions(network="icnn", samples=12, layers=(4,))
    found = bl.solve(facilities(True, binary=False), ANNOTATION, method="nn-embed", nn=nn)
    assert found.status.value == "feasible"
    assert found.exactness is not None and found.exactness.value == "approximation"
    assert found.bound is not None and found.objective is not None and found.bound <= found.objective
    assert found.stochastic is not None and found.stochastic.evpi is None
    assert found.approximate_objective is not None


def test_what_it_does_not_take_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="`folder` is for followers"):
        bl.solve(newsvendor(), THREE + LATE, method="nn-embed", nn=NnOptions(folder="here"))  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="no measure of risk"):
        bl.solve(newsvendor_with_profit(), RISKY + "cvarlo p 0.3\n", method="nn-embed")
    with pytest.raises(RefusedError, match="does not run on scip"):
        bl.solve(newsvendor(), THREE + LATE, method="nn-embed", solver="scip")
