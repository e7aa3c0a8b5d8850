from __future__ import annotations

import pytest

from bilevel_lang.reformulation.complementarity.product import Product

POINTS = [(0.0, 5.0), (0.5, 0.5), (2.0, 0.25), (3.0, 1.0), (0.0, 0.0)]


@pytest.mark.parametrize(("left", "right"), POINTS)
def test_the_row_is_the_product(left: float, right: float) -> None:
    for form in ("equality", "inequality"):
        (row,) = Product().rows(left, right, 0.5, form)
        assert (row.body, row.limit, row.equality) == (left * right, 0.5, form == "equality")


def test_equality_is_the_default() -> None:
    assert Product().forms[0] == "equality"
