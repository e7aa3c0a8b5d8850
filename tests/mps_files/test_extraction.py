"""From models back to instances."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from hypothesis import assume, given, settings

import bilevel_lang
from bilevel_lang.errors import BilevelError, RefusedError
from bilevel_lang.mps_files.extraction import extract
from bilevel_lang.mps_files.instance import BilevelInstance
from bilevel_lang.mps_files.pyomo_model import pyomo_model
from tests.mps_files.instances import AUX, MPS, instances, read


def canonical(instance: BilevelInstance) -> dict[str, Any]:
    """The problem without the order of its columns and rows, and without rows that bind nothing."""
    mps, follower = instance.mps, instance.follower
    names = [c.name for c in mps.columns]
    return {
        "sense": (mps.sense, mps.constant),
        "columns": {c.name: c for c in mps.columns},
        "rows": {r.name: (r.lower, r.upper, {names[j]: c for j, c in r.terms}) for r in mps.rows if r.terms},
        "follower": {names[j]: c for j, c in zip(follower.columns, follower.costs, strict=True)},
        "own": {mps.rows[i].name for i in follower.rows if mps.rows[i].terms},
        "lower": follower.sense,
    }


@settings(max_examples=25)
@given(instances())
def test_a_model_made_of_an_instance_is_that_instance(instance: BilevelInstance) -> None:
    # A variable whose bounds leave one value is data to an agent, and may be anybody's.
    assume(all(c.lower < c.upper for c in instance.mps.columns))
    model, annotation = pyomo_model(instance)
    try:
        found = extract(bilevel_lang.resolve(model, annotation))
    except RefusedError as error:
        # Only rows without entries that cannot hold make a model that has no point at all.
        assert "no point at all" in str(error)
        assert any(not r.terms and not r.lower <= 0 <= r.upper for r in instance.mps.rows)
        return
    assert canonical(found) == canonical(instance)


def bilevel_model() -> Any:
    m = pyo.ConcreteModel("a model")
    m.x = pyo.Var([1, 2], bounds=(0, 5))
    m.y = pyo.Var(["a b"], within=pyo.NonNegativeIntegers)
    m.z = pyo.Var(bounds=(-3, None))
    m.k = pyo.Var(initialize=2)
    m.k.fix()
    m.lead = pyo.Objective(expr=m.x[1] - m.y["a b"] + m.k, sense=pyo.maximize)
    m.top = pyo.Constraint(expr=(1, m.x[1] + m.y["a b"], 6))
    m.low = pyo.Constraint(expr=m.y["a b"] <= m.x[2] + m.k)
    m.define = pyo.Constraint(expr=m.z == -m.y["a b"] + 3 * m.x[1] + 7)
    return m


EMP = "bilevel x\nmin z y low define"


def test_an_objective_variable_becomes_a_column_with_its_row() -> None:
    found = extract(bilevel_lang.resolve(bilevel_model(), EMP))
    names = [c.name for c in found.mps.columns]
    assert (found.mps.name, names) == ("a_model", ["x[1]", "x[2]", "y[a_b]", "z"])
    assert [names[j] for j in found.follower.columns] == ["y[a_b]", "z"]
    assert (found.follower.costs, found.follower.sense) == ((0.0, 1.0), 1)
    assert [found.mps.rows[i].name for i in found.follower.rows] == ["low", "define"]
    rows = {r.name: (r.lower, r.upper, {names[j]: c for j, c in r.terms}) for r in found.mps.rows}
    assert rows["top"] == (1, 6, {"x[1]": 1, "y[a_b]": 1})
    assert rows["low"] == (-float("inf"), 2, {"y[a_b]": 1, "x[2]": -1})
    assert rows["define"] == (7, 7, {"z": 1, "y[a_b]": 1, "x[1]": -3})
    assert (found.mps.sense, found.mps.constant, found.mps.columns[2].integer) == (-1, 2.0, True)
    assert (found.mps.columns[3].lower, found.mps.columns[0].cost) == (-3, 1)


def test_names_stay_apart() -> None:
    m = bilevel_model()
    m.add_component("y[a_b]", pyo.Var(bounds=(0, 1)))
    m.more = pyo.Constraint(expr=m.component("y[a_b]") <= m.x[1])
    names = [c.name for c in extract(bilevel_lang.resolve(m, EMP)).mps.columns]
    assert len(set(names)) == len(names) == 5


@pytest.mark.parametrize(
    ("change", "emp", "said"),
    [
        ("m.top.set_value(m.x[1]**2 <= 4)", EMP, "'top' is not linear"),
        ("m.lead.set_value(m.x[1]*m.x[2])", EMP, "objective is not linear"),
        ("m.f = pyo.Expression(expr=m.x[1]*m.y['a b'])", "bilevel x z\nmin f y low", "follower's objective 'f'"),
        ("m.s = pyo.SOSConstraint(var=m.x, sos=1)", EMP, "'s' cannot be written"),
        ("m.f = pyo.Expression(expr=m.z)", "bilevel x\nmin f y low\nvi define z", "one follower"),
        ("m.bad = pyo.Constraint(expr=m.k >= 3)", EMP, "no point at all"),
    ],
)
def test_what_the_files_have_no_words_for(change: str, emp: str, said: str) -> None:
    m = bilevel_model()
    exec(change, {"m": m, "pyo": pyo})
    with pytest.raises(BilevelError) as caught:
        extract(bilevel_lang.resolve(m, emp))
    assert said in str(caught.value)
    assert isinstance(caught.value, RefusedError)


def test_an_ordinary_model_has_no_follower() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.o = pyo.Objective(expr=m.x)
    with pytest.raises(RefusedError, match="one follower"):
        extract(bilevel_lang.resolve(m, ""))


def test_the_leaders_part_of_the_followers_objective_is_left_out() -> None:
    model, _ = pyomo_model(read(MPS, AUX))
    model.f = pyo.Expression(expr=5 * model.x["x"] - model.y["y"] + 9)
    found = extract(bilevel_lang.resolve(model, "bilevel x\nmin f y lower"))
    assert canonical(found) == canonical(read(MPS, AUX))
