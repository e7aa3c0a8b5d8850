from __future__ import annotations

import pyomo.environ as pyo

from bilevel_lang.resolver.kinds import a_kind, kind_of


def test_kinds_have_the_languages_words() -> None:
    m = pyo.ConcreteModel()
    m.x, m.c, m.s, m.q = pyo.Var(), pyo.ConstraintList(), pyo.RangeSet(2), pyo.Suffix()
    assert [kind_of(c) for c in (m.x, m.c, m.s, m.q, m)] == ["variable", "row", "set", "Suffix", "block"]


def test_kinds_have_their_article() -> None:
    assert [a_kind("row"), a_kind("objective")] == ["a row", "an objective"]
