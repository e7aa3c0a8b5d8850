"""Every example: its numbers, its README, and where they can be had otherwise, its answer in another way."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import itertools
import json
import runpy
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog, milp, minimize, minimize_scalar

import bilevel_lang
from bilevel_lang.cli import main
from bilevel_lang.reformulation.nn_options import NnOptions
from tests.pages import ROOT, working_in

EXAMPLES = ROOT / "examples"
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
NAMES = [folder.name for folder in FOLDERS]


# --- One call of the command line serves the test of the numbers and the test of the README.


@dataclass(frozen=True)
class Call:
    exit_code: int
    printed: str
    answer: dict[str, Any]


@functools.cache
def call(name: str, arguments: tuple[str, ...]) -> Call:
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as scratch, working_in(EXAMPLES / name):
        target = Path(scratch) / "answer.json"
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*arguments, "--json", str(target)])
        assert target.exists(), err.getvalue()
        answer = json.loads(target.read_text(encoding="utf-8"))
    return Call(code, out.getvalue() or err.getvalue(), answer)


def expected_runs() -> Iterator[Any]:
    for folder in FOLDERS:
        for run in json.loads((folder / "expected.json").read_text(encoding="utf-8")):
            method = "-".join(run["args"][1:2]) if run.get("model") else ""
            name = run["annotation"].removesuffix(".emp")
            yield pytest.param(folder.name, run, id=f"{folder.name}-{name}{method and '-' + method}")


@pytest.mark.parametrize(("name", "run"), list(expected_runs()))
def test_the_expected_answer(name: str, run: dict[str, Any]) -> None:
    done = call(name, (run.get("model", "model.py"), run["annotation"], *run["args"]))
    assert done.exit_code == run["exit_code"], done.printed
    assert done.answer["exit_code"] == run["exit_code"]
    if "status" in run:
        assert done.answer["status"] == run["status"]
    if run["exit_code"] == 0:
        assert done.answer["certificate"]["verified"]
    if run.get("objective") is not None:
        assert done.answer["objective"] == pytest.approx(run["objective"], rel=run["tolerance"], abs=run["tolerance"])
    if run["variables"]:
        tolerance = run.get("variables_tolerance", run["tolerance"])  # looser where the leader's valley is flat
        found = {key: done.answer["variables"][key] for key in run["variables"]}
        assert found == pytest.approx(run["variables"], rel=tolerance, abs=tolerance)
    if run["summary"]:
        counted = {key: value for key, value in done.answer["summary"].items() if value}
        assert counted == run["summary"]


# --- The folders and what their READMEs say.


@functools.cache
def refresher() -> ModuleType:
    path = ROOT / "scripts" / "refresh_example_output.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_a_folder_is_complete(folder: Path) -> None:
    runs = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    models = {run.get("model", "model.py") for run in runs}  # SMPS files stand for both model and annotation
    assert {*models, "README.md", "expected.json"} <= {path.name for path in folder.iterdir()}
    annotations = {path.name for path in folder.iterdir() if path.suffix in (".emp", ".sto")}
    assert annotations == {run["annotation"] for run in runs}
    assert all(run["source"] for run in runs)


def test_the_table_has_every_example() -> None:
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"| [{name}]({name}) |" not in table] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_the_readme_shows_what_the_program_prints(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")

    def run(arguments: list[str], place: Path) -> tuple[str, int]:
        done = call(place.name, tuple(arguments))
        return done.printed, done.exit_code

    today = refresher().refreshed(text, folder, run)
    assert "```console\n$ bilevel-solve " in text
    if not refresher().same_output(text, today):
        assert text == today, "run scripts/refresh_example_output.py"


# --- Answers in another way.


def example(name: str) -> Any:
    return runpy.run_path(str(EXAMPLES / name / "model.py"))["model"]


def test_many_followers_household_by_household() -> None:
    m = example("many_followers")

    def boiler(price: float, s: int) -> float:
        return min(max((price - m.fuel[s]) / m.slope[s], 0.0), m.need[s])

    def deviation(price: float) -> float:
        return sum((boiler(price, s) - m.quota[s]) ** 2 for s in m.S)

    cell = min((k / 1000 for k in range(10001)), key=deviation)
    best = minimize_scalar(deviation, bounds=(cell - 1e-3, cell + 1e-3), method="bounded", options={"xatol": 1e-10})
    done = call("many_followers", ("model.py", "model.emp"))
    assert len(done.answer["followers"]) == len(m.S) == 50
    assert done.answer["objective"] == pytest.approx(best.fun, rel=1e-5)

    price = done.answer["variables"]["price"]
    assert sum(follower["verified"] for follower in done.answer["followers"]) == 50
    for s in m.S:
        assert done.answer["variables"][f"y[{s},boiler]"] == pytest.approx(boiler(price, s), abs=1e-4)


def test_power_market_by_all_offers() -> None:
    data = runpy.run_path(str(EXAMPLES / "power_market" / "model.py"))
    m, tick, block, own_cost = data["model"], data["TICK"], data["BLOCK"], data["OWN_COST"]

    def hour(demand: float, price: float, quantity: float) -> float:
        """The producer's profit in one hour: the market cleared by merit order."""
        offers = [(m.rival_cost[g], m.capacity[g]) for g in m.G]
        stack = sorted([*offers, (price, quantity)])
        # What one more MWh would cost; where a step is used up exactly, the next one.
        supplied = itertools.accumulate(capacity for _, capacity in stack)
        market_price = next(cost for (cost, _), total in zip(stack, supplied, strict=True) if total > demand)
        cheaper = sum(capacity for cost, capacity in offers if cost < price)
        return (market_price - own_cost) * min(quantity, max(demand - cheaper, 0))

    profits = {
        (ticks, blocks): sum(hour(m.demand[t], tick * ticks, block * blocks) for t in m.T)
        for ticks in range(m.ticks.lb, m.ticks.ub + 1)
        for blocks in range(m.blocks.lb, m.blocks.ub + 1)
    }
    first, second = sorted(profits, key=profits.__getitem__, reverse=True)[:2]
    assert (first, profits[first], profits[second]) == ((6, 4), 5078, 4913)


