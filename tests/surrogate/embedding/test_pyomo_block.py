"""The block says what the arrays say: solved by HiGHS through Pyomo, against the forward pass."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.pyomo_block import block_of, set_start
from tests.surrogate.embedding.solving import convex_network, optimum, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))


def model_with(embedding: object) -> pyo.ConcreteModel:
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(3), bounds=(-1, 2))
    model.net = block_of(embedding, [model.x[j] for j in range(3)])  # type: ignore[arg-type]
    model.cost = pyo.Objective(expr=model.net.output[0])
    return model


@pytest.mark.parametrize("form", ["split", "big-m", "partition"])
def test_optimum_is_that_of_the_arrays(form: str) -> None:
    network = random_network(2)
    embedding = embed(network, BOX, form)
    model = model_with(embedding)
    pyo.SolverFactory("appsi_highs").solve(model)
    assert pyo.value(model.cost) == pytest.approx(optimum(embedding, BOX, np.ones(1))[0], abs=1e-5)
    point = np.array([[pyo.value(model.x[j]) for j in range(3)]])
    assert pyo.value(model.net.output[0]) == pytest.approx(network(point)[0, 0], abs=1e-5)


def test_a_start_satisfies_every_row() -> None:
    embedding = embed(random_network(3), BOX)
    model, point = model_with(embedding), np.array([0.5, -0.25, 1.5])
    for j in range(3):
        model.x[j].set_value(point[j])
    set_start(model.net, embedding, point)
    for row in model.component_data_objects(pyo.Constraint):
        body = pyo.value(row.body)
        assert row.lb is None or body >= row.lb - 1e-9
        assert row.ub is None or body <= row.ub + 1e-9


def test_sets_and_complementarities_are_components() -> None:
    from pyomo.mpec import Complementarity

    sets = model_with(embed(random_network(3), BOX, "sos1"))
    assert len(sets.net.sos) == len(embed(random_network(3), BOX).integer.nonzero()[0])
    pairs = model_with(embed(random_network(3), BOX, "complementarity"))
    assert len(list(pairs.component_data_objects(Complementarity))) == len(sets.net.sos)


def test_expressions_may_stand_for_inputs_and_their_number_counts() -> None:
    network = convex_network(1)
    embedding = embed(network, BOX, "epigraph", push=("down",))
    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, 1))
    model.net = block_of(embedding, [model.x, 1 - model.x, 2 * model.x - 1])
    model.cost = pyo.Objective(expr=model.net.output[0])
    pyo.SolverFactory("appsi_highs").solve(model)
    line = np.linspace(0, 1, 2001)
    seen = network(np.column_stack([line, 1 - line, 2 * line - 1])).min()
    assert seen - 1e-3 <= pyo.value(model.cost) <= seen + 1e-6
    with pytest.raises(ValueError, match="3 inputs, and 1 were given"):
        block_of(embedding, [model.x])
