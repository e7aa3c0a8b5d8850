from __future__ import annotations

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.kkt import Kkt
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import Exactness
from tests.harness import state
from tests.reformulation.linear.models import bard511, random_follower


def prepared(made, **wanted) -> Reformulation:
    model, text = made
    return Kkt().prepare(bl.resolve(model, text), Options(**wanted))


def test_a_linear_problem_goes_without_a_model_and_leaves_the_users_alone():
    model, text = bard511()
    before = state(model)
    reformulation = prepared((model, text))
    assert reformulation.model is None and reformulation.exactness is Exactness.EXACT
    run = reformulation.run(Options())
    point = reformulation.recover(run)
    assert state(model) == before
    assert point.values[model.x] == pytest.approx(4)
    assert {name for name, _, _ in point.multipliers} == {f"e[{i}]" for i in (1, 2, 3, 4)}


@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize("seed", range(20, 28))
def test_arrays_and_components_agree(seed, quadratic):
    model, text = random_follower(seed, quadratic)
    problem = bl.resolve(model, text)
    options = Options(encoding="sos1", time_limit=20.0)
    rewrite = Kkt()
    arrays, components = rewrite.prepare(problem, options), rewrite.encode(rewrite.apply(problem, options), options)
    assert arrays.model is None and components.model is not None
    ours, theirs = arrays.run(options), components.run(options)
    assert ours.termination is theirs.termination
    assert ours.objective == pytest.approx(theirs.objective, rel=1e-6, abs=1e-6)


def test_a_nonconvex_agent_makes_it_a_relaxation_and_is_named():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(-1, 1))
    m.lead, m.inner = pyo.Objective(expr=m.x + m.y), pyo.Expression(expr=-(m.y**2) + m.x * m.y)
    reformulation = prepared((m, "bilevel x\nmin inner y"))
    assert reformulation.exactness is Exactness.RELAXATION
    assert len(reformulation.warnings) == 1 and "min inner" in reformulation.warnings[0]


def test_an_encoding_for_arrays_says_why_it_is_refused():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1))
    m.lead, m.inner = pyo.Objective(expr=m.x), pyo.Expression(expr=pyo.exp(m.y))
    with pytest.raises(RefusedError, match=r"takes problems whose rows.*objective of min inner is not linear"):
        prepared((m, "bilevel x\nmin inner y"), encoding="strong-duality")


@pytest.mark.parametrize(("encoding", "solver", "goes"), [("branch", "scip", "highs"), ("indicator", "highs", "scip")])
def test_an_encoding_for_arrays_is_not_given_to_another_solver(encoding, solver, goes):
    with pytest.raises(RefusedError, match=f"`{encoding}` goes to {goes}, not to {solver}"):
        prepared(bard511(), encoding=encoding, solver=solver)


def test_an_encoding_for_arrays_has_no_components():
    model, text = bard511()
    with pytest.raises(RefusedError, match="has no form as Pyomo components"):
        bl.reformulate(model, text, encoding="strong-duality")
