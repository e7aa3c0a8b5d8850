"""Functions of the leader that are not linear: evaluated, never written into rows."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang import solve
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_embed import supplier
from bilevel_lang.reformulation.nn_embed.reading import read_sampled
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.rewrite import Refusal
from tests.reformulation.nn_embed.followers import continuous, interdiction, resolved


def curved() -> tuple[Any, str]:
    """max -(x - 2)^2 - (y - 2)^2  with  y = max(3 - x, x - 1), (x - 5)^2 >= 6.25: x <= 2.5, best at x = 1.5 with -0.5."""
    m, info = continuous()
    m.outer.deactivate()
    m.bent = pyo.Objective(expr=-((m.x - 2) ** 2) - (m.y - 2) ** 2, sense=pyo.maximize)
    m.row = pyo.Constraint(expr=(m.x - 5) ** 2 >= 6.25)
    return m, info


def test_what_is_linear_is_read_as_before() -> None:
    found = read_sampled(resolved(interdiction()))
    assert not isinstance(found, Refusal) and found.evaluated is None and len(found.inputs) == 4


def test_curved_functions_are_evaluated() -> None:
    found = read_sampled(resolved(curved()))
    assert not isinstance(found, Refusal) and found.evaluated is not None
    place = {v.name: k for k, v in enumerate(found.read.variables)}
    z = [0.0] * len(place)
    z[place["x"]], z[place["y"]] = 4.0, 3.0
    objective, off = found.evaluated.evaluate(pytest.importorskip("numpy").array(z))
    assert objective == pytest.approx(5.0)  # of the minimisation
    assert off == pytest.approx(5.25 / 6.25)


def test_a_curved_leader_gets_a_verified_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplier, "STEPS", 60)
    found = solve(*curved(), method="nn-embed", nn=NnOptions(samples=200, layers=(8,)))
    assert found.verified and found.objective == pytest.approx(-0.5, abs=0.02)
    assert found.bound is None


def test_other_targets_are_refused() -> None:
    with pytest.raises(RefusedError, match="not linear"):
        solve(*curved(), method="nn-embed", nn=NnOptions(target="value"))


def test_a_curved_follower_is_refused() -> None:
    m, info = continuous()
    m.inner.set_value(m.y**2)
    assert isinstance(read_sampled(resolved((m, info))), Refusal)


def pricing() -> tuple[Any, str]:
    """max p y with y = argmin (p - 5) y over 0 <= y <= 3: all is bought up to a price of 5, best 15."""
    m = pyo.ConcreteModel()
    m.p = pyo.Var(bounds=(0, 9))
    m.y = pyo.Var(bounds=(0, 3))
    m.revenue = pyo.Objective(expr=m.p * m.y, sense=pyo.maximize)
    m.loss = pyo.Objective(expr=(m.p - 5) * m.y)
    m.loss.deactivate()
    m.list = pyo.Constraint(expr=m.p <= 8)
    return m, "bilevel p\nmin loss y\n"


def test_products_of_leader_and_follower_are_costs_at_a_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_sampled(resolved(pricing()))
    assert not isinstance(found, Refusal) and found.evaluated is not None and found.evaluated.products is not None
    assert found.evaluated.products.coefficients.tolist() == [1.0]
    monkeypatch.setattr(supplier, "STEPS", 60)
    answer = solve(*pricing(), method="nn-embed", nn=NnOptions(samples=200, layers=(8,)))
    assert answer.verified and answer.objective == pytest.approx(15.0, rel=0.01) and answer.objective <= 15.0 + 1e-6
