"""Decisions of the leader that no linear row holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang import solve
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_embed import supplier
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem, read_sampled
from bilevel_lang.reformulation.nn_options import NnOptions
from tests.reformulation.nn_embed.followers import resolved


def curved(row: bool = True) -> tuple[Any, str]:
    """max x - 3 y over x^2 <= 9, the follower takes y = 1: 0 at x = 3."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, None))
    m.y = pyo.Var(bounds=(1, 5))
    m.outer = pyo.Objective(expr=m.x - 3 * m.y + (0 if row else m.x**2 / 100), sense=pyo.maximize)
    m.inner = pyo.Objective(expr=m.y)
    m.inner.deactivate()
    if row:
        m.ball = pyo.Constraint(expr=m.x**2 <= 9)
    return m, "bilevel x\nmin inner y\n"


def test_the_box_follows_from_the_curved_row_and_the_model_is_left_alone() -> None:
    m, info = curved()
    found = read_sampled(resolved((m, info)))
    assert isinstance(found, SampledProblem)
    arrays = found.read.arrays
    place = [v.name for v in found.read.variables].index("x")
    assert not arrays.follower[place] and arrays.relaxation.matrix.shape == (arrays.relaxation.rows, arrays.relaxation.columns)
    assert (arrays.relaxation.lower[place], arrays.relaxation.upper[place]) == (0.0, pytest.approx(3.0))
    assert m.x.bounds == (0, None)
    objective, off = found.evaluated.evaluate(np.array([{"x": 2.0, "y": 1.0}[v.name] for v in found.read.variables]))  # type: ignore[union-attr]
    assert (objective, off) == (1.0, 0.0)


def test_the_optimum_on_the_edge_is_neared_and_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplier, "STEPS", 60)
    found = solve(*curved(), method="nn-embed", nn=NnOptions(samples=60, layers=(8,)))
    assert found.verified and found.objective == pytest.approx(0.0, abs=0.02)


def test_without_a_bound_it_is_named() -> None:
    with pytest.raises(RefusedError, match="`x` has no upper bound"):
        solve(*curved(row=False), method="nn-embed", nn=NnOptions(samples=60))
