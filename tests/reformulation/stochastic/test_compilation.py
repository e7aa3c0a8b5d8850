"""The arrays against Pyomo's own reading of the model with each scenario's values put in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import ModelFileError, RefusedError
from bilevel_lang.reformulation.stochastic.compilation import Compiled, compile_program
from bilevel_lang.solvers.matrix import arrays_of
from bilevel_lang.solvers.program_reading import read_program
from tests.stochastic_models import FARMER, LATE, THREE, farmer, newsvendor


def compiled(m: Any, text: str) -> tuple[Any, Compiled, Any]:
    problem = bl.resolve(m, text)
    assert problem.stochastic is not None
    scenarios = problem.stochastic.scenarios(None, 0)
    return problem, compile_program(problem, scenarios), scenarios


def everywhere() -> Any:
    """Random data in every place that there is."""
    m = pyo.ConcreteModel()
    m.a, m.b = pyo.Param(initialize=1, mutable=True), pyo.Param(initialize=2, mutable=True)
    m.x = pyo.Var([1, 2], bounds=(0, 5))
    m.n = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
    m.y = pyo.Var([1, 2], domain=pyo.NonNegativeReals, bounds=(None, m.a + 4))
    m.z = pyo.Var(domain=pyo.Binary)
    m.first = pyo.Constraint(expr=m.x[1] + m.x[2] + m.n <= 7)
    m.mixed = pyo.Constraint(expr=m.a * m.x[1] + m.a * m.b * m.y[1] - m.b >= m.a**2 + m.z)
    m.band = pyo.Constraint(expr=(m.a, m.y[1] + m.y[2] + 3 * m.x[2], 20 + m.b))
    m.o = pyo.Objective(expr=2 * m.x[1] + m.b * m.x[2] + m.n + m.y[1] + m.a / m.b * m.y[2] + 5 * m.z + m.a)
    return m


EVERYWHERE = "jrandvar a b 0.25 1 2 0.25 2 4 0.5 3 1\nstage 2 y z mixed band"


@pytest.mark.parametrize(("make", "text"), [(everywhere, EVERYWHERE), (farmer, FARMER), (newsvendor, THREE + LATE)])
def test_each_scenario_is_what_pyomo_reads_with_its_values(make: Any, text: str) -> None:
    m = make()
    problem, found, scenarios = compiled(m, text)
    for number in range(scenarios.size):
        for parameter, value in zip(problem.stochastic.parameters, scenarios.values[number], strict=True):
            parameter.data.set_value(float(value))
        program = read_program(m)
        theirs, part = arrays_of(program), found.arrays.scenario(number)
        place = {id(v): j for j, v in enumerate(program.variables)}
        order = [place[id(v)] for v in (*found.first, *found.second)]
        first = found.arrays.first
        assert np.concatenate([first.lower, part.lower]) == pytest.approx(theirs.lower[order])
        assert np.concatenate([first.upper, part.upper]) == pytest.approx(theirs.upper[order])
        assert np.concatenate([first.integer, found.arrays.integer]).tolist() == theirs.integer[order].tolist()
        assert np.concatenate([first.cost + part.first_cost, part.cost]) == pytest.approx(theirs.cost[order])
        assert part.constant + first.constant == pytest.approx(theirs.constant)
        rows = {id(row.constraint): i for i, row in enumerate(program.rows)}
        mine = [rows[id(r)] for r in (*found.first_rows, *found.second_rows)]
        dense = theirs.matrix.toarray()[mine][:, order]
        late = np.hstack([part.technology.toarray(), part.recourse.toarray()])
        early = np.hstack([first.matrix.toarray(), np.zeros((first.rows, len(part.lower)))])
        assert np.vstack([early, late]) == pytest.approx(dense)
        assert np.concatenate([first.row_lower, part.row_lower]) == pytest.approx(theirs.row_lower[mine])
        assert np.concatenate([first.row_upper, part.row_upper]) == pytest.approx(theirs.row_upper[mine])


def test_ten_thousand_scenarios_are_compiled_without_a_walk_for_each() -> None:
    m = newsvendor()
    problem = bl.resolve(m, "randvar d normal 45 10\n" + LATE)
    assert problem.stochastic is not None
    scenarios = problem.stochastic.scenarios(10_000, 0)
    found = compile_program(problem, scenarios).arrays
    assert found.everywhere("row_lower")[:, 0] == pytest.approx(scenarios.values[:, 0])
    assert m.d.value == 60


def test_what_is_not_linear_is_refused_by_name() -> None:
    m = newsvendor()
    m.bend = pyo.Constraint(expr=m.s**2 <= m.d)
    with pytest.raises(RefusedError, match=r"row `bend` is not linear"):
        compiled(m, THREE + LATE + "bend")
    m = newsvendor()
    m.product = pyo.Constraint(expr=m.s * m.i <= m.d)
    with pytest.raises(RefusedError, match=r"row `product` is not linear"):
        compiled(m, THREE + LATE + "product")


def test_a_coefficient_that_is_no_number_names_its_scenario() -> None:
    m = newsvendor()
    m.odd = pyo.Constraint(expr=m.s / (m.d - 60) <= 9)
    with pytest.raises(ModelFileError, match=r"coefficient of row `odd` is not a finite number in scenario 2"):
        compiled(m, THREE + LATE + "odd")


def test_a_coefficient_by_cases_is_refused_with_the_mend() -> None:
    m = newsvendor()
    m.cases = pyo.Constraint(expr=m.s <= pyo.Expr_if(m.d >= 50, 5, 0))
    with pytest.raises(RefusedError, match=r"row `cases` holds an `Expr_if`[\s\S]*make the whole coefficient a parameter"):
        compiled(m, THREE + LATE + "cases")
