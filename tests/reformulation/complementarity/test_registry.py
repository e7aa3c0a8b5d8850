from __future__ import annotations

import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.complementarity.registry import ENCODINGS, encoding_by_name
from bilevel_lang.solvers.registry import by_name


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: e.name)
def test_encodings_are_found_by_name_in_any_case(encoding: object) -> None:
    name = encoding.name  # type: ignore[attr-defined]
    assert encoding_by_name(name) is encoding
    assert encoding_by_name(name.upper()) is encoding


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: e.name)
def test_every_encoding_names_a_solver_that_there_is(encoding: object) -> None:
    assert by_name(encoding.solver).name == encoding.solver  # type: ignore[attr-defined]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no encoding `bigm`[\s\S]*did you mean `big-m`"):
        encoding_by_name("bigm")
    with pytest.raises(UsageError, match="there are sos1, big-m, scholtes"):
        encoding_by_name("?")
