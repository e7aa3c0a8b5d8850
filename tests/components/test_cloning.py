"""Against Pyomo's own clone, on models that hold one of each kind of component."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.core.expr.visitor import identify_variables
from pyomo.gdp import Disjunct, Disjunction
from pyomo.mpec import Complementarity, complements

from bilevel_lang.components import cloning
from bilevel_lang.components.cloning import clone_model


def indexed() -> Any:
    m = pyo.ConcreteModel()
    m.s = pyo.Set(initialize=[("a", 1), ("b", 2)])
    m.x = pyo.Var(range(4), bounds=(0, 3), initialize={0: 1.5, 2: 2.0})
    m.y = pyo.Var(m.s, domain=pyo.Integers, initialize=1)
    m.x[3].fix(2.5)
    m.e = pyo.Constraint(range(3), rule=lambda m, i: 2 * m.x[i] - m.x[i + 1] + m.y["a", 1] <= 4)
    m.e[1].deactivate()
    m.range = pyo.Constraint(expr=(1, m.x[0] + m.x[1], 3))
    m.equal = pyo.Constraint(m.s, rule=lambda m, a, i: m.y[a, i] == m.x[i])
    m.low = pyo.Constraint([1], rule=lambda m, i: (1, m.x[i], 2))
    m.f = pyo.Objective(expr=pyo.quicksum(m.x.values()), sense=pyo.maximize)
    return m


def scalars() -> Any:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-1, None), initialize=0.5), pyo.Var(domain=pyo.NonNegativeReals)
    m.y.stale = False
    m.e = pyo.Expression(expr=m.x + 2 * m.y)
    m.c = pyo.Constraint(expr=m.x + 3 * m.y >= 1)
    m.d = pyo.Constraint(expr=m.e <= 1)
    m.f = pyo.Objective(expr=m.x - m.y)
    return m


def parameters() -> Any:
    m = pyo.ConcreteModel()
    m.p = pyo.Param(range(2), initialize=2, mutable=True)
    m.q = pyo.Param(initialize=5, mutable=True)
    m.x = pyo.Var(range(2), bounds=lambda m, i: (0, m.p[i]))
    m.e = pyo.Constraint(range(2), rule=lambda m, i: m.p[i] * m.x[i] + m.x[0] <= m.q + 1)
    m.g = pyo.Expression(range(2), rule=lambda m, i: m.q * m.x[i])
    m.f = pyo.Objective(expr=m.g[0] + m.g[1] ** 2)
    return m


def nonlinear() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(3), initialize=1)
    m.e = pyo.ConstraintList()
    m.e.add(pyo.exp(m.x[0]) + m.x[1] * m.x[2] <= 3)
    m.e.add(m.x[0] ** 2 - m.x[1] >= m.x[2])
    m.v = pyo.VarList()
    m.v.add()
    m.e.add(m.v[1] / (1 + m.x[0]) == 2)
    m.f = pyo.Objective(expr=abs(m.x[0]) + 1)
    return m


def blocks() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2))

    def rule(b: Any, i: int) -> None:
        b.y = pyo.Var(range(2), bounds=(0, i))
        b.e = pyo.Constraint(range(2), rule=lambda b, j: b.y[j] + m.x[i] <= 1)
        b.inner = pyo.Block()
        b.inner.z = pyo.Var()
        b.inner.e = pyo.Constraint(expr=b.inner.z + b.y[0] == 0)

    m.b = pyo.Block(range(2), rule=rule)
    m.b[1].deactivate()
    m.all = pyo.Reference(m.b[:].y[:])
    m.r = pyo.Constraint(expr=sum(m.all.values()) <= 5)
    m.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    m.dual[m.b[0].e[1]] = 0.5
    return m


def others() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(3), bounds=(0, 1))
    m.c = Complementarity(range(2), rule=lambda m, i: complements(m.x[i] >= 0, 1 - m.x[i + 1] >= 0))
    m.on, m.off = Disjunct(), Disjunct()
    m.on.e = pyo.Constraint(expr=m.x[0] + m.x[1] >= 1)
    m.off.z = pyo.Var(range(2))
    m.off.e = pyo.Constraint(expr=m.x[0] + m.off.z[1] == 0)
    m.choice = Disjunction(expr=[m.on, m.off])
    m.sos = pyo.SOSConstraint(var=m.x, sos=1)
    m.skipped = pyo.Constraint(range(2), rule=lambda m, i: m.x[0] + m.x[1] <= 1 if i else pyo.Constraint.Skip)
    return m


MODELS = [indexed, scalars, parameters, nonlinear, blocks, others]


def text(model: Any) -> str:
    out = io.StringIO()
    model.pprint(out)
    return out.getvalue()


def rows(model: Any) -> list[tuple[Any, ...]]:
    found = model.component_data_objects(pyo.Constraint, descend_into=(pyo.Block, Disjunct))
    return [(r.name, r.active, r.expr.to_string(verbose=True), type(r.expr), type(r.body), r.index()) for r in found]


def variables(model: Any) -> list[tuple[Any, ...]]:
    kinds = (pyo.Block, Disjunct)
    return [
        (v.name, v.lb, v.ub, v.value, v.fixed, v.stale, v.domain.name, type(v), v.index(), v.parent_block().name)
        for v in model.component_data_objects(pyo.Var, descend_into=kinds)
    ]


@pytest.mark.parametrize("build", MODELS)
def test_the_clone_is_that_of_pyomo(build: Callable[[], Any]) -> None:
    model = build()
    mine, theirs = clone_model(model, {}), model.clone()
    assert text(mine) == text(theirs)
    assert rows(mine) == rows(theirs)
    assert variables(mine) == variables(theirs)


@pytest.mark.parametrize("build", MODELS)
def test_nothing_in_the_clone_is_the_original(build: Callable[[], Any]) -> None:
    model = build()
    before = text(model)
    clone = clone_model(model, {})
    for row in clone.component_data_objects(pyo.Constraint, descend_into=(pyo.Block, Disjunct)):
        assert row.parent_component().model() is clone
        assert all(v.model() is clone for v in identify_variables(row.body)), row.name
    for v in clone.component_data_objects(pyo.Var, descend_into=(pyo.Block, Disjunct)):
        v.unfix()
        v.set_value(77, skip_validation=True)
        v.setlb(-99)
    assert text(model) == before


@pytest.mark.parametrize("build", MODELS)
def test_the_memo_leads_from_everything_to_its_twin(build: Callable[[], Any]) -> None:
    model = build()
    memo: dict[int, Any] = {}
    clone = clone_model(model, memo)
    for ctype in (pyo.Var, pyo.Constraint, pyo.Objective, pyo.Expression):
        for original in model.component_data_objects(ctype):
            twin = memo[id(original)]
            assert twin.model() is clone and twin.name == original.name
            assert clone.find_component(original.name) is twin


def test_a_mutable_bound_follows_the_parameter_of_the_clone() -> None:
    model = parameters()
    clone = clone_model(model, {})
    clone.p[1] = 9
    clone.q = 7
    assert (clone.x[1].ub, model.x[1].ub) == (9, 2)
    assert (clone.e[0].ub, model.e[0].ub) == (8, 6)


def test_a_sum_in_several_rows_stays_one_sum() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(5))
    total = pyo.quicksum(m.x.values())
    m.e = pyo.Constraint(range(3), rule=lambda m, i: total <= i)
    clone = clone_model(m, {})
    assert clone.e[0].body is clone.e[1].body is clone.e[2].body


def test_variables_outside_a_block_stay_what_they_are() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2))
    m.b = pyo.Block()
    m.b.y = pyo.Var(range(2))
    m.b.e = pyo.Constraint([0], rule=lambda b, i: b.y[i] + m.x[i] <= 1)
    clone = clone_model(m.b, {})
    assert [v is w for v, w in zip(identify_variables(clone.e[0].body), (clone.y[0], m.x[0]), strict=True)] == [True, True]


def test_unknown_classes_of_pyomo_are_left_to_pyomo(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cloning._is_known()
    monkeypatch.setitem(cloning._LAYOUT, cloning.VarData, {"_value", "_units"})
    assert not cloning._is_known()
    model = indexed()
    assert text(clone_model(model, {})) == text(model.clone())


def test_a_repeated_term_is_one_object_and_keeps_its_kind_of_number() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2))
    m.e = pyo.Constraint(range(3), rule=lambda m, i: 2 * m.x[0] + [3, 3.0, 3][i] * m.x[1] >= i)
    clone = clone_model(m, {})
    first, second, third = (row.body.args for row in clone.e.values())
    assert first[0] is second[0] is third[0]
    assert [type(args[1].args[0]) for args in (first, second, third)] == [int, float, int]
    assert [str(row.body) for row in clone.e.values()] == [str(row.body) for row in m.e.values()]
