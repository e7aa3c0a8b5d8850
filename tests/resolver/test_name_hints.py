from __future__ import annotations

from typing import Any

import pytest

from tests.resolver.test_names import find, model

__all__ = ["model"]  # the fixture


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Tax", ["E1", "`tax` or `TAX`"]),
        ("prise", ["E1", "did you mean `Price`?"]),
        ("z", ["E1", "did you mean `b[1].inner.z`?"]),
        ("b[1].rwo", ["E1", "block `b[1]`", "did you mean `row`?"]),
        ("m.tax", ["E1", "write `tax` without `m.`"]),
        ("plain", ["E1", "Expression(expr=...)"]),
        ("listed", ["E1", "Set(initialize=...)"]),
        ("b[3].y", ["E19", "`b[1]`, `b[2]`"]),
        ("tax.y", ["E2", "not a block"]),
        ("b[1].y[1].lb", ["E2", "`y[1]` is a variable, not a block"]),
        ("Price(1)", ["E19", "write `Price` alone"]),
    ],
)
def test_not_found(model: Any, text: str, wanted: list[str]) -> None:
    said = find(model, text)
    assert isinstance(said, str)
    for part in wanted:
        assert part in said
