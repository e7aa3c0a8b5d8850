from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.stochastic.coefficients import ScenarioValues

VALUES = np.array([[2.0, 3.0], [4.0, 0.5], [1.0, 7.0]])


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.a, m.b = pyo.Param(initialize=2, mutable=True), pyo.Param(initialize=3, mutable=True)
    m.k = pyo.Param(initialize=5, mutable=True)
    m.e = pyo.Expression(expr=m.a * m.b)
    return m


@pytest.mark.parametrize(
    "write",
    [
        lambda m: m.a + 2 * m.b - m.k,
        lambda m: m.a * m.b / m.k,
        lambda m: m.a**2 - m.b**m.a,
        lambda m: -pyo.exp(m.a) + pyo.log(m.b) * pyo.sqrt(m.a),
        lambda m: abs(m.a - m.b),
        lambda m: m.e + 1,
        lambda m: pyo.sin(m.a) + pyo.atan(m.b) + pyo.ceil(m.b),
        lambda m: m.k,
    ],
)
def test_all_scenarios_at_once_as_pyomo_has_them_one_by_one(write: object) -> None:
    m = model()
    expression = write(m)  # type: ignore[operator]
    found = ScenarioValues([m.a, m.b], VALUES).over_scenarios(expression)
    one_by_one = []
    for a, b in VALUES:
        m.a, m.b = float(a), float(b)
        one_by_one.append(pyo.value(expression))
    assert found == pytest.approx(one_by_one, rel=1e-14)


def test_what_depends_on_random_parameters() -> None:
    m = model()
    values = ScenarioValues([m.a], VALUES[:, :1])
    assert values.depends(m.e + 1)
    assert not values.depends(m.b * m.k + 3)
    assert not values.depends(4)


def test_what_cannot_be_evaluated_is_refused_with_its_text() -> None:
    m = model()
    with pytest.raises(RefusedError, match=r"by `2  <=  a`, which cannot be evaluated"):
        ScenarioValues([m.a], VALUES[:, :1]).over_scenarios(pyo.Expr_if(m.a >= 2, m.a, m.b))
