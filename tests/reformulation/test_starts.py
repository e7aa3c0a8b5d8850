from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.starts import KNOWN, WIDTH, Starts, UnitStarts
from tests.reformulation.problems import cournot, follow


def starts(m: pyo.ConcreteModel, annotation: str = "bilevel x\nmin f y c", seed: int = 0) -> Starts:
    # The twins are the variables themselves here, so that what is written can be read off the model.
    twins = ComponentMap((v, v) for v in m.component_data_objects(pyo.Var))
    return Starts(bl.resolve(m, annotation), twins, Options(seed=seed))


def test_the_first_start_is_the_modellers_own() -> None:
    m = follow()
    m.x.set_value(4.0)
    m.y.set_value(12.0, skip_validation=True)
    starts(m).write(0)
    assert (m.x.value, m.y.value) == (4.0, 10.0)  # 12 is outside of the bounds


def test_odd_starts_are_answers_of_the_follower() -> None:
    m = follow()
    writer = starts(m)
    writer.write(1)
    assert m.y.value == pytest.approx(m.x.value, abs=1e-6)


def test_starts_repeat_and_differ() -> None:
    m = follow()
    writer = starts(m)
    seen = []
    for number in (2, 4, 2):
        m.x.set_value(1.0)
        writer.write(number)
        seen.append(m.x.value)
    assert seen[0] == seen[2] != seen[1]
    other = follow()
    other.x.set_value(1.0)
    starts(other, seed=1).write(2)
    assert other.x.value != seen[0]


def test_fixed_variables_keep_their_values() -> None:
    # The follower's answer has to be the one to the value that the variable is fixed at.
    m = follow()
    m.x.fix(7.0)
    writer = starts(m)
    for number in range(4):
        writer.write(number)
        assert m.x.value == 7.0
    writer.write(1)
    assert m.y.value == pytest.approx(7.0, abs=1e-6)


def test_starts_spread_over_bounds_far_from_zero() -> None:
    m = follow()
    m.x.setlb(5000)
    m.x.setub(6000)
    writer = starts(m)
    drawn = []
    for number in (2, 4, 6, 8):
        m.x.set_value(None)
        writer.write(number)
        drawn.append(m.x.value)
    assert all(5000 <= x <= 6000 for x in drawn)
    assert max(drawn) - min(drawn) > 50


def test_without_bounds_a_start_lies_near_the_value_there_is() -> None:
    m = follow()
    m.x.setlb(None)
    m.x.setub(None)
    m.x.set_value(100.0)
    starts(m).write(2)
    assert abs(m.x.value - 100.0) <= WIDTH


def test_players_of_a_game_answer_each_other() -> None:
    m = cournot()
    starts(m, "equilibrium\nmax profit(1) q(1)\nmax profit(2) q(2)\nmax profit(3) q(3)").write(1)
    third = max(0.0, (10 - 3 - m.q[1].value - m.q[2].value) / 2)
    assert m.q[3].value == pytest.approx(third, abs=1e-5)


def test_unit_starts_are_around_1_within_bounds() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(2, 3)), pyo.Var(initialize=7.0)
    m.o, m.f = pyo.Objective(expr=m.x + m.z), pyo.Expression(expr=m.y)
    twins = ComponentMap((v, v) for v in m.component_data_objects(pyo.Var))
    writer = UnitStarts(bl.resolve(m, "bilevel x z\nmin f y"), twins, Options())
    writer.write(0)
    assert (m.x.value, m.y.value, m.z.value) == (1.0, 2.0, 7.0)
    seen = set()
    for number in (2, 4, 6):
        writer.write(number)
        assert 0.1 < m.x.value < 10 and 2 <= m.y.value <= 3
        seen.add(m.x.value)
    assert len(seen) == 3


def test_a_known_point_is_start_number_one_with_the_agents_answers_to_it():
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 50)), pyo.Var()
    m.outer = pyo.Objective(expr=m.x)
    m.inner = pyo.Objective(expr=(m.y - m.x) ** 2)
    m.inner.deactivate()
    twins = ComponentMap((v, v) for v in (m.x, m.y))
    writer = Starts(bl.resolve(m, "bilevel x\nmin inner y"), twins, Options(), known=ComponentMap([(m.x, 42.0), (m.y, -7.0)]))
    writer.write(KNOWN)
    assert (m.x.value, m.y.value) == (42.0, pytest.approx(42.0, abs=1e-4))
    m.x.value = m.y.value = None
    writer.write(2)
    assert m.x.value != 42.0