def test_bakery_by_all_trays() -> None:
    data = runpy.run_path(str(EXAMPLES / "bakery" / "model.py"))
    m, goods = data["model"], data["GOODS"]
    price, cost = (np.array([data[name][g] for g in goods]) for name in ("PRICE", "COST"))
    trays = [np.array(t) for t in itertools.product(range(data["MOST"] + 1), repeat=3) if sum(t) <= data["OVEN"]]

    def profit(baked: Any, demand: Any, shares: Any) -> float:
        sold = np.minimum(baked, np.floor(demand))
        left = np.minimum((baked - sold).sum(axis=1), data["ROOM"])
        van = np.maximum(data["CANTEEN"] * left - data["VAN"], 0)
        return float(shares @ ((price * sold - cost * baked).sum(axis=1) + van))

    assert len(trays) == 801
    # What part of the best the network's own decision is worth, as the README has it.
    for annotation, refine, share in (("fair.emp", ["--refine", "1"], 0.99), ("model.emp", [], 0.99)):
        text = (EXAMPLES / "bakery" / annotation).read_text(encoding="utf-8")
        with working_in(EXAMPLES / "bakery"):
            program = bilevel_lang.resolve(m, text).stochastic
        assert program is not None
        scenarios = program.scenarios(None, 0)
        worth = {tuple(t): profit(t, scenarios.values, scenarios.probabilities) for t in trays}
        best = max(worth.values())
        done = call("bakery", ("model.py", annotation, "--method", "nn-embed", "--surrogate", "network.onnx", *refine))
        found = worth[tuple(round(done.answer["variables"][f"baked[{g}]"]) for g in goods)]
        assert done.answer["objective"] == pytest.approx(found)
        assert found == pytest.approx(best) if refine else found >= share * best
        said = next(note for note in done.answer["messages"] if note.startswith("encoder: "))
        own = float(said.partition("its decision is worth ")[2].partition(",")[0])
        assert any(own == pytest.approx(value) for value in worth.values())
        assert own >= share * best


