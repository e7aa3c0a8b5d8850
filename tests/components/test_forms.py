from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.components.forms import Affine, Columns, NotQuadraticError, Stack
from bilevel_lang.errors import ModelFileError


@pytest.fixture
def m():
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1, 2])
    m.f = pyo.Var()
    m.f.fix(5.0)
    m.p = pyo.Param(initialize=3.0, mutable=True)
    m.empty = pyo.Param(mutable=True)
    m.e = pyo.Expression(expr=m.x[0] - 4)
    return m


CASES = {
    "sum": lambda m: 2 * m.x[0] + m.x[1] - 3 * m.x[2] + 7,
    "variable": lambda m: m.x[1] + 0,
    "parameter": lambda m: m.p * m.x[0] + m.p**2 * m.x[1] + m.p,
    "fixed": lambda m: m.f * m.x[0] + 2 * m.f + m.x[1],
    "nested": lambda m: 2 * (m.x[0] - (m.x[1] - m.e)) / 4 + m.e,
    "repeated": lambda m: m.x[0] + 2 * m.x[0] - m.x[1],
    "negated": lambda m: -(m.x[0] + m.x[1]),
    "number": lambda m: 4.0,
}


@pytest.mark.parametrize("name", CASES)
def test_an_affine_form_has_the_values_of_its_expression(m, name):
    expression = CASES[name](m)
    columns = Columns()
    form = columns.affine(expression, name)
    for point in np.random.default_rng(1).normal(size=(5, 3)):
        for i in range(3):
            m.x[i].set_value(float(point[i]))
        value = form.constant + sum(c * columns.variables[j].value for j, c in zip(form.columns, form.coefficients, strict=True))
        assert value == pytest.approx(pyo.value(expression))


def test_a_fixed_variable_gets_no_column(m):
    columns = Columns()
    columns.affine(m.f * m.x[0] + m.f, "row")
    assert [v.name for v in columns.variables] == ["x[0]"]
    assert columns.find(m.f) is None and columns.find(m.x[0]) == 0


def test_a_quadratic_form_has_the_values_of_its_expression(m):
    expression = (m.x[0] - m.p * m.x[1]) ** 2 + m.x[0] * m.x[2] - m.x[2] + 1
    columns = Columns()
    form = columns.quadratic(expression, "objective")
    assert not form.is_affine and form.columns() == {0, 1, 2}
    for point in np.random.default_rng(2).normal(size=(5, 3)):
        for i in range(3):
            m.x[i].set_value(float(point[i]))
        z = [v.value for v in columns.variables]
        linear = form.affine.constant + sum(c * z[j] for j, c in zip(form.affine.columns, form.affine.coefficients, strict=True))
        assert linear + sum(c * z[i] * z[j] for (i, j), c in zip(form.pairs, form.products, strict=True)) == pytest.approx(
            pyo.value(expression)
        )


@pytest.mark.parametrize("make", [lambda m: pyo.exp(m.x[0]), lambda m: m.x[0] ** 3, lambda m: m.x[0] / m.x[1]])
def test_what_is_not_quadratic_is_said_so(m, make):
    with pytest.raises(NotQuadraticError):
        Columns().quadratic(make(m), "row")


def test_a_product_is_not_affine(m):
    with pytest.raises(NotQuadraticError):
        Columns().affine(m.x[0] * m.x[1], "row")


def test_a_parameter_without_value_is_the_models_mistake(m):
    with pytest.raises(ModelFileError, match="row `r` cannot be evaluated"):
        Columns().affine(m.empty * m.x[0] + m.x[1], "row `r`")


def test_a_stack_sums_repeated_columns_and_drops_zeros():
    stack = Stack()
    stack.add(Affine(1.0, [0, 2, 0], [1.0, 4.0, 2.0]))
    stack.add(Affine(-2.0, [1, 1], [1.0, -1.0]))
    matrix = stack.matrix(4)
    assert matrix.toarray().tolist() == [[3.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    assert matrix.nnz == 2 and stack.shifts().tolist() == [1.0, -2.0]
    assert stack.uses(2) and not stack.uses(3) and len(stack) == 2
