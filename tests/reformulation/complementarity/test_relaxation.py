"""The encodings for NLP solvers among themselves: known answers, agreement, options."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.complementarity.registry import ENCODINGS
from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding
from bilevel_lang.reformulation.nlp_options import NlpOptions
from tests.reformulation.problems import follow, linear, pairs, price

pytest.importorskip("casadi")

LOCAL = [e.name for e in ENCODINGS if isinstance(e, NlpEncoding)]


def test_the_menu() -> None:
    assert {"scholtes", "product", "lin-fukushima", "kanzow-schwartz", "fischer-burmeister", "penalty"} <= set(LOCAL)


@pytest.mark.parametrize("encoding", ["scholtes", "c=product,*=scholtes"])
def test_no_solver_but_ipopt_is_taken_and_none_is_replaced(encoding: str) -> None:
    with pytest.raises(RefusedError, match="that ipopt solves, not scip"):
        bl.solve(follow(), "bilevel x\nmin f y c", encoding=encoding, solver="scip")


BARD1 = {"c": [(3, -1, -3), (-1, 0.5, 4), (-1, -1, 7)], "f": [-1.5, 2, -2], "dual": [1, -0.5, 1]}
"""0 <= c_i(x, y) _|_ l_i >= 0, f(x, y) + dual l = 0: MacMPEC's bard1 (Bard 1991), 17 at (1, 0); local solutions besides."""


def bard1() -> Any:
    m = pyo.ConcreteModel()
    m.x, m.y, m.l = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None)), pyo.Var([0, 1, 2])
    m.cost = pyo.Objective(expr=(m.x - 5) ** 2 + (2 * m.y + 1) ** 2)
    (p, q, r), d = BARD1["f"], BARD1["dual"]
    m.s = pyo.Constraint(expr=sum(d[i] * m.l[i] for i in m.l) + p * m.x + q * m.y + r == 0)
    sides = [a * m.x + b * m.y + c for a, b, c in BARD1["c"]]
    m.compl = Complementarity([0, 1, 2], rule=lambda _, i: complements(sides[i] >= 0, m.l[i] >= 0))
    return m


