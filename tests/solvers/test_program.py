from __future__ import annotations

import math

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import ModelFileError
from bilevel_lang.solvers.program import breaks, finite_side, holding, restoring, uncross
from bilevel_lang.solvers.program_reading import read_program


def test_objective_with_functions_is_evaluated_without_trace():
    m = pyo.ConcreteModel()
    m.x = pyo.Var(initialize=7)
    m.o = pyo.Objective(expr=pyo.log(m.x) + m.x**2)
    program = read_program(m)
    assert program.objective_at([1.0]) == pytest.approx(1)
    assert math.isnan(program.objective_at([-1.0]))
    assert m.x.value == 7


def test_values_come_back_after_an_exception():
    m = pyo.ConcreteModel()
    m.x = pyo.Var(initialize=7)
    with pytest.raises(RuntimeError), holding([m.x], [1.0]):
        assert m.x.value == 1
        raise RuntimeError
    assert m.x.value == 7
    with restoring([m.x]):
        m.x.set_value(3)
    assert m.x.value == 7


def test_from_1e20_on_there_is_no_side() -> None:
    assert [finite_side(s, -math.inf) for s in (None, 3, 9e19, 1e20, -1e30)] == [-math.inf, 3.0, 9e19, math.inf, -math.inf]
    with pytest.raises(ModelFileError, match="NaN"):
        finite_side(math.nan, math.inf)


def test_a_constant_row_is_off_relative_to_its_sides() -> None:
    assert not breaks(1e3 + 9e-5, -math.inf, 1e3)
    assert breaks(1e3 + 2e-4, -math.inf, 1e3)
    assert breaks(-1e-6, 0.0, math.inf)


def test_bounds_that_cross_by_rounding_become_one_value() -> None:
    lower, upper = np.array([0.0, 1.0 + 1e-12]), np.array([1.0, 1.0])
    assert uncross(lower, upper, str) is None
    assert (lower <= upper).all()
    assert (
        uncross(np.array([2.0]), np.array([1.0]), lambda j: f"column {j}") == "the bounds of column 0 exclude each other: 2 > 1"
    )
