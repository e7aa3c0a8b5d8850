"""Options: their ranges, their names, and what a solver gets of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.options import Options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_limit", 0),
        ("time_limit", -1.0),
        ("time_limit", float("nan")),
        ("time_limit", float("inf")),
        ("gap", -1e-3),
        ("big_m", 0.0),
        ("big_m", float("inf")),
        ("starts", 0),
        ("threads", 0),
        ("seed", -1),
        ("tolerance", 0.0),
        ("tolerance", "small"),
        ("starts", True),
        ("starts", 2.5),
        ("threads", 1.5),
        ("threads", 100_000),
        ("seed", 0.5),
        ("tolerance", 0.1),
        ("method", 5),
        ("encoding", 5),
        ("solver", 5),
        ("solver_options", 5),
        ("nlp", {"mu": (1.0,)}),
        ("nn", {"samples": 30}),
        ("position", "PESSIMISTIC"),
        ("position", None),
    ],
)
def test_values_out_of_range_or_of_another_type_are_named(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"option `{name}`"):
        Options(**{name: value})


def test_a_mistyped_option_is_named_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"no option `encodng`[\s\S]*did you mean `encoding`"):
        Options(encodng="sos1")  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="there are method, encoding"):
        Options(zzz=1)  # type: ignore[call-arg]


def test_a_mistyped_position_is_not_taken_for_the_optimistic_one() -> None:
    with pytest.raises(UsageError, match=r"no position 'pesimistic'[\s\S]*did you mean `pessimistic`"):
        Options(position="pesimistic")


@pytest.mark.parametrize(("name", "mend"), [("samples", "nn=NnOptions(samples=...)"), ("mu", "nlp=NlpOptions(mu=...)")])
def test_an_option_of_a_group_is_told_where_it_goes(name: str, mend: str) -> None:
    with pytest.raises(UsageError) as caught:
        Options(**{name: 3})  # type: ignore[arg-type]
    assert mend in str(caught.value)


def test_options_can_be_replaced_and_handed_to_a_solver() -> None:
    options = replace(Options(time_limit=5.0, gap=0.1), time_limit=3)
    assert (options.for_solver().time_limit, options.for_solver(1.0).time_limit, options.for_solver().gap) == (3, 1.0, 0.1)