def test_toll_by_all_routes() -> None:
    m = example("toll")

    def routes(here: str, there: str, seen: str = "") -> Iterator[tuple[str, ...]]:
        if here == there:
            yield ()
        for road in m.R:
            if road[0] == here and road[1] not in seen:
                for rest in routes(road[1], there, seen + here):
                    yield (road, *rest)

    ways = {group: list(routes(*group)) for group in m.O}
    revenues = []
    for chosen in itertools.product(*ways.values()):
        income = [sum(m.trips[group] for group, way in zip(m.O, chosen, strict=True) if toll in way) for toll in m.P]
        rows, limits = [], []
        for group, way in zip(m.O, chosen, strict=True):
            for other in ways[group]:
                rows.append([(toll in way) - (toll in other) for toll in m.P])
                limits.append(sum(m.time[road] for road in other) - sum(m.time[road] for road in way))
        best = linprog([-i for i in income], A_ub=rows, b_ub=limits, bounds=[m.toll[toll].bounds for toll in m.P])
        if best.status == 0:
            revenues.append(-best.fun)
    assert sorted(revenues, reverse=True)[:2] == pytest.approx([31, 28])


def test_river_basin_as_the_optimum_of_its_potential() -> None:
    """The players' gradients are those of one function: its maximum over the common rows is the normalised equilibrium."""
    m = example("river_basin")
    linear = np.array([3 - m.linear[i] for i in m.I])
    # d profit_i / d x_i = 3 - linear_i - 2 curved_i x_i - 0.01 (x_1 + x_2 + x_3) - 0.01 x_i
    hessian = 0.01 * np.ones((3, 3)) + np.diag([0.01 + 2 * m.curved[i] for i in m.I])
    arrives = np.array([[m.reach[i, s] * m.emission[i] for i in m.I] for s in m.S])
    rows = {"type": "ineq", "fun": lambda x: 100 - arrives @ x}
    best = minimize(lambda x: x @ hessian @ x / 2 - linear @ x, np.ones(3), constraints=rows, bounds=[(0, None)] * 3, tol=1e-12)
    found = call("river_basin", ("model.py", "model.emp")).answer
    assert [found["variables"][f"x[{i}]"] for i in m.I] == pytest.approx(best.x, abs=1e-3)
    assert found["certificate"]["common_residual"] <= 1e-5


def test_river_basin_with_own_multipliers_is_told_to_be_one_of_many() -> None:
    found = call("river_basin", ("model.py", "own.emp")).answer
    assert any("rarely unique" in said for said in found["messages"])
    assert found["certificate"]["common_residual"] is None


def test_simpleqvi1_shares_out_ten() -> None:
    values = call("simpleqvi1", ("model.py", "model.emp")).answer["variables"]
    assert values["y[1]"] + values["y[2]"] == pytest.approx(10)
    assert min(values.values()) >= -1e-6


def test_moore90_by_all_integers() -> None:
    m = example("moore90")
    rows = [m.e1, m.e2, m.e3, m.e4]
    best = float("inf")
    for x in range(11):
        m.x.set_value(x)
        for y in range(11):
            m.y.set_value(y)
            if all(row.body() <= row.upper() for row in rows):  # the first one is the follower's answer
                best = min(best, m.leader.expr())
                break
    assert best == -22


