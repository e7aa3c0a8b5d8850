from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import OnnxFileError, RefusedError
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse import encoder_training
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.nn_recourse.shops import LAWS, OTHERS, best_profit, shop, table
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
    with pytest.raises(RefusedError, match="`target` is for followers"):
        bl.solve(newsvendor(), THREE + LATE, method="nn-embed", nn=NnOptions(target="value"))
    with pytest.raises(RefusedError, match=r"`folder` is for networks of all sets of scenarios[\s\S]*--network encoder"):
        bl.solve(newsvendor(), THREE + LATE, method="nn-embed", nn=NnOptions(folder="here"))  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="measures of risk and chance constraints tie"):
        bl.solve(newsvendor_with_profit(), RISKY + "cvarlo p 0.3\n", method="nn-embed")
    with pytest.raises(RefusedError, match="does not run on scip"):
        bl.solve(newsvendor(), THREE + LATE, method="nn-embed", solver="scip")


def test_where_nothing_is_decided_first_there_is_nothing_to_learn() -> None:
    m = newsvendor()
    m.x.fix(40)
    with pytest.raises(RefusedError, match=r"nothing is decided in the first stage[\s\S]*extensive-form"):
        bl.solve(m, THREE + LATE, method="nn-embed")


def test_decisions_that_the_second_stage_does_not_see_are_decided_by_themselves() -> None:
    m = newsvendor()
    m.x.fix(60)
    m.s.domain = pyo.Integers
    m.w = pyo.Var(domain=pyo.Binary)
    m.profit.expr = m.profit.expr + 3 * m.w
    found = bl.solve(m, THREE + LATE, method="nn-embed")
    assert (found.status.value, found.variables) == ("optimal", {"w": 1})
    assert found.objective == pytest.approx(1113)


def test_options_that_do_not_go_together_are_refused() -> None:
    for word, nn in (
        ("`samples` is for a network that is trained, and `surrogate` brings one", {"surrogate": "a.onnx", "samples": 20}),
        ("`save_surrogate` is for a network that is trained", {"surrogate": "a.onnx", "save_surrogate": "b.onnx"}),
        ("`icnn` is of one set of scenarios", {"network": "icnn", "save_surrogate": "b.onnx"}),
    ):
        with pytest.raises(RefusedError, match=word):
            bl.solve(newsvendor(), THREE + LATE, method="nn-embed", nn=NnOptions(**nn))  # type: ignore[arg-type]


def test_a_network_that_was_kept_serves_another_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr(encoder_training, "STEPS", 400)
    net = tmp_path / "net.onnx"
    nn = NnOptions(save_surrogate=net, samples=60, layers=(12,))
    first = bl.solve(shop(), LAWS, method="nn-embed", scenarios=10, nn=nn)
    assert first.certificate is not None and first.certificate.verified
    values, shares = OTHERS[1]
    again = bl.solve(shop(), table(values, shares), method="nn-embed", nn=NnOptions(surrogate=net))
    assert again.certificate is not None and again.certificate.verified
    assert again.objective is not None and again.bound is not None
    assert again.objective == pytest.approx(best_profit(values, shares), rel=0.03)
    assert again.bound >= best_profit(values, shares) - 1e-6
    assert again.surrogate is not None and again.surrogate["kind"] == "encoder"
    with pytest.raises(OnnxFileError, match="of another program"):
        bl.solve(newsvendor(), THREE + LATE, method="nn-embed", nn=NnOptions(surrogate=net))
    wide = table(np.array([[30.0, 40.0], [140.0, 100.0]]), np.full(2, 0.5))
    outside = bl.solve(shop(), wide, method="nn-embed", nn=NnOptions(surrogate=net))
    assert any("`d[1]` is 30 to 140, and was 2" in m for m in outside.messages)
