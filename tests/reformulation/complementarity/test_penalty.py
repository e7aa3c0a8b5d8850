from __future__ import annotations

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity.penalty import Penalty
from bilevel_lang.reformulation.nlp_options import NlpOptions
from tests.reformulation.problems import cournot, pairs

pytest.importorskip("casadi")


def test_the_cost_of_a_pair() -> None:
    assert Penalty().cost(2.0, 3.0, 0.5) == 12.0
    assert Penalty().rows(2.0, 3.0, 0.5, "inequality") == ()


def test_a_maximum_pays_with_a_minus() -> None:
    m = pairs()
    m.leader.set_value(-m.leader.expr)
    m.leader.sense = pyo.maximize
    made = bl.reformulate(m, "", encoding="penalty", nlp=NlpOptions(mu=(0.5,)))
    for v in made.model.component_data_objects(pyo.Var):
        if not v.fixed:
            v.set_value(3.0)
    # -(3 - 1)**2 - (3 - 2)**2 - 3 * 3 / 0.5
    assert pyo.value(made.model.encoding.penalised) == pytest.approx(-23.0)
    assert not made.model.leader.active


def test_the_objective_that_is_told_has_no_cost_in_it() -> None:
    # With mu = 1 alone the end point is not complementary: the piece has to do the rest.
    run = bl.reformulate(pairs(), "", encoding="penalty", nlp=NlpOptions(mu=(1.0,))).run(bl.Options(starts=2))
    assert run.objective == pytest.approx(1.0, abs=1e-6)


def test_an_equilibrium_without_a_leader() -> None:
    solution = bl.solve(cournot(), "equilibrium\nmax profit(1) q(1)\nmax profit(2) q(2)\nmax profit(3) q(3)", encoding="penalty")
    assert [solution.variables[f"q[{i}]"] for i in (1, 2, 3)] == pytest.approx([3, 2, 1], abs=1e-5)
