"""The Pyomo model of an instance, and answers known from elsewhere."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest

import bilevel_lang
from bilevel_lang.mps_files.instance import BilevelInstance, Column, Follower, MpsInstance, Row
from bilevel_lang.mps_files.pyomo_model import pyomo_model
from bilevel_lang.solution import Status
from tests.mps_files.instances import AUX, DATA, MPS, read


def test_components_have_the_names_of_the_file() -> None:
    model, annotation = pyomo_model(read(MPS, AUX))
    assert annotation == "bilevel x\nmin lower_objective y lower\n"
    assert model.x["x"].bounds == (0, 3)
    assert model.y["y"].bounds == (0, None)
    assert str(model.lower["cap"].expr) == "x[x] + y[y]  <=  4.0"
    assert str(model.upper["need"].expr) == "0.0  <=  3.0*y[y]"
    assert (model.upper_objective.sense, model.upper_objective.active) == (pyo.minimize, True)
    assert (str(model.upper_objective.expr), str(model.lower_objective.expr)) == ("x[x] - 2.0*y[y]", "- y[y]")


def test_domains() -> None:
    bounds = [(0.0, 1.0), (0.0, 5.0), (-math.inf, math.inf)]
    columns = tuple(Column(f"c{k}", *b, True, 1.0) for k, b in enumerate(bounds))
    model, _ = pyomo_model(BilevelInstance(MpsInstance("", 1, 0.0, columns, ()), Follower((2,), (1.0,), ())))
    assert [v.is_binary() for v in model.x.values()] == [True, False]
    assert model.y["c2"].is_integer()
    assert model.y["c2"].bounds == (None, None)


def test_tiny_solved_by_hand() -> None:
    # The follower takes y = 4 - x; the leader minimises x - 2 (4 - x) = 3 x - 8.
    model, annotation = pyomo_model(read(MPS, AUX))
    solution = bilevel_lang.solve(model, annotation)
    assert (solution.status, solution.objective) == (Status.OPTIMAL, pytest.approx(-8))
    assert dict(solution.variables) == pytest.approx({"x[x]": 0, "y[y]": 4})


def test_senses_of_both() -> None:
    # The follower maximises y, the leader x + y + 1 with x <= 3: y = 4 - x, so 5 whatever x is.
    text = MPS.replace("ROWS", "OBJSENSE MAX\nROWS").replace("y obj -2", "y obj 1").replace(" rhs cap 4", " rhs cap 4 obj -1")
    model, annotation = pyomo_model(read(text, AUX.replace("LO -1", "LO 1").replace("OS 1", "OS -1")))
    assert annotation.startswith("bilevel x\nmax ")
    assert bilevel_lang.solve(model, annotation).objective == pytest.approx(5)


def test_moore90_with_continuous_variables() -> None:
    # Moore and Bard 1990: without integrality the optimum is (8, 1) with -18, though that of the integer problem is -22.
    model, info = bilevel_lang.read_mps_aux(DATA / "moore90.mps")
    for variable in model.component_data_objects(pyo.Var):
        variable.domain = pyo.Reals
    solution = bilevel_lang.solve(model, info)
    assert (solution.status, solution.objective) == (Status.OPTIMAL, pytest.approx(-18))
    assert dict(solution.variables) == pytest.approx({"x[C0001]": 8, "y[C0002]": 1})


def test_a_follower_alone_and_rows_without_entries() -> None:
    mps = MpsInstance("", 1, 2.0, (Column("y", 1.0, 4.0, False, 0.0),), (Row("empty", -1.0, 1.0, ()),))
    model, annotation = pyomo_model(BilevelInstance(mps, Follower((0,), (-1.0,), (0,))))
    solution = bilevel_lang.solve(model, annotation)
    assert (solution.objective, solution.variables["y[y]"]) == (pytest.approx(2), pytest.approx(4))


def test_a_row_without_entries_that_cannot_hold() -> None:
    columns = (Column("x", 0.0, 1.0, False, 1.0), Column("y", 0.0, 1.0, False, 0.0))
    mps = MpsInstance("", 1, 0.0, columns, (Row("empty", 1.0, 2.0, ()),))
    model, annotation = pyomo_model(BilevelInstance(mps, Follower((1,), (-1.0,), ())))
    assert bilevel_lang.solve(model, annotation).status is Status.INFEASIBLE


def test_a_follower_without_an_objective() -> None:
    # Every point of its rows is optimal for it, so the leader chooses: y = 4, x = 0.
    model, annotation = pyomo_model(read(MPS, AUX.replace("LO -1", "LO 0")))
    assert bilevel_lang.solve(model, annotation).objective == pytest.approx(-8)