def test_two_echelon_supply_chain_by_another_solver() -> None:
    """The distributors' problem written once more, from the data alone, and solved by SciPy at the manufacturer's decision."""
    data = runpy.run_path(str(EXAMPLES / "two_echelon_supply_chain" / "model.py"))
    found = call(
        "two_echelon_supply_chain", ("model.py", "model.emp", "--method", "nn-embed", "--surrogate", "network.onnx")
    ).answer
    price, offer = ([found["variables"][f"{name}[{k}]"] for k in range(n)] for name, n in (("price", 2), ("offer", 3)))
    demand, truck, distance = data["demand"], data["TRUCK"], data["distance"]
    places = [("open", w) for w in range(3)]
    places += [("trucks", i, w, p) for i in range(3) for w in range(3) for p in range(2)]
    places += [("elsewhere", w, p) for w in range(3) for p in range(2)]
    places += [("deliver", w, c, p) for w in range(3) for c in range(8) for p in range(2)]
    column = {place: k for k, place in enumerate(places)}

    def cost(kind: str, *at: int) -> float:
        if kind == "open":
            return float(data["opening"][at[0]])
        if kind == "trucks":
            i, w, p = at
            return price[p] * truck + 5 + data["haulage"][p] * distance("plant", i, "warehouse", w)
        return data["outside"][at[1]] if kind == "elsewhere" else 0.8 * distance("warehouse", at[0], "customer", at[1])

    rows: list[tuple[dict[Any, float], float, float]] = []
    rows += [({("trucks", i, w, p): truck for w in range(3) for p in range(2)}, 0, offer[i]) for i in range(3)]
    for w, p in itertools.product(range(3), range(2)):
        bought = {("trucks", i, w, p): truck for i in range(3)} | {("elsewhere", w, p): 1.0}
        rows.append((bought | {("deliver", w, c, p): -1.0 for c in range(8)}, 0, np.inf))
    for c, p in itertools.product(range(8), range(2)):
        rows.append(({("deliver", w, c, p): 1.0 for w in range(3)}, demand[c, p], demand[c, p]))
        rows += [({("deliver", w, c, p): 1.0, ("open", w): -demand[c, p]}, -np.inf, 0) for w in range(3)]
    matrix = np.zeros((len(rows), len(places)))
    for k, (terms, _, _) in enumerate(rows):
        for place, coefficient in terms.items():
            matrix[k, column[place]] = coefficient
    upper = {"open": 1, "trucks": 7, "elsewhere": 120, "deliver": 12}
    best = milp(
        [cost(*place) for place in places],
        integrality=[place[0] in ("open", "trucks") for place in places],
        bounds=Bounds(0, [upper[place[0]] for place in places]),
        constraints=LinearConstraint(matrix, [low for _, low, _ in rows], [up for _, _, up in rows]),
        options={"mip_rel_gap": 1e-9},
    )
    follower = found["followers"][0]
    assert follower["objective"] == pytest.approx(best.fun, rel=1e-6)
    sold = [(i, p, truck * best.x[column["trucks", i, w, p]]) for i in range(3) for w in range(3) for p in range(2)]
    profit = sum((price[p] - data["making"][i, p]) * units for i, p, units in sold) - 1.5 * sum(offer)
    assert found["objective"] == pytest.approx(profit, rel=1e-5)


def study() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / "two_echelon_supply_chain" / "study.py"), run_name="study")


def test_the_readme_of_two_echelon_supply_chain_has_the_figures_of_its_study() -> None:
    folder = EXAMPLES / "two_echelon_supply_chain"
    result = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    for table in study()["tables"](result):
        assert table in readme_of(folder)


def test_the_pictures_of_two_echelon_supply_chain_are_drawn_from_its_figures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = EXAMPLES / "two_echelon_supply_chain"
    study()["draw"](json.loads((folder / "study.json").read_text(encoding="utf-8")), tmp_path)
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {path.name for path in (folder / "pictures").iterdir()}
    assert all(
        (tmp_path / name).read_bytes().startswith(b"\x89PNG") and f"pictures/{name}" in readme_of(folder) for name in drawn
    )


def readme_of(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_study_of_two_echelon_supply_chain_runs_at_a_small_size(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    made, small = study(), NnOptions(samples=30, layers=(4,))
    size = {"sizes": ((2,),), "training": 20, "tests": 10, "grid": 3, "exact_limit": 5.0}
    found = made["measure"](made["Study"](**size, folder=tmp_path, nn=small, refine=0))
    assert set(found) == {"methods", "parity", "surface", "growing", "curve"}
    exact, learned = found["methods"]["value-function"], found["methods"]["nn-embed"]
    assert learned["objective"] <= exact["bound"] + 1e-6  # the proven bound is one for every verified point
    assert found["growing"][0]["mae"] > 0