def ralph(sign: float) -> Any:
    """min sign (x - y)^2 + (x + y - 1)^2 over 0 <= x _|_ y >= 0: at (t, 0), sign t^2 + (t - 1)^2 is least at 1 / (1 + sign)."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 5))
    m.cost = pyo.Objective(expr=sign * (m.x - m.y) ** 2 + (m.x + m.y - 1) ** 2)
    m.compl = Complementarity(expr=complements(m.x >= 0, m.y >= 0))
    return m


@pytest.mark.parametrize("name", LOCAL)
def test_bard(name: str) -> None:
    assert bl.solve(linear(), "bilevel x\nmin f y e1 e2 e3 e4", encoding=name, starts=2).objective == pytest.approx(
        -12.0, abs=1e-5
    )


@pytest.mark.parametrize("name", LOCAL)
def test_several_starts_reach_the_best_known_value(name: str) -> None:
    found = bl.solve(bard1(), "", encoding=name, starts=3)
    # The penalty ends at the local solution 25 from most starts.
    assert found.objective in ([pytest.approx(17.0, abs=1e-5)] + [pytest.approx(25.0, abs=1e-5)] * (name == "penalty"))
    # sign 3: 3 / 16 + 9 / 16
    assert bl.solve(ralph(3.0), "", encoding=name, starts=2).objective == pytest.approx(0.75, abs=1e-6)


@pytest.mark.parametrize("name", LOCAL)
def test_the_model_is_as_before_after_a_run(name: str) -> None:
    made = bl.reformulate(linear(), "bilevel x\nmin f y e1 e2 e3 e4", encoding=name)
    before = state(made.model)
    run = made.run(bl.Options(starts=1))
    assert run.has_solution
    assert state(made.model) == before


def state(model: Any) -> list[tuple[Any, ...]]:
    rows = [(c.name, str(c.expr), c.active) for c in model.component_data_objects(pyo.Constraint)]
    objectives = [(c.name, str(c.expr), c.active) for c in model.component_data_objects(pyo.Objective)]
    return rows + objectives + [(v.name, v.lb, v.ub, v.fixed) for v in model.component_data_objects(pyo.Var)]


@pytest.mark.parametrize("name", LOCAL)
def test_integers_are_refused_by_the_encodings_own_name(name: str) -> None:
    m = follow()
    m.b = pyo.Var(domain=pyo.Binary)
    with pytest.raises(RefusedError, match=rf"`b` is integer and `{name}`"):
        bl.reformulate(m, "bilevel x b\nmin f y c", encoding=name)


# --- Options.


def encoded(m: Any, annotation: str, name: str, **nlp: Any) -> Any:
    return bl.reformulate(m, annotation, encoding=name, nlp=NlpOptions(**nlp)).model.encoding


def test_the_model_states_the_last_mu_of_the_sequence() -> None:
    block = encoded(follow(), "bilevel x\nmin f y c", "product", mu=(1.0, 0.5))
    assert (block.mu.fixed, block.mu.value) == (True, 0.5)
    assert all(row.equality for row in block.product.values())


@pytest.mark.parametrize("name", ["product", "fischer-burmeister"])
def test_equality_or_inequality(name: str) -> None:
    component = name.replace("-", "_")
    for form, equality in (("equality", True), ("inequality", False)):
        rows = encoded(pairs(), "", name, form=form).component(component).values()
        assert [row.equality for row in rows] == [equality]


@pytest.mark.parametrize("name", ["scholtes", "product"])
@pytest.mark.parametrize("form", ["inequality", "equality"])
def test_one_row_for_all_pairs(name: str, form: str) -> None:
    if name == "scholtes" and form == "equality":
        pytest.skip("refused, see below")
    m = price()
    nlp = NlpOptions(aggregate="full", form=form)
    made = bl.reformulate(m, "bilevel cap\nmax welfare q limit\ndualvar p limit", encoding=name, nlp=nlp)
    assert list(made.model.encoding.product) == ["all"]
    assert made.run(bl.Options(starts=3, nlp=nlp)).objective == pytest.approx(16.0, abs=1e-5)


def test_the_sum_is_at_most_mu() -> None:
    # Two pairs with products 2 and 3: the sum exceeds mu = 4 by 1.
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2], bounds=(0, None))
    m.y = pyo.Var([1, 2], bounds=(0, None))
    m.c = bl_pairs(m)
    block = encoded(m, "", "scholtes", aggregate="full", mu=(4.0,))
    model = block.model()
    for variable, value in zip([*model.x.values(), *model.y.values()], [1, 1, 2, 3], strict=True):
        variable.set_value(value)
    row = block.product["all"]
    assert pyo.value(row.body) - pyo.value(row.upper) == pytest.approx(1.0)


def bl_pairs(m: Any) -> Any:
    return Complementarity([1, 2], rule=lambda _, i: complements(m.x[i] >= 0, m.y[i] >= 0))


@pytest.mark.parametrize("name", ["scholtes", "fischer-burmeister", "penalty"])
def test_without_slacks_the_answer_is_the_same(name: str) -> None:
    nlp = NlpOptions(slacks="none")
    made = bl.reformulate(linear(), "bilevel x\nmin f y e1 e2 e3 e4", encoding=name, nlp=nlp)
    assert made.model.encoding.component("slack") is None
    assert made.run(bl.Options(starts=3, nlp=nlp)).objective == pytest.approx(-12.0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "nlp", "said"),
    [
        ("scholtes", {"form": "equality"}, r"`scholtes` has no form `equality`[\s\S]*product"),
        ("kanzow-schwartz", {"form": "equality"}, "`kanzow-schwartz` has no form"),
        ("kanzow-schwartz", {"aggregate": "full"}, "added up"),
        ("fischer-burmeister", {"aggregate": "full"}, "added up"),
        ("lin-fukushima", {"slacks": "none"}, "needs slacks"),
    ],
)
def test_what_an_encoding_does_not_have_is_refused(name: str, nlp: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        encoded(linear(), "bilevel x\nmin f y e1 e2 e3 e4", name, **nlp)
