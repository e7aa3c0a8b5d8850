from __future__ import annotations

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.options import Options
from tests.stochastic_models import FARMER, LATE, RISKY, THREE, farmer, newsvendor, newsvendor_with_profit


def test_the_farmer_as_pyomo_components() -> None:
    m = farmer()
    made = bl.reformulate(m, FARMER)
    run = made.run(Options())
    assert run.objective == pytest.approx(-108_390, abs=0.5)
    point = made.recover(run)
    assert [point.values[m.x[c]] for c in ("wheat", "corn", "beets")] == pytest.approx([170, 80, 250])
    assert len(made.model.scenario) == 3
    assert m.y["wheat"].value == 2.5


def test_it_is_an_ordinary_model_for_anything_that_pyomo_can_write(tmp_path: object) -> None:
    made = bl.reformulate(newsvendor(), THREE + LATE)
    copy = made.model.clone()
    assert pyo.value(copy.expected.expr, exception=False) is None
    assert len(copy.first_stage) == 2


def test_what_is_not_linear_is_kept() -> None:
    m = newsvendor()
    m.bend = pyo.Constraint(expr=m.s**2 <= 100 * m.d)
    made = bl.reformulate(m, THREE + LATE + "bend")
    assert str(made.model.scenario[1].bend.expr).startswith("s**2") or "s**2" in str(made.model.scenario[1].bend.expr)


def test_measures_of_risk_are_refused() -> None:
    with pytest.raises(RefusedError, match="as arrays, not as Pyomo components"):
        bl.reformulate(newsvendor_with_profit(), RISKY + "cvarlo p 0.1")
