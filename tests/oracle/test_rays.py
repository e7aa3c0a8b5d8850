"""Agents that are unbounded whatever the others decide: proven by a ray, or not claimed."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.api import resolve
from bilevel_lang.oracle.rays import Ray, endless_ray

INF = float("inf")


def agent_of(objective, *rows, x=(2.0, 3.0), y1=(None, None), y2=(None, None), sense="min", integer=False):
    """The follower of a leader with one variable; formulas over a model ``m``."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=x)
    m.y1, m.y2 = pyo.Var(bounds=y1, domain=pyo.Integers if integer else pyo.Reals), pyo.Var(bounds=y2)
    m.outer = pyo.Objective(expr=m.x)
    m.inner = pyo.Objective(expr=objective(m), sense=pyo.maximize if sense == "max" else pyo.minimize)
    m.inner.deactivate()
    for k, row in enumerate(rows):
        m.add_component(f"r{k}", pyo.Constraint(expr=row(m)))
    names = " ".join(f"r{k}" for k in range(len(rows)))
    (agent,) = resolve(m, f"bilevel x\n{sense} inner y1 y2 {names}").agents
    return m, agent


UNBOUNDED = {
    "parabolas of the literature": (
        lambda m: -m.y2,
        lambda m: m.y2 <= m.x * (m.y1 - 2) ** 2,
        lambda m: 12.5 * m.x * (m.y1 - 5) <= m.y2,
        lambda m: m.y2 <= 5 * (m.y1 + 4 - m.x) * (m.y1 + 8 - m.x),
    ),
    "no rows": (lambda m: m.x * m.y1 + m.y2**2,),
    "a product": (lambda m: m.y1 * m.y2,),
    "a range that it leaves alone": (lambda m: m.y2 - m.y1**2, lambda m: pyo.inequality(-1, m.y2, 1)),
    "a quotient": (lambda m: -(m.y1**2) / m.x,),
}
BOUNDED = {
    "a square": (lambda m: m.y1**2 + m.y2**2,),
    "a row that ends every ray": (lambda m: -m.y1, lambda m: m.y1 * m.x <= 7, lambda m: m.y2 == 0),
    "an equality": (lambda m: -m.y1, lambda m: m.y1**2 + m.y2 == 3, lambda m: m.y2 >= -4),
    "constant along the ray": (lambda m: m.x * 2 + 0 * m.y1 + m.y2**2,),
    "flat": (lambda m: (m.y1 + m.y2) ** 2,),
    "an exponential, which is not followed": (lambda m: pyo.exp(-m.y1) + m.y2**2,),
}


@pytest.mark.parametrize("parts", UNBOUNDED.values(), ids=UNBOUNDED)
def test_a_proof_holds_at_points_far_out_on_the_ray(parts):
    """The rows hold and the objective falls: evaluated, for several decisions of the leader."""
    m, agent = agent_of(*parts)
    ray = endless_ray(agent)
    assert ray is not None
    for x in (2.0, 2.37, 3.0):
        m.x.value = x
        last = INF
        for t in (ray.begin, 2 * ray.begin, 100 * ray.begin):
            for v, d in ray.direction.items():
                v.set_value(ray.base[v] + t * d)
            for row in m.component_data_objects(pyo.Constraint):
                assert row.lslack() >= -1e-9 and row.uslack() >= -1e-9
            value = pyo.value(m.inner)
            assert value < last
            last = value


@pytest.mark.parametrize("parts", BOUNDED.values(), ids=BOUNDED)
def test_what_has_an_answer_is_not_called_unbounded(parts):
    assert endless_ray(agent_of(*parts)[1]) is None


def test_only_for_some_decisions_is_not_for_all():
    """min -x*y1: unbounded for every x but 0."""
    assert endless_ray(agent_of(lambda m: -m.x * m.y1 + m.y2**2, x=(0, 1))[1]) is None
    assert endless_ray(agent_of(lambda m: -m.x * m.y1 + m.y2**2, x=(0.1, 1))[1]) is not None
    assert endless_ray(agent_of(lambda m: -m.x * m.y1 + m.y2**2, x=(0.1, None))[1]) is not None
    assert endless_ray(agent_of(lambda m: -m.x * m.y1 + m.y2**2, x=(None, None))[1]) is None, "no finite coefficient"


def test_bounds_close_directions():
    assert endless_ray(agent_of(lambda m: m.y1, y1=(0, None))[1]) is None
    ray = endless_ray(agent_of(lambda m: m.y1, y1=(None, 0))[1])
    assert isinstance(ray, Ray)
    assert "`y1` falls" in ray.text


def test_a_maximiser_goes_the_other_way():
    assert endless_ray(agent_of(lambda m: -(m.y1**2) - m.y2**2, sense="max")[1]) is None
    assert endless_ray(agent_of(lambda m: m.y1**2, sense="max")[1]) is not None


def test_a_base_that_breaks_a_row_is_no_proof():
    """y1 falls for ever where y2 is 5 or more only, and the ray begins at y2 = 0."""
    assert endless_ray(agent_of(lambda m: m.y1, lambda m: m.y2**2 >= 25, y2=(-6, 6))[1]) is None


def test_integers_are_left_alone():
    assert endless_ray(agent_of(lambda m: m.y1, integer=True)[1]) is None
