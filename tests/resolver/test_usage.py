from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.resolver.usage import row_function, used_variables
from tests.resolver.models import gams_style


@pytest.mark.parametrize(
    ("sides", "value"),
    [((None, 5.0), -2.0), ((1.0, None), 2.0), ((3.0, 3.0), 0.0), ((0.0, None), 3.0)],
)
def test_a_row_as_a_function_is_its_body_minus_its_bound(sides: tuple[float | None, float | None], value: float) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(initialize=3.0)
    m.c = pyo.Constraint(expr=(sides[0], m.x, sides[1]))
    assert pyo.value(row_function(m.c)) == value


def test_used_is_what_stands_in_an_active_row_or_objective() -> None:
    model = gams_style()
    model.idle = pyo.Var()
    model.asleep = pyo.Var()
    model.off = pyo.Constraint(expr=model.asleep >= 0)
    model.off.deactivate()
    model.other = pyo.Objective(expr=model.asleep)
    model.other.deactivate()
    used = used_variables(model, [])
    assert model.x in used and model.z in used
    assert model.idle not in used and model.asleep not in used
    model.other.activate()
    assert model.asleep in used_variables(model, [])
