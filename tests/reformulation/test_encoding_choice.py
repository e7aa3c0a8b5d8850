from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.encoding_choice import GLOBAL_LIMIT, choose_encoding
from bilevel_lang.reformulation.options import Options
from tests.reformulation.problems import follow

C = "bilevel x\nmin f y c"


def chosen(m: Any, annotation: str = C, **options: Any) -> Any:
    return choose_encoding(bl.reformulate(m, annotation).model, Options(**options))


@pytest.mark.parametrize(
    ("options", "encoding", "word"),
    [
        ({"encoding": "big-m"}, "big-m", "asked for"),
        ({"solver": "ipopt"}, "scholtes", "ipopt was asked for"),
        ({"solver": "highs"}, "big-m", "highs was asked for"),
        ({"solver": "scip"}, "sos1", "linear"),
        ({}, "sos1", "linear"),
    ],
)
def test_what_is_asked_for_decides_and_the_reason_is_told(options: dict[str, Any], encoding: str, word: str) -> None:
    choice = chosen(follow(), **options)
    assert choice.encoding == encoding
    assert word in "\n".join(choice.reasons)
    if options:
        assert choice.local is None  # who asked for a solver or an encoding gets no other one


def test_without_a_wish_a_local_search_stands_by() -> None:
    pytest.importorskip("casadi")
    choice = chosen(follow())
    assert (choice.local, choice.again) == ("scholtes", True)  # all rows are linear: a second global search pays
    m = follow()
    m.d = pyo.Constraint(expr=m.x * m.y <= 60)
    choice = chosen(m)
    assert (choice.local, choice.again) == ("scholtes", False)
    assert "2 variables stand in nonlinear rows" in choice.reasons[0]


def test_integers_rule_local_methods_out() -> None:
    m = follow()
    m.b = pyo.Var(domain=pyo.Binary)
    choice = chosen(m, "bilevel x b\nmin f y c")
    assert (choice.encoding, choice.local) == ("sos1", None)
    assert "`b` is integer" in "\n".join(choice.reasons)


def test_many_nonlinear_variables_go_to_the_local_search_at_once() -> None:
    m = follow()
    m.u = pyo.Var(range(GLOBAL_LIMIT + 1), bounds=(0, 1))
    m.d = pyo.Constraint(range(GLOBAL_LIMIT + 1), rule=lambda m, k: m.u[k] ** 2 <= m.x)
    assert chosen(m, "bilevel x u\nmin f y c").encoding == "scholtes"
    # Who asks for a solver gets that one.
    assert chosen(m, "bilevel x u\nmin f y c", solver="scip").encoding == "sos1"
