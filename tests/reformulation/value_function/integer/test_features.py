from __future__ import annotations

from dataclasses import fields, replace

import pytest

from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.integer import one_tree, search
from bilevel_lang.reformulation.value_function.integer.features import Features
from tests.reformulation.value_function.integer.enumeration import best_by_enumeration, random_opposed, random_program


@pytest.mark.parametrize("name", [f.name for f in fields(Features)])
def test_the_answer_does_not_depend_on_a_feature(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_tree, "Features", lambda: replace(Features(), **{name: False}))
    for seed in range(12):
        tiny = random_opposed(seed) if seed % 2 else random_program(seed)
        known = best_by_enumeration(tiny)
        found = search.find_optimum(tiny, "scip", Options()).objective
        assert found == (None if known is None else pytest.approx(known, abs=1e-9))
