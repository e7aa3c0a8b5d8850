"""Forms by name."""

from __future__ import annotations

import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.embedding.registry import FORMS, form_named


def test_names_lead_to_their_forms() -> None:
    assert [form_named(f.name) for f in FORMS] == list(FORMS)
    assert FORMS[0].name == "split"


def test_an_unknown_name_lists_the_others() -> None:
    with pytest.raises(UsageError, match="no form of embedding 'bigm'") as caught:
        form_named("bigm")
    assert "split" in str(caught.value)
