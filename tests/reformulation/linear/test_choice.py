from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.encoding_choice import Choice
from bilevel_lang.reformulation.linear.choice import choose_linear_encoding
from bilevel_lang.reformulation.options import Options
from tests.reformulation.linear.models import bard511, mpec_of


def test_the_choice_has_its_reasons():
    choice = choose_linear_encoding(mpec_of(bard511()), Options())
    assert isinstance(choice, Choice)
    assert any(reason.startswith(f"chosen    {choice.encoding}") for reason in choice.reasons)
    assert any(reason.startswith("refused   big-m") for reason in choice.reasons)


@pytest.mark.parametrize(
    "wanted", [{"encoding": "scholtes"}, {"solver": "ipopt"}, {"solver": "gurobi"}, {"encoding": "sos1", "solver": "highs"}]
)
def test_what_arrays_cannot_do_is_left_to_components(wanted):
    assert isinstance(choose_linear_encoding(mpec_of(bard511()), Options(**wanted)), str)


def test_a_nonconvex_leader_is_left_to_components_unless_asked_for():
    model, text = bard511()
    model.lead.set_value(model.x * model.y)
    mpec = mpec_of((model, text))
    assert isinstance(choose_linear_encoding(mpec, Options()), str)
    choice = choose_linear_encoding(mpec, Options(encoding="sos1"))
    assert isinstance(choice, Choice) and choice.encoding == "sos1"


def test_no_local_search_over_integers():
    model, text = bard511()
    model.k = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
    model.row = pyo.Constraint(expr=model.k <= model.x)
    choice = choose_linear_encoding(mpec_of((model, text)), Options())
    assert isinstance(choice, Choice) and choice.local is None
    assert any("`k` is integer" in reason for reason in choice.reasons)


def test_a_small_convex_quadratic_leader_goes_to_branch_and_a_large_one_to_sos1(monkeypatch):
    model, text = bard511()
    model.lead.set_value((model.x - 4) ** 2 + model.y)
    mpec = mpec_of((model, text))
    choice = choose_linear_encoding(mpec, Options())
    assert isinstance(choice, Choice) and (choice.encoding, choice.local) == ("branch", "scholtes")
    monkeypatch.setattr("bilevel_lang.reformulation.linear.choice.QUADRATIC_LIMIT", mpec.program.columns - 1)
    choice = choose_linear_encoding(mpec, Options())
    assert isinstance(choice, Choice) and choice.encoding == "sos1"
