"""Labels from verdicts: targets, gradients against difference quotients, weights."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.nn_embed.judge import Judge
from bilevel_lang.reformulation.nn_embed.lessons import lessons, usable
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction


def test_the_value_is_learned_where_the_leader_has_no_point() -> None:
    source, inputs, domain = arrays(continuous())
    judge = Judge(source, inputs, SolverOptions())
    verdicts = [judge.ask(np.array([x])) for x in (1.0, 3.0, 4.49, 5.0)]
    assert len(usable(verdicts, "value")) == 4 and len(usable(verdicts, "leader")) == 3
    found = lessons(verdicts, "value", source, inputs, domain)
    assert found.targets[:, 0] == pytest.approx([2.0, 2.0, 3.49, 4.0])
    assert found.gradients is not None and found.gradients[:, 0] == pytest.approx([-1.0, 1.0, 1.0, 1.0])
    assert found.weights is not None and np.argmax(found.weights) == 2  # 4.49 - 4 * 3.49 is the leader's best


def test_gradients_of_the_leader_where_it_is_the_value_and_own_terms() -> None:
    m, info = continuous()
    m.cap.deactivate()
    source, inputs, domain = arrays((m, info))
    judge = Judge(source, inputs, SolverOptions())
    points = np.array([1.0, 1.0 + 1e-4, 3.0, 3.0 + 1e-4])
    found = lessons([judge.ask(np.array([x])) for x in points], "leader", source, inputs, domain)
    quotients = np.diff(found.targets[:, 0])[[0, 2]] / 1e-4
    assert found.gradients is not None and found.gradients[[0, 2], 0] == pytest.approx(quotients, abs=1e-4)


def test_no_gradients_where_the_leader_wants_something_else() -> None:
    m, info = continuous()
    m.z = pyo.Var(bounds=(0, 1))
    m.outer.set_value(m.x - 4 * m.y + m.z)
    source, inputs, domain = arrays((m, info))
    judge = Judge(source, inputs, SolverOptions())
    assert lessons([judge.ask(np.array([1.0]))], "leader", source, inputs, domain).gradients is None


def test_responses_are_the_followers_columns() -> None:
    source, inputs, domain = arrays(interdiction())
    judge = Judge(source, inputs, SolverOptions())
    verdicts = [judge.ask(np.array(x)) for x in ([0.0, 0, 0, 0], [1.0, 1, 0, 0])]
    found = lessons(verdicts, "response", source, inputs, domain)
    assert found.targets.shape == (2, 4) and found.gradients is None
    profits = -np.array([7.0, 5.0, 6.0, 3.0]) @ found.targets.T
    assert profits == pytest.approx([v.value for v in verdicts])
