"""Random problems with curved followers by the default route, beside a grid that uses nothing of the package."""

from __future__ import annotations

import pytest

import bilevel_lang as bl
from benchmarks.curved import reference as reference_module
from benchmarks.curved.conditions import Conditions, best_of_pieces, conditions, model_of_conditions
from benchmarks.curved.families import FAMILIES, instance
from benchmarks.curved.instances import Agent, Instance
from benchmarks.curved.reading import model_of
from benchmarks.curved.reference import Found, Reference, reference
from benchmarks.curved.run import judged, scored

QUICK = ("coupled/2", "matrix/3", "redundant/1", "logarithmic/0", "balanced/0", "free/2", "norms/1", "ratio/4", "waves/0")
"""Leaders with one variable, which are solved in a fraction of a second."""


@pytest.fixture
def coarse(monkeypatch):
    monkeypatch.setattr(reference_module, "GRID", {1: 21, 2: 5, 3: 3})
    monkeypatch.setattr(reference_module, "POLISHED", 1)


def by_hand(unique=True):
    """min (x - 3)**2 + y over x in [0, 5]; the follower takes y = max(0, x - 1): least is 1.75 at x = 2.5."""
    leader = Agent({"x": (0.0, 5.0)}, "min", "(x - 3)**2 + y")
    follower = Agent({"y": (0.0, None)}, "min", "(y - x + 1)**2")
    return Instance("by hand", leader, (follower,), {"x": (0.0, 5.0)}, unique)


@pytest.mark.parametrize("unique", [True, False])
def test_the_grid_finds_what_a_calculation_gives(coarse, unique):
    found = reference(by_hand(unique))
    assert found.objective == pytest.approx(1.75, abs=1e-4 if unique else 1e-3), (
        "what may be lost to a tie is 1e-7, and y its root"
    )
    assert found.point["x"] == pytest.approx(2.5, abs=1e-2)


def test_players_settle_at_the_equilibrium():
    """Cournot with price 6 - y1 - y2 and a tax x: both produce (6 - x) / 3."""
    players = tuple(Agent({own: (0.0, None)}, "max", f"(6 - y1 - y2 - x)*{own}") for own in ("y1", "y2"))
    leader = Agent({"x": (0.0, 1.0)}, "max", "y1 + 10*y2 - x")
    found = Reference(Instance("cournot", leader, players, {"x": (0.0, 1.0)})).answer({"x": 0.6})
    assert found == pytest.approx({"x": 0.6, "y1": 1.8, "y2": 1.8}, abs=1e-6)


def test_pieces_are_all_looked_at():
    """0 <= y _|_ y - x + 1 >= 0 is y = max(0, x - 1); the least is that of the calculation above."""
    made = Conditions("by hand", {"x": (0.0, 5.0)}, {"y": "y - x + 1"}, "(x - 3)**2 + y", ())
    assert best_of_pieces(made).objective == pytest.approx(1.75, abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_gives_the_same_problem_again_and_its_model_is_understood(family):
    assert instance(family, 5) == instance(family, 5) != instance(family, 6)
    model, text = model_of(instance(family, 5))
    assert bl.resolve(model, text).model is model


@pytest.mark.parametrize("name", QUICK)
def test_the_default_route_reaches_the_grid(coarse, name):
    family, _, seed = name.partition("/")
    line = judged(instance(family, int(seed)), 20.0)
    assert line.score in ("reached", "better"), line


def test_the_default_route_reaches_the_best_piece():
    made = conditions(2)
    model, text = model_of_conditions(made)
    found = bl.solve(model, text, time_limit=20)
    assert found.verified
    assert found.objective <= best_of_pieces(made).objective + 1e-4


def test_what_counts_as_wrong():
    grid = Found(2.0, {})
    assert scored("min", grid, 2.0, "optimal") == "reached"
    assert scored("min", grid, 2.1, "optimal") == "WRONG"
    assert scored("min", grid, 2.1, "feasible") == "missed"
    assert scored("max", grid, 2.1, "feasible") == "better"
    assert scored("min", grid, None, "infeasible") == scored("min", grid, None, "unbounded") == "WRONG"
    assert scored("min", Found(None, {}), None, "infeasible") == "reached"
