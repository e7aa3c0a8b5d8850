"""The program with the network as a Pyomo model: the same as the arrays say, and a way back."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang import reformulate, verify
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_embed import supplier
from bilevel_lang.reformulation.nn_embed.program import embedded_program
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem, read_sampled
from bilevel_lang.reformulation.nn_embed.single_level import single_level
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction, resolved
from tests.reformulation.nn_embed.test_program import VALUE


def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplier, "STEPS", 60)


@pytest.mark.parametrize("target", ["value", "leader", "response"])
@pytest.mark.parametrize("form", ["split", "big-m"])
def test_it_has_the_optimum_of_the_arrays(target: str, form: str) -> None:
    problem = resolved(continuous())
    sampled = read_sampled(problem)
    assert isinstance(sampled, SampledProblem)
    source, inputs, domain = arrays(continuous())
    embedded = embedded_program(source, inputs, domain, VALUE, target, form, 10.0)
    expected = Highs().run_matrix(embedded.program, SolverOptions())
    made = single_level(problem, sampled, embedded)
    found = Highs().run(made.model, SolverOptions())
    assert found.objective == pytest.approx(expected.objective, abs=1e-6)
    assert found.values is not None and expected.x is not None
    assert made.model.nn_embed.network is not None


def test_a_maximising_leader_stays_one() -> None:
    m, info = continuous()
    m.outer.sense, m.outer.expr = pyo.maximize, -m.outer.expr
    problem = resolved((m, info))
    sampled = read_sampled(problem)
    assert isinstance(sampled, SampledProblem)
    source, inputs, domain = arrays((m, info))
    embedded = embedded_program(source, inputs, domain, VALUE, "value", "split", 10.0)
    made = single_level(problem, sampled, embedded)
    assert made.model.nn_embed.objective.sense == pyo.maximize
    assert Highs().run(made.model, SolverOptions()).objective == pytest.approx(12.0, abs=1e-6)


def test_reformulate_gives_a_model_whose_solution_is_recovered(monkeypatch: pytest.MonkeyPatch) -> None:
    _short(monkeypatch)
    m, info = continuous()
    found = reformulate(m, info, method="nn-embed", nn=NnOptions(samples=40))
    point = found.recover(found.run(Options()))
    assert isinstance(point.values, ComponentMap) and point.values[m.y] == pytest.approx(3.0, abs=1e-5)
    assert verify(m, info, point).verified
    assert m.y.value is None and m.component("nn_embed") is None  # the modeller's model is not touched


def test_the_best_point_is_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    _short(monkeypatch)
    m, info = interdiction()
    model = reformulate(m, info, method="nn-embed", nn=NnOptions(samples=16, layers=(6,))).model
    assert pyo.value(model.profit) == pytest.approx(7.0)
    assert all(v.value is not None for v in model.nn_embed.component_data_objects(pyo.Var))


def test_without_a_network_it_says_so() -> None:
    m, info = continuous()
    m.never = pyo.Constraint(expr=m.x >= 9)
    with pytest.raises(RefusedError, match="no point satisfies all rows"):
        reformulate(m, info, method="nn-embed", nn=NnOptions(samples=10))
