from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, SolverMissingError, UsageError
from tests.stochastic_models import FARMER, RISKY, farmer, newsvendor_with_profit


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A stand-in for mpi-sppy that keeps what it is given."""
    kept: list[Any] = []

    def attach_root_node(model: Any, cost: Any, variables: Any, do_uniform: bool = True) -> None:
        kept.append((model, cost, variables, do_uniform))

    for name in ("mpisppy", "mpisppy.utils"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())
    monkeypatch.setitem(sys.modules, "mpisppy.utils.sputils", SimpleNamespace(attach_root_node=attach_root_node))
    return kept


def test_each_name_gives_the_model_of_its_scenario(attached: list[Any]) -> None:
    creator = bl.scenario_creator(farmer(), FARMER)
    assert creator.all_scenario_names == ("scenario1", "scenario2", "scenario3")
    model = creator("scenario3", anything="else")
    assert pyo.value(model.y["beets"]) == 16
    assert model._mpisppy_probability == pytest.approx(1 / 3)
    ((owner, cost, variables, uniform),) = attached
    assert owner is model
    assert [v.name for v in variables] == ["x[wheat]", "x[corn]", "x[beets]"]
    for variable, value in zip(variables, (1.0, 10.0, 100.0), strict=True):
        variable.set_value(value)
    assert pyo.value(cost) == 150 + 2300 + 26_000
    assert not uniform


def test_names_and_problems_that_cannot_be_handed_over(attached: list[Any]) -> None:
    with pytest.raises(UsageError, match=r"'scenario4'[\s\S]*scenario1 to scenario3"):
        bl.scenario_creator(farmer(), FARMER)("scenario4")
    with pytest.raises(RefusedError, match="scenario by scenario"):
        bl.scenario_creator(newsvendor_with_profit(), RISKY + "cvarlo p 0.1")
    with pytest.raises(RefusedError, match="nothing in the annotation is random"):
        bl.scenario_creator(farmer(), "")


def test_without_mpi_sppy_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpisppy", None)
    with pytest.raises(SolverMissingError, match="pip install mpi-sppy"):
        bl.scenario_creator(farmer(), FARMER)("scenario1")


def test_mpi_sppy_solves_the_farmer() -> None:
    pytest.importorskip("mpisppy")
    from mpisppy.opt.ef import ExtensiveForm

    creator = bl.scenario_creator(farmer(), FARMER)
    form = ExtensiveForm({"solver": "appsi_highs"}, list(creator.all_scenario_names), creator)
    form.solve_extensive_form()
    assert form.get_objective_value() == pytest.approx(-108_390, abs=0.5)
