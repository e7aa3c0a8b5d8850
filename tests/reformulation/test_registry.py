from __future__ import annotations

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.registry import REWRITES, WITH_SCENARIOS, choose, in_hand
from tests.reformulation.problems import follow, plain
from tests.stochastic_models import LATE, THREE, newsvendor

ANNOTATION = "bilevel x\nmin f y c"


def test_the_path_says_what_was_chosen_and_why() -> None:
    rewrite, path = choose(bl.resolve(follow(), ANNOTATION), Options())
    assert rewrite is REWRITES[0]
    assert path[0].startswith("chosen    kkt: 1 agent without integer decisions")


@pytest.mark.parametrize("name", ["kkt", "KKT", "auto"])
def test_methods_by_name(name: str) -> None:
    assert choose(bl.resolve(follow(), ANNOTATION), Options(method=name))[0].name == "kkt"


def test_scenarios_go_to_the_method_that_knows_them_and_nothing_else_does() -> None:
    with pytest.raises(RefusedError, match="extensive-form: nothing in the annotation is random"):
        choose(bl.resolve(follow(), ANNOTATION), Options(method="extensive-form"))
    m = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=1, mutable=True)
    m.y = pyo.Var(bounds=(0, 9))
    m.serve = pyo.Constraint(expr=m.y >= m.d)
    m.cost = pyo.Objective(expr=m.y)
    problem = bl.resolve(m, "randvar d discrete 0.5 1 0.5 2 stage 2 y serve")
    rewrite, path = choose(problem, Options())
    assert rewrite.name == "extensive-form"
    assert path[-1].startswith("chosen    extensive-form")
    assert choose(problem, Options(method="nn-embed"))[0] is WITH_SCENARIOS["nn-embed"]
    for other in ("kkt", "value-function"):
        with pytest.raises(RefusedError, match=r"it knows no scenarios[\s\S]*extensive-form"):
            choose(problem, Options(method=other))


def test_an_unknown_method_is_named_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"no method `ktt`[\s\S]*did you mean `kkt`"):
        choose(bl.resolve(follow(), ANNOTATION), Options(method="ktt"))


def test_unknown_encodings_and_solvers_are_mistakes_even_where_none_is_needed() -> None:
    # min (y - x)² without rows and bounds: the conditions are equations, and no encoding is needed.
    m = plain(y=(None, None))
    m.f.set_value((m.y - m.x) ** 2)
    problem = bl.resolve(m, "bilevel x\nmin f y")
    with pytest.raises(UsageError, match="no encoding `sos2`"):
        choose(problem, Options(encoding="sos2"))
    with pytest.raises(UsageError, match=r"no solver is called 'hihgs'[\s\S]*highs"):
        choose(problem, Options(solver="hihgs"))


def test_every_refusal_is_told_with_its_remedy() -> None:
    m = follow()
    m.y.domain = pyo.Integers
    with pytest.raises(RefusedError) as caught:
        choose(bl.resolve(m, ANNOTATION), Options(position="pessimistic"))
    said = str(caught.value)
    assert "`y`" in said
    assert "help:" in said
    m = follow()
    m.y.setub(None)
    m.bend = pyo.Expression(expr=pyo.exp(m.y))
    with pytest.raises(RefusedError, match="pessimistic"):
        choose(bl.resolve(m, ANNOTATION.replace(" f ", " bend ")), Options(position="pessimistic"))


def test_what_several_methods_refuse_for_one_reason_is_told_once() -> None:
    with pytest.raises(RefusedError) as caught:
        choose(bl.resolve(newsvendor(), THREE + LATE), Options(position="pessimistic"))
    (only,) = caught.value.diagnostics
    assert only.message == "l-shaped, boxes, extensive-form: there is no follower whose ties could go either way"
    assert only.help == "leave --position out"


def test_a_second_method_is_in_hand_for_small_problems_that_are_not_convex() -> None:
    m = follow()
    convex = bl.resolve(m, ANNOTATION)
    m.bend = pyo.Expression(expr=-((m.y - 5) ** 2))
    bent = bl.resolve(m, ANNOTATION.replace(" f ", " bend "))
    first, path = choose(bent, Options())
    assert first.name == "kkt"
    assert any(line.startswith("in hand   value-function") for line in path)
    assert in_hand(convex, Options(), first) is None
    assert in_hand(bent, Options(method="kkt"), first) is None
    assert in_hand(bent, Options(encoding="sos1"), first) is None
    assert in_hand(bent, Options(solver="highs"), first) is None
    m.many = pyo.Var(range(30))
    m.leader.set_value(m.leader.expr + sum(m.many.values()))
    large = bl.resolve(m, ANNOTATION.replace(" f ", " bend ").replace("bilevel x", "bilevel x many"))
    assert in_hand(large, Options(), first) is None
