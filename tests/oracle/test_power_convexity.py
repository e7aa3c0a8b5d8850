"""Powers of products and sums, against second differences of the functions themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bilevel_lang.oracle.power_convexity import concave_of_product, convex_of_product, convex_of_sum, of_power

RANDOM = np.random.default_rng(0)
PAIRS = [RANDOM.uniform(0.2, 3.0, (2, 2)) for _ in range(400)]


def curvature_of(f: object) -> tuple[bool, bool]:
    """(convex, concave) as far as midpoints tell, for a function of two positive numbers."""
    off = [(f(*a) + f(*b)) / 2 - f(*((a + b) / 2)) for a, b in PAIRS]  # type: ignore[operator]
    return min(off) > -1e-9, max(off) < 1e-9


@pytest.mark.parametrize("s", [0.5, 1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("t", [0.5, 1.0, 2.0])
def test_a_quotient_of_powers(s: float, t: float) -> None:
    # u**s has convex power 1/s, 1/v**t has -1/t.
    power = convex_of_product(1 / s, -1 / t)
    convex, _ = curvature_of(lambda u, v: u**s / v**t)
    assert (power is not None and power <= 1) == convex
    if power is not None:
        raised = power
        assert curvature_of(lambda u, v: (u**s / v**t) ** raised)[0]


@pytest.mark.parametrize("s", [0.2, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("t", [0.3, 0.5, 1.0])
def test_a_geometric_mean(s: float, t: float) -> None:
    power = concave_of_product(1 / s, 1 / t)
    assert power == pytest.approx(1 / (s + t))
    assert (power >= 1) == curvature_of(lambda u, v: u**s * v**t)[1]


def test_norms_and_sums_of_exponentials() -> None:
    assert convex_of_sum([0.5, 0.5, -math.inf]) == 0.5  # u² + v² + 1: its root is a norm
    assert convex_of_sum([0.0, -1.0]) == 0.0  # exp(u) + 1/v: the logarithm is convex
    assert convex_of_sum([2.0, 2.0]) is None  # sqrt(u) + sqrt(v) is concave, and so is its square
    assert not curvature_of(lambda u, v: (math.sqrt(u) + math.sqrt(v)) ** 2)[0]
    assert convex_of_sum([0.5, None]) is None and convex_of_sum([]) is None
    assert convex_of_sum([-math.inf, -math.inf]) == -math.inf


def test_products_of_two_growing_functions_are_not_convex() -> None:
    assert convex_of_product(1.0, 1.0) is None and not curvature_of(lambda u, v: u * v)[0]
    assert convex_of_product(0.0, 0.5) is None and not curvature_of(lambda u, v: math.exp(-u) * v**2)[0]
    assert convex_of_product(0.0, -1.0) == 0.0
    assert convex_of_product(-1.0, -1.0) == -0.5 and curvature_of(lambda u, v: (1 / (u * v)) ** -0.5)[1]


def test_powers_of_a_power() -> None:
    assert of_power(0.5, None, 0.5) == (1.0, None)  # the root of a sum of squares
    assert of_power(1.0, 1.0, -1) == (-1.0, None)  # one over an affine function
    assert of_power(-1.0, None, -1) == (None, 1.0)  # and back
    assert of_power(-math.inf, math.inf, -2) == (-math.inf, math.inf)
