"""What every registered form keeps to."""

from __future__ import annotations

import inspect

import pytest

from bilevel_lang.surrogate.embedding.form import Form
from bilevel_lang.surrogate.embedding.registry import FORMS


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_a_form_has_what_the_contract_says(form: Form) -> None:
    assert form.name == form.name.lower()
    assert isinstance(form.needs_bounds, bool)
    assert list(inspect.signature(form.add).parameters) == ["assembly", "neurons"]
