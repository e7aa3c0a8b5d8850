"""The direction check: every side of every row and of the objective, and what the answer says afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.direction import Use, push_of, require_linear, sides_of, untight
from bilevel_lang.surrogate.network import Affine, Network
from tests.surrogate.embedding.solving import convex_network, optimum, random_network

INF = np.inf


def use(objective: float = 0.0, sense: int = 1, *rows: tuple[float, float, float]) -> Use:
    """One output; rows are (coefficient, lower, upper)."""
    columns = [np.array([row[k] for row in rows]) for k in range(3)]
    names = tuple(f"row{k}" for k in range(len(rows)))
    return Use(np.array([objective]), sense, columns[0].reshape(-1, 1), columns[1], columns[2], names)


@pytest.mark.parametrize(
    ("found", "push"),
    [
        (use(2.0), "down"),
        (use(2.0, -1), "up"),
        (use(-2.0), "up"),
        (use(0.0, 1, (1.0, -INF, 3.0)), "down"),
        (use(0.0, 1, (1.0, 3.0, INF)), "up"),
        (use(0.0, 1, (-1.0, -INF, 3.0)), "up"),
        (use(0.0, 1, (-1.0, 3.0, INF)), "down"),
        (use(0.0, 1, (1.0, 3.0, 3.0)), "both"),
        (use(0.0, 1, (1.0, 1.0, 3.0)), "both"),
        (use(1.0, 1, (1.0, 3.0, INF)), "both"),
        (use(1.0, 1, (1.0, -INF, 3.0), (0.0, 3.0, 3.0)), "down"),
        # f(x, y) <= N(x), the row of the value function: t stands with -1 in a <= row
        (use(0.0, 1, (-1.0, -INF, 0.0)), "up"),
    ],
)
def test_every_side(found: Use, push: str) -> None:
    assert push_of(found) == (push,)


def test_the_refusal_names_what_pushes_the_wrong_way() -> None:
    network = convex_network(0)
    assert require_linear(network, use(1.0)) == ("down",)
    with pytest.raises(RefusedError, match=r"output 0 .* it is convex, and row1 pushes it up"):
        require_linear(network, use(1.0, 1, (1.0, -INF, 3.0), (-1.0, -INF, 0.0)))
    negated = Network(3, network.hidden, Affine(-network.output.weights, -network.output.bias))
    assert require_linear(negated, use(1.0, -1)) == ("up",)
    with pytest.raises(RefusedError, match="it is concave, and objective pushes it down"):
        require_linear(negated, use(1.0))
    with pytest.raises(RefusedError, match="neither convex nor concave"):
        require_linear(random_network(0), use(1.0))


def test_sides_are_named() -> None:
    side = sides_of(use(1.0, 1, (1.0, 3.0, INF)))[0]
    assert (side.down, side.up) == (("objective",), ("row0",))


def test_an_answer_on_the_wrong_side_is_found_out() -> None:
    # A convex network embedded to be pushed down, and then pushed up: the relaxation leaves the network.
    network, inputs = convex_network(3), box(-np.ones(3), 2 * np.ones(3))
    embedding = embed(network, inputs, push=("down",))
    _, right = optimum(embedding, inputs, np.ones(1))
    assert untight(embedding, network, right) == pytest.approx(0.0, abs=1e-6)
    value, wrong = optimum(embedding, inputs, -np.ones(1))
    gap: Any = untight(embedding, network, wrong)
    assert gap[0] > 1e-3
    assert -value == pytest.approx(network(wrong[None, :3])[0, 0] + gap[0])
