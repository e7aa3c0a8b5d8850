"""Against Pyomo: its standard representation, and Python's ``sum``."""

from __future__ import annotations

import itertools
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.core.expr.compare import compare_expressions
from pyomo.repn import generate_standard_repn

from bilevel_lang.components.plain_sums import coefficients, plain_terms, total


def model() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(3))
    m.y = pyo.Var()
    m.p = pyo.Param(initialize=3, mutable=True)
    m.x[2].fix(5)
    return m


@pytest.mark.parametrize(
    "build",
    [
        lambda m: m.x[0] + 2 * m.x[1] - m.y + 4,
        lambda m: m.x[0] + 2 * m.x[2] - m.y,
        lambda m: m.x[0] + 3 * m.x[1] + 2 * m.x[0],
        lambda m: m.x[0] - m.x[0] + m.x[1],
        lambda m: 0 * m.x[0] + m.x[1],
        lambda m: m.y + 0,
        lambda m: -2.5 * m.y,
        lambda m: pyo.quicksum(m.x.values()) - 1,
        lambda m: -(m.x[0] + m.x[1]),
        lambda m: m.x[0] + 3 * m.y - (m.x[1] + 2 * m.x[2] - 1),
        lambda m: m.x[0] - (m.x[1] - (m.y - 4 * m.x[0])),
        lambda m: 3 * (m.x[0] + 2 * m.x[1] - 1) - 2 * (m.y - 0.5 * (m.x[0] + m.x[2])),
        lambda m: m.x[0] + 1 - (m.x[0] + m.y),
    ],
)
def test_coefficients_are_those_of_the_standard_representation(build: Any) -> None:
    m = model()
    expression = build(m)
    repn = generate_standard_repn(expression)
    found = coefficients(expression)
    assert found is not None
    assert [v.name for v, _ in found] == [v.name for v in repn.linear_vars]
    assert [c for _, c in found] == list(repn.linear_coefs)


@pytest.mark.parametrize(
    "build",
    [
        lambda m: m.x[0] * m.x[1],
        lambda m: m.p * m.x[0] + m.x[1],
        lambda m: m.x[0] + pyo.exp(m.x[1]),
        lambda m: m.x[0] - (m.x[1] + m.p * m.y),
        lambda m: (m.x[0] + m.y) * m.p,
        lambda m: (m.x[0] + m.y) * m.x[1],
        lambda m: m.x[0] + m.p,
    ],
)
def test_what_is_no_plain_sum_is_left_to_others(build: Any) -> None:
    assert coefficients(build(model())) is None


def test_a_total_is_what_python_sums_up() -> None:
    m = model()
    x = m.x
    terms = [0, 2, 3.5, x[0], 2 * x[1], m.y, -m.y, x[0] * x[1], x[0] ** 2, x[0] + x[1], 0.0, m.p * x[0], m.p]
    for count in range(4):
        for chosen in itertools.product(terms, repeat=count):
            theirs, mine = sum(chosen), total(chosen)
            if theirs.__class__ in (int, float):
                assert mine == theirs
            else:
                assert compare_expressions(mine, theirs), [str(t) for t in chosen]


def test_the_terms_are_not_changed() -> None:
    m = model()
    first = m.x[0] + m.x[1]
    before = str(first)
    total([first, m.y])
    total([m.y, first, 2])
    assert str(first) == before


def test_terms_as_they_are_written() -> None:
    m = model()
    found = plain_terms(m.x[0] + 2 * m.x[2] - m.y + 3 * m.x[0] + 4)
    assert found is not None
    constant, terms = found
    assert constant == 4 and [(c, v.name) for c, v in terms] == [(1, "x[0]"), (2, "x[2]"), (-1, "y"), (3, "x[0]")]
    assert plain_terms(m.x[0] + m.p * m.y) is None and plain_terms(m.x[0] ** 2) is None
