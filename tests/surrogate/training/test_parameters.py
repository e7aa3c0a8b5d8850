"""The vector of parameters against the network that is made of it: values, gradients, intervals, signs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bilevel_lang.surrogate.training.parameters import Shape

SHAPES = [Shape(3, (5, 4), 1), Shape(3, (5, 4), 1, convex=True), Shape(2, (6,), 3), Shape(2, (4, 4, 4), 1, convex=True)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_torch_and_the_network_compute_the_same(shape: Shape) -> None:
    vector = shape.start(seed=1)
    x = np.random.default_rng(0).uniform(-1, 1, size=(40, shape.inputs))
    found, _ = shape.forward(shape.matrices(torch.tensor(vector)), torch.tensor(x))
    assert np.allclose(found.numpy(), shape.network(vector)(x), atol=1e-12)
    assert np.allclose(-found.numpy(), shape.network(vector, negate=True)(x), atol=1e-12)


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.outputs == 1], ids=str)
def test_the_gradient_is_that_of_autograd(shape: Shape) -> None:
    vector = torch.tensor(shape.start(seed=2))
    x = torch.tensor(np.random.default_rng(1).uniform(-1, 1, size=(25, shape.inputs)), requires_grad=True)
    matrices = shape.matrices(vector)
    found, seen = shape.forward(matrices, x)
    (wanted,) = torch.autograd.grad(found.sum(), x)
    assert torch.allclose(shape.gradient(matrices, seen), wanted, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_way_back_is_that_of_autograd(shape: Shape) -> None:
    generator = np.random.default_rng(5)
    vector = torch.tensor(shape.start(seed=2), requires_grad=True)
    x = torch.tensor(generator.uniform(-1, 1, size=(25, shape.inputs)))
    off = torch.tensor(generator.normal(size=(25, shape.outputs)))
    found, _ = shape.forward(shape.matrices(vector), x)
    (wanted,) = torch.autograd.grad((off * found).sum(), vector)
    with torch.no_grad():
        matrices, into = shape.matrices(vector), torch.full((shape.size,), 7.0, dtype=torch.float64)
        shape.backward(matrices, x, shape.forward(matrices, x)[1], off, into)
    assert torch.allclose(into, wanted, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_intervals_contain_every_pre_activation(shape: Shape) -> None:
    vector = torch.tensor(shape.start(seed=3))
    x = torch.tensor(np.random.default_rng(2).uniform(-1, 1, size=(500, shape.inputs)))
    matrices = shape.matrices(vector)
    _, seen = shape.forward(matrices, x)
    for (low, up), a in zip(shape.interval(matrices), seen, strict=True):
        assert (a >= low - 1e-12).all() and (a <= up + 1e-12).all()


def test_a_convex_start_is_proven_convex_and_its_negative_concave() -> None:
    shape = SHAPES[1]
    assert shape.network(shape.start(seed=0)).convex().all()
    assert shape.network(shape.start(seed=0), negate=True).concave().all()


def test_biases_and_the_skip_to_the_output_are_not_penalised() -> None:
    shape = Shape(2, (3,), 1)
    hidden, output = shape.parts()
    flags = shape.penalised()
    assert flags[hidden.D].all() and flags[output.W].all()
    assert not flags[hidden.b].any() and not flags[output.D].any() and not flags[output.b].any()
    assert not shape.nonnegative().any()
