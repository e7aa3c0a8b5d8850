from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.linear.answer import multipliers_at, solver_run, values_at
from bilevel_lang.reformulation.linear.mpec import Postponed
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.linear.models import bard511, mpec_of


def test_an_answer_speaks_of_the_modellers_variables_and_rows():
    model, text = bard511()
    mpec = mpec_of((model, text))
    run = solver_run(mpec, LinearSos1().encode(mpec, "scip", Options()).run(Options(), None))
    assert run.values[model.x] == pytest.approx(4) and run.values[model.y] == pytest.approx(4)
    # The follower's y = 4 is held by 3 x - 2 y <= 4 alone: d y / d side = -1/2.
    multipliers = {name: value for name, value, _ in run.multipliers}
    assert multipliers == pytest.approx({"e[1]": 0, "e[2]": 0, "e[3]": 0, "e[4]": -0.5})
    assert [component for _, _, component in run.multipliers] == list(model.e.values())


def test_without_a_point_there_is_nothing_to_say():
    run = solver_run(mpec_of(bard511()), MatrixRun(Termination.INFEASIBLE, "S 1", message="why"))
    assert run.values is None and run.multipliers is None and run.message == "why"


def test_postponed_variables_are_computed():
    import dataclasses

    import pyomo.environ as pyo

    model, text = bard511()
    model.z = pyo.Var()
    body = model.z * 2 + model.x**2
    mpec = dataclasses.replace(mpec_of((model, text)), postponed=(Postponed(model.z, body, -0.5, 10.0),))
    values = values_at(mpec, np.array([3.0, 2.0]))
    # 2 z + x^2 = 20 at x = 3.
    assert values[model.z] == pytest.approx(5.5)
    assert all(value == 0 for _, value, _ in multipliers_at(mpec, np.zeros(mpec.program.columns)))
