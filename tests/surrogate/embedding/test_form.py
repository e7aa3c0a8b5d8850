"""What every registered form keeps to."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.form import Form
from bilevel_lang.surrogate.embedding.registry import FORMS
from bilevel_lang.surrogate.network import dense


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_a_form_has_what_the_contract_says(form: Form) -> None:
    assert form.name == form.name.lower()
    assert isinstance(form.needs_bounds, bool)
    assert isinstance(form.rows_only, bool)
    assert list(inspect.signature(form.add).parameters) == ["assembly", "neurons"]


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_rows_only_is_what_it_makes(form: Form) -> None:
    """A ReLU whose sign is open, in a model that pushes it up: every form has something to say, or refuses."""
    one = np.ones((1, 1))
    network = dense([one, one], [np.zeros(1), np.zeros(1)])
    try:
        found = embed(network, box(-np.ones(1), np.ones(1)), form.name, ("up",))
    except RefusedError:
        assert form.name == "epigraph"
        return
    assert form.rows_only == (len(found.sos1) + len(found.complementary) == 0)
