"""Pyomo's own transformations of complementarities take the MPEC that `bilevel.kkt` makes, and lead to the known answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity

from tests.interoperation.models import ALL

Build = Callable[[], tuple[Any, str, float]]
CASES = pytest.mark.parametrize("build", ALL, ids=[build.__name__ for build in ALL])


def mpec(build: Build) -> tuple[Any, float, int]:
    """The transformed model, the known answer, the number of complementarities."""
    model, annotation, optimum = build()
    pyo.TransformationFactory("bilevel.kkt").apply_to(model, annotation=annotation)
    return model, optimum, len(list(model.component_data_objects(Complementarity, active=True)))


def solved(model: Any) -> float:
    pyo.assert_optimal_termination(pyo.SolverFactory("scip_direct").solve(model))
    return float(pyo.value(next(model.component_data_objects(pyo.Objective, active=True))))


@CASES
def test_simple_nonlinear(build: Build) -> None:
    model, optimum, _ = mpec(build)
    pyo.TransformationFactory("mpec.simple_nonlinear").apply_to(model)
    assert solved(model) == pytest.approx(optimum, abs=1e-4)


@CASES
def test_simple_disjunction_with_big_m(build: Build) -> None:
    model, optimum, _ = mpec(build)
    pyo.TransformationFactory("mpec.simple_disjunction").apply_to(model)
    pyo.TransformationFactory("gdp.bigm").apply_to(model, bigM=100)  # none of these models needs more
    assert solved(model) == pytest.approx(optimum, abs=1e-4)


@CASES
def test_standard_form(build: Build) -> None:
    """Its result is `v >= 0`, `c >= 0` and the note that one of them is 0: added here as products."""
    model, optimum, count = mpec(build)
    pyo.TransformationFactory("mpec.standard_form").apply_to(model)
    model.closed = pyo.ConstraintList()
    for data in model.kkt.complementarity.values():
        assert data.c._complementarity_type == 1
        model.closed.add(data.v * (data.c.body - data.c.lower) <= 0)
    assert len(model.closed) == count
    assert solved(model) == pytest.approx(optimum, abs=1e-4)


@CASES
def test_nl(build: Build, tmp_path: Path) -> None:
    """The file tells AMPL's solvers which variable belongs to which row; no such solver is at hand, so the products again."""
    model, optimum, count = mpec(build)
    pyo.TransformationFactory("mpec.nl").apply_to(model)
    path = tmp_path / "model.nl"
    model.write(str(path))
    rows = path.read_text(encoding="utf-8").partition("\nr")[2].partition("\nb")[0].splitlines()
    assert len([row for row in rows if row.startswith("5 ")]) == count
    variables = {id(v): v for v in model.component_data_objects(pyo.Var)}
    model.closed = pyo.ConstraintList()
    for data in model.kkt.complementarity.values():
        assert data.c._complementarity == 1  # the variable has a lower bound
        variable = variables[data.c._vid]
        model.closed.add((variable - variable.lb) * data.c.body <= 0)
    assert solved(model) == pytest.approx(optimum, abs=1e-4)
