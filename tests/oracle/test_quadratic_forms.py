"""Definiteness against numpy's eigenvalues of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.oracle import quadratic_forms
from bilevel_lang.oracle.quadratic_forms import definiteness, is_sum_of_squares


def terms_of(matrix: np.ndarray, names: list[object]) -> list[tuple[object, object, float]]:
    """The terms of y'Hy/2."""
    size = len(names)
    return [
        (names[i], names[j], matrix[i, j] / (2 if i == j else 1)) for i in range(size) for j in range(i, size) if matrix[i, j]
    ]


@pytest.mark.parametrize("seed", range(20))
def test_blocks_of_all_sizes_together(seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 5, 6)
    hessian = np.zeros((sizes.sum(), sizes.sum()))
    start = 0
    for size in sizes:
        factor = random.normal(size=(size, size))
        hessian[start : start + size, start : start + size] = factor @ factor.T + np.eye(size)
        start += size
    if seed % 2:
        hessian -= 2.5 * np.eye(len(hessian))
    order = random.permutation(len(hessian))
    hessian = hessian[order][:, order]
    eigenvalues = np.linalg.eigvalsh(hessian)
    found = definiteness(terms_of(hessian, [object() for _ in hessian]))
    assert found.least == pytest.approx(eigenvalues[0]) and found.largest == pytest.approx(eigenvalues[-1])
    assert found.positive == (eigenvalues[0] >= 0) and found.negative == (eigenvalues[-1] <= 0)


def test_a_product_alone_is_indefinite() -> None:
    found = definiteness([("a", "b", 2.0)])
    assert not found.positive and not found.negative and (found.least, found.largest) == (-2.0, 2.0)


def test_what_is_not_finite_or_too_large_is_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    assert definiteness([("a", "a", float("nan"))]).least is None
    monkeypatch.setattr(quadratic_forms, "LARGEST_BLOCK", 1)
    found = definiteness([("a", "a", 1.0), ("b", "b", 1.0), ("a", "b", 0.1)])
    assert not found.positive and not found.negative and found.least is None


@pytest.mark.parametrize(
    ("quadratic", "linear", "constant", "expected"),
    [
        ([("a", "a", 1.0)], [("a", 2.0)], 1.0, True),  # (a + 1)²
        ([("a", "a", 1.0)], [("a", 2.0)], 0.99, False),
        ([("a", "a", 1.0), ("b", "b", 1.0), ("a", "b", -2.0)], [], 0.0, True),  # (a - b)²
        ([("a", "a", 1.0)], [], -1.0, False),
        ([], [("a", 1.0)], 5.0, False),
    ],
)
def test_sums_of_squares(quadratic: list, linear: list, constant: float, expected: bool) -> None:
    assert is_sum_of_squares(quadratic, linear, constant) is expected
