"""Members made by hand against those that Pyomo makes: what they hold, and what Pyomo does with them."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.core.base.var import VarData
from pyomo.mpec import Complementarity, complements

from bilevel_lang.components import new_data
from bilevel_lang.components.new_data import NewConditions, NewRows, NewVariables


def built() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2), bounds=(0, None))
    m.b = pyo.Block()
    m.b.v = pyo.Var(pyo.Any, dense=False)
    m.b.e = pyo.Constraint(pyo.Any)
    m.b.c = Complementarity(pyo.Any)
    NewVariables(m.b.v).add("free")
    v = NewVariables(m.b.v).add("row[1]", 0, 2.5)
    NewRows(m.b.e).add_equality("x[0]", 2 * m.x[0] - v)
    NewConditions(m.b.c).add("row[1]", m.x[0] + m.x[1] - 1 >= 0, v >= 0)
    return m


@pytest.fixture(params=["by hand", "by Pyomo"])
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "by Pyomo":
        monkeypatch.setattr(new_data, "_are_known", lambda: False)
    yield built()


def text(model: Any) -> str:
    out = io.StringIO()
    model.pprint(out)
    return out.getvalue()


def test_this_version_of_pyomo_is_known() -> None:
    assert new_data._are_known()


def test_both_ways_give_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = built()
    monkeypatch.setattr(new_data, "_are_known", lambda: False)
    theirs = built()
    assert text(mine) == text(theirs)


def test_members_that_hold_something_else_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_value(new: NewVariables, index: str) -> Any:
        data = VarData(new._component)
        data._index, data._domain, data._value = index, pyo.Reals, 1.0
        return data

    monkeypatch.setattr(NewVariables, "add", with_a_value)
    assert not new_data._are_known.__wrapped__()


def test_names_bounds_and_parents(model: Any) -> None:
    assert [v.name for v in model.b.v.values()] == ["b.v[free]", "b.v['row[1]']"]
    assert model.b.v["free"].bounds == (None, None)
    assert model.b.v["row[1]"].bounds == (0, 2.5)
    assert model.b.e["x[0]"].parent_component() is model.b.e
    assert model.find_component("b.c['row[1]']") is model.b.c["row[1]"]


def test_an_index_that_is_there_is_used_again(model: Any) -> None:
    again = NewVariables(model.b.v).add("row[1]", None, 1)
    assert again is model.b.v["row[1]"] and again.bounds == (None, 1)
    NewRows(model.b.e).add_equality("x[0]", model.x[1] - 3)
    assert len(model.b.e) == 1 and str(model.b.e["x[0]"].body) == "x[1] - 3"


def test_clones_and_pickles(model: Any) -> None:
    assert text(model.clone()) == text(model)
    assert text(pickle.loads(pickle.dumps(model))) == text(model)


def test_pyomo_transforms_the_conditions(model: Any) -> None:
    pyo.TransformationFactory("mpec.simple_nonlinear").apply_to(model)
    model.x[0].value, model.x[1].value, model.b.v["row[1]"].value = 2.0, 1.0, 0.5
    rows = list(model.component_data_objects(pyo.Constraint, active=True))
    assert len(rows) > 1  # the product of both sides and what it needs, besides `e`


@pytest.mark.parametrize("sides", [(1, None), (None, 2.5), (1, 2.5), (2.0, 2.0)])
def test_a_row_is_that_of_pyomo(sides: tuple[float | None, float | None], monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for known in (True, False):
        monkeypatch.setattr(new_data, "_are_known", lambda known=known: known)
        m = built()
        m.r = pyo.Constraint(pyo.Any)
        NewRows(m.r).add(1, sides[0], m.x[0] + 2 * m.x[1], sides[1])
        found.append((text(m), type(m.r[1].expr), m.r[1].equality, m.r[1].lb, m.r[1].ub, m.r[1].name))
    assert found[0] == found[1]


def test_a_row_without_sides_is_what_pyomo_makes_of_it(model: Any) -> None:
    with pytest.raises(ValueError, match="proper value"):
        NewRows(model.b.e).add("none", None, model.x[0] + model.x[1], None)


def test_a_side_without_a_relation_is_not_negative(model: Any) -> None:
    data = NewConditions(model.b.c).add("short", model.b.v["row[1]"], 2 * model.x[0] <= 1)
    assert [str(side) for side in data._args] == ["0  <=  b.v['row[1]']", "2*x[0]  <=  1"]


def test_a_condition_can_be_stated_anew(model: Any) -> None:
    data = model.b.c["row[1]"]
    free = model.x[0] - model.x[1]
    data.set_value(complements(model.x[0] >= 0, free))
    assert data._args[1] is free  # and not `free >= 0`
    assert text(model.clone()) == text(model)


def test_a_condition_takes_components(model: Any) -> None:
    data = model.b.c["row[1]"]
    data.extra = pyo.Var()
    assert data.extra.name == "b.c['row[1]'].extra"
    assert [v.name for v in data.component_data_objects(pyo.Var)] == ["b.c['row[1]'].extra"]
    assert not list(NewConditions(model.b.c).add("other", model.x[0], model.x[1]).component_objects())


def test_a_member_can_be_deleted_and_deactivated(model: Any) -> None:
    model.b.c["row[1]"].deactivate()
    assert not list(model.component_data_objects(Complementarity, active=True))
    del model.b.v["free"]
    assert list(model.b.v) == ["row[1]"]
