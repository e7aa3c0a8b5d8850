from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.linear import start as module
from bilevel_lang.reformulation.linear.big_m import LinearBigM
from bilevel_lang.reformulation.linear.indicator import LinearIndicator
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.linear.start import first_point, starting
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.highs import Highs
from tests.reformulation.linear.models import bard511, mpec_of, random_follower


def is_solution(mpec, z) -> bool:
    return mpec.program.violation(z) <= 1e-7 and float(np.minimum(z[mpec.left], z[mpec.right]).max(initial=0.0)) <= 1e-9


@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_a_first_point_is_a_solution_of_the_conditions(seed, quadratic):
    mpec = mpec_of(random_follower(seed, quadratic))
    z = first_point(mpec)
    assert z is not None and is_solution(mpec, z)
    best = LinearSos1().encode(mpec, "scip", Options()).run(Options(), None).objective
    assert mpec.program.objective_at(z) >= best - 1e-6 * max(1.0, abs(best))


def test_the_penalty_alone_leads_to_solutions(monkeypatch):
    monkeypatch.setattr(module, "_response", lambda mpec, x, highs: None)
    found = [(mpec, first_point(mpec)) for mpec in map(mpec_of, map(random_follower, range(8)))]
    assert all(z is None or is_solution(mpec, z) for mpec, z in found)
    assert sum(z is not None for _, z in found) >= 4


def test_the_answer_of_an_agent_is_its_optimum_with_its_duals():
    mpec = mpec_of(random_follower(2, True))
    z = np.zeros(mpec.program.columns)
    names = [v.name for v in mpec.variables]
    z[[names.index("x[0]"), names.index("x[1]")]] = 1.0
    assert module._answer(mpec, mpec.agents[0], z, Highs())
    assert float(np.minimum(z[mpec.left], z[mpec.right]).max()) <= 1e-6
    assert mpec.program.violation(z) <= 1e-6


def test_a_given_point_is_completed():
    mpec = mpec_of(bard511())
    given = np.full(mpec.program.columns, np.nan)
    given[:2] = (4.0, 0.0)
    found = starting(mpec, given)
    # The follower's answer to x = 4 is y = 4, and the best of that piece is the optimum.
    assert is_solution(mpec, found) and mpec.program.objective_at(found) == pytest.approx(-12)
    complete = np.zeros(mpec.program.columns)
    assert starting(mpec, complete).tolist() == complete.tolist()


def test_without_a_point_there_is_none():
    model, text = bard511()
    model.never = pyo.Constraint(expr=model.x + model.y >= 100)
    assert first_point(mpec_of((model, text))) is None


def test_integer_leaders_stay_whole():
    model, text = bard511()
    model.x.domain = pyo.NonNegativeIntegers
    mpec = mpec_of((model, text))
    z = first_point(mpec)
    assert z is not None and z[0] == round(z[0]) and is_solution(mpec, z)


@pytest.mark.parametrize("encoding", [LinearSos1(), LinearIndicator(), LinearBigM()], ids=lambda e: e.name)
def test_solvers_take_the_point_they_are_given(encoding):
    """With no node to spend, the answer is the start's: it came with its multipliers and binaries."""
    mpec = mpec_of(random_follower(4))
    z = first_point(mpec)
    run = encoding.encode(mpec, "scip", Options()).run(Options(solver_options={"limits/nodes": 1}), z)
    sense = mpec.program.sense
    assert run.objective is not None and sense * run.objective <= sense * mpec.program.objective_at(z) + 1e-6
