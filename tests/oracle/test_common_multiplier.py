"""One multiplier for all agents of a row: worked out on paper for two players with quadratic costs.

Player i minimises (x_i - i)^2 subject to x_1 + x_2 <= 2, shared. With one multiplier 2 (x_i - i) = lambda for both, so that
x = (0.5, 1.5) and lambda = -1. With one for each, every point with x_1 + x_2 = 2, x_1 <= 1 and x_2 <= 2 is an equilibrium.
"""

from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang.grammar.parser import parse
from bilevel_lang.oracle.common_multiplier import common_multiplier_residual
from bilevel_lang.resolver import resolve
from tests.resolver.equilibria import game, without


def residual(text: str, x: tuple[float, float], scale: float = 1.0) -> float | None:
    model = without(game(), "demand")
    for i in (1, 2):
        model.cost[i].set_value(scale * model.cost[i].expr)
    problem = resolve(model, parse(text))
    values: ComponentMap = ComponentMap((v, 0.0) for v in model.component_data_objects(pyo.Var))
    values[model.x[1]], values[model.x[2]] = x
    return common_multiplier_residual(problem, values)


MIN = "equilibrium min cost(1) x(1) total min cost(2) x(2) total"
MIXED = "equilibrium max gain(1) x(1) total min cost(2) x(2) total"


@pytest.mark.parametrize("text", [MIN, MIXED])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_at_the_variational_equilibrium_there_is_one(text: str, scale: float) -> None:
    assert residual(f"{text} visol total", (0.5, 1.5), scale) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("x", [(1.0, 1.0), (0.0, 2.0), (0.4, 1.6)])
def test_at_any_other_equilibrium_there_is_none(x: tuple[float, float]) -> None:
    found = residual(f"{MIN} visol total", x)
    assert found is not None
    assert found > 0.01


def test_the_measure_does_not_depend_on_the_size_of_the_objectives() -> None:
    found = [residual(f"{MIN} visol total", (1.0, 1.0), scale) for scale in (1e-6, 1.0, 1e6)]
    assert found == pytest.approx([found[1]] * 3, rel=1e-6)


def test_without_visol_nothing_is_asked() -> None:
    assert residual(f"{MIN} sharedequ total", (1.0, 1.0)) is None


def test_a_slack_row_has_the_multiplier_zero() -> None:
    found = residual(f"{MIN} visol total", (0.25, 1.25))  # 2 (x_i - i) = -1.5 for both, but no row is there to push back
    assert found is not None
    assert found > 0.1
