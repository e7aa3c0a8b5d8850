from __future__ import annotations

from typing import Any

import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity.encoding import run_once
from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.complementarity.registry import ENCODINGS
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.problems import follow, linear


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: e.name)
def test_encode_leaves_no_condition_and_says_what_it_promises(encoding: Any) -> None:
    model = bl.reformulate(follow(), "bilevel x\nmin f y c").model
    encoded = encoding.encode(model, Options(big_m=40.0), lambda number: None)
    assert list(conditions(model)) == []
    assert encoded.exactness is not None
    assert callable(encoded.run)


def test_run_once_hands_the_options_over() -> None:
    seen: list[SolverOptions] = []

    class Spy:
        def run(self, model: Any, options: SolverOptions) -> Any:
            seen.append(options)
            return by_name("scip").run(model, options)

    model = bl.reformulate(linear(), "bilevel x\nmin f y e1 e2 e3 e4", encoding="sos1").model
    found = run_once(model)(Spy(), Options(time_limit=20.0, gap=0.5))  # type: ignore[arg-type]
    assert (seen[0].time_limit, seen[0].gap) == (20.0, 0.5)
    assert found.has_solution
