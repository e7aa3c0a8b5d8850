from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import ModelFileError, RefusedError
from bilevel_lang.solvers import program_reading
from bilevel_lang.solvers.program_reading import read_program, sense_of


def test_rows_carry_their_constants_in_the_sides():
    m = pyo.ConcreteModel()
    m.x, m.y, m.f = pyo.Var(bounds=(0, 1e20)), pyo.Var(domain=pyo.Integers), pyo.Var(initialize=2)
    m.f.fix()
    m.o = pyo.Objective(expr=m.x * m.f + 5, sense=pyo.maximize)
    m.c = pyo.Constraint(expr=pyo.inequality(1, m.x + 3 * m.y * m.f + m.x * m.y + 4, 9))
    m.free = pyo.Constraint(expr=pyo.inequality(-1e20, m.x, 1e21))
    program = read_program(m)
    assert [v.name for v in program.variables] == ["x", "y"]
    assert list(program.upper) == [math.inf, math.inf]
    assert list(program.integer) == [False, True]
    assert program.sense == -1
    assert program.cost.linear == {0: 2.0}
    assert program.cost.constant == 5
    (row,) = program.rows
    assert (row.lower, row.upper) == (-3, 5)
    assert row.form.linear == {0: 1.0, 1: 6.0}
    assert row.form.quadratic == {(0, 1): 1.0}
    assert program.objective_at([3.0, 0.0]) == 11


@pytest.mark.parametrize(
    "terms",
    [
        lambda x, p: 2 * x[0] - 3 * x[1] + 4,
        lambda x, p: x[0] + x[1] + x[0],  # a variable twice
        lambda x, p: x[0] + x[1] - x[0],  # and gone
        lambda x, p: 0.0 * x[1] + x[2],
        lambda x, p: 0.0 * x[1] + 0.0 * x[2],
        lambda x, p: x[3] + 2 * x[1] + 1.5,  # x[3] is fixed
        lambda x, p: p * x[0] + x[1] - p,
        lambda x, p: 3 * x[2],
        lambda x, p: x[2],
    ],
)
def test_a_plain_sum_is_read_as_the_walker_reads_it(terms, monkeypatch):
    found = []
    for plain in (program_reading._plain_terms, lambda expression: None):
        monkeypatch.setattr(program_reading, "_plain_terms", plain)
        m = pyo.ConcreteModel()
        m.x, m.p = pyo.Var(range(4)), pyo.Param(initialize=2, mutable=True)
        m.x[3].fix(5)
        m.o = pyo.Objective(expr=terms(m.x, m.p))
        m.c = pyo.Constraint(expr=(-1, terms(m.x, m.p), 1))
        read = read_program(m)
        rows = [(row.lower, row.upper, row.form) for row in read.rows]
        found.append(([v.name for v in read.variables], read.cost, rows))
    assert found[0] == found[1]


@pytest.mark.parametrize("factor", [math.nan, math.inf])
def test_a_factor_that_is_no_number_is_an_error(factor):
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2))
    m.o = pyo.Objective(expr=m.x[0] + factor * m.x[1])
    with pytest.raises(ModelFileError, match="cannot be evaluated"):
        read_program(m)


def test_only_what_appears_is_a_column():
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(5))
    m.o = pyo.Objective(expr=m.x[3])
    assert [v.name for v in read_program(m).variables] == ["x[3]"]


@pytest.mark.parametrize(
    ("crossing", "contradicts"),
    [(1e-3, True), (1e-12, False)],
)
def test_bounds_that_cross(crossing, contradicts):
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(1 + crossing, 1))
    m.o = pyo.Objective(expr=m.x)
    program = read_program(m)
    assert bool(program.contradiction) is contradicts
    if not contradicts:
        assert program.lower[0] == program.upper[0]


def test_what_cannot_be_read():
    m = pyo.ConcreteModel()
    m.x, m.f = pyo.Var(domain=pyo.Any), pyo.Var()
    m.o = pyo.Objective(expr=m.x)
    with pytest.raises(RefusedError, match="domain"):
        read_program(m)
    m.o.deactivate()
    m.f.fix()
    m.c = pyo.Constraint(expr=m.f + m.x >= 1)
    with pytest.raises(ModelFileError, match="constraint 'c'"):
        read_program(m)


def test_a_row_with_its_side_beyond_infinity_is_named() -> None:
    model = pyo.ConcreteModel()
    model.x = pyo.Var()
    model.far = pyo.Constraint(expr=model.x <= -1e30)
    with pytest.raises(ModelFileError, match="'far' has a side beyond"):
        read_program(model)


def test_better_means_less_times_the_sense() -> None:
    model = pyo.ConcreteModel()
    assert sense_of(model) == 1.0
    model.x = pyo.Var()
    model.cost = pyo.Objective(expr=model.x)
    assert sense_of(model) == 1.0
    model.cost.sense = pyo.maximize
    assert sense_of(model) == -1.0
