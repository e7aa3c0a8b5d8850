from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.complementarity.homotopy import Homotopy
from bilevel_lang.reformulation.kkt import Kkt
from bilevel_lang.reformulation.multiplier_starts import _split
from bilevel_lang.reformulation.starts import Starts
from tests.reformulation.problems import KNOWN, plain

pytest.importorskip("casadi")


def started(model: Any, annotation: str, number: int) -> tuple[Any, Any]:
    """The relaxed model at start ``number``, slacks included."""
    problem: BilevelProblem = bl.resolve(model, annotation)
    options = bl.Options(encoding="scholtes")
    mpec = Kkt().apply(problem, options)
    made = Kkt().encode(mpec, options)
    homotopy: Homotopy = made.run.encoded_run.__self__  # type: ignore[attr-defined]
    Starts(problem, mpec.variables, options, mpec.multipliers).write(number)
    homotopy.relaxed.settle_slacks()
    return made.model, homotopy.relaxed


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("name", ["follow", "linear", "price", "shop"])
def test_an_answer_with_its_multipliers_satisfies_the_conditions(name: str, number: int) -> None:
    known = next(k for k in KNOWN if k.name == name)
    built = known.build()
    if name == "linear":
        built.x.setlb(1)  # elsewhere the follower has no answer
        built.x.setub(4)
    model, relaxed = started(built, known.annotation, number)
    own = [v for v in model.component_data_objects(pyo.Var) if v.value is None]
    assert own == [], "a variable without a start"
    for row in model.kkt.stationarity.values():
        assert pyo.value(row.body) == pytest.approx(pyo.value(row.upper), abs=1e-5), row.name
    assert relaxed.residual() <= 1e-5


def maximiser() -> Any:
    """max 4 y - y^2 / 2, -1 <= y - x <= 2, x in [0, 1]: the upper side binds, y = x + 2, with the multiplier 2 - x >= 1."""
    m = plain(x=(0, 1))
    m.f.set_value(4 * m.y - m.y**2 / 2)
    m.f.sense = pyo.maximize
    m.band = pyo.Constraint(expr=pyo.inequality(-1, m.y - m.x, 2))
    return m


def test_a_range_of_a_maximiser() -> None:
    model, _ = started(maximiser(), "bilevel x\nmax f y band", 1)
    lower, upper = (model.kkt.multiplier[f"band.{side}"].value for side in ("lower", "upper"))
    assert model.y.value == pytest.approx(model.x.value + 2, abs=1e-6)
    assert (lower, upper) == (pytest.approx(0, abs=1e-6), pytest.approx(model.x.value - 2, abs=1e-5))


def test_raw_starts_leave_multipliers_alone() -> None:
    model, _ = started(maximiser(), "bilevel x\nmax f y band", 2)
    assert all(v.value is None for v in model.kkt.multiplier.values())


def test_a_value_goes_to_the_term_whose_bounds_admit_it() -> None:
    m = pyo.ConcreteModel()
    m.a, m.b = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(None, 0))
    for value, expected in ((3.0, (3, 0)), (-3.0, (0, -3)), (0.0, (0, 0))):
        _split(((1.0, m.a), (1.0, m.b)), value)
        assert (m.a.value, m.b.value) == expected
    _split(((-1.0, m.a),), -4.0)
    assert m.a.value == 4
