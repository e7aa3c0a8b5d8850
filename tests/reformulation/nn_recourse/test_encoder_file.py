from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import OnnxFileError
from bilevel_lang.reformulation.nn_recourse.encoder_file import PARTS, GivenEncoder, part_hashes, read_encoder, write_encoder
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.uncertainty.scenario_set import ScenarioSet
from tests.reformulation.nn_recourse.shops import LATE, OTHERS, shop, table
from tests.surrogate.scenario_encoder.nets import scenario_network

pytest.importorskip("onnx")

POINTS = np.random.default_rng(0).uniform(0, 12, size=(9, 2))
GIVEN = GivenEncoder(scenario_network(), "encoder", (7, 4), np.zeros(2), np.full(2, 12.0), 1.5, 4.0)


def compiled(model: Any, text: str) -> tuple[Any, Any, ScenarioSet]:
    problem = bl.resolve(model, text)
    assert problem.stochastic is not None
    scenarios = problem.stochastic.scenarios(None, 0)
    return problem, compile_program(problem, scenarios), scenarios


def kept(path: Path) -> Path:
    """A file of the shop, trained in the first of the other sets."""
    problem, made, scenarios = compiled(shop(), table(*OTHERS[0]))
    write_encoder(path / "net.onnx", GIVEN, problem, made, scenarios.values, "hash")
    return path / "net.onnx"


def test_the_same_network_comes_back_for_other_scenarios(tmp_path: Path) -> None:
    found = read_encoder(kept(tmp_path), *compiled(shop(), table(*OTHERS[1])))
    one, other = (n.at(*OTHERS[1])(POINTS) for n in (GIVEN.network, found.network))
    assert np.allclose(one, other, rtol=1e-9)
    assert (found.kind, found.layers, found.mae, found.max_error) == ("encoder", (7, 4), 1.5, 4.0)


def test_the_first_stage_may_change(tmp_path: Path) -> None:
    m = shop(room=15)
    m.more = pyo.Var(bounds=(0, 1))
    m.rule = pyo.Constraint(expr=m.x[1] >= 2 * m.more)
    found = read_encoder(kept(tmp_path), *compiled(m, table(*OTHERS[0])))
    assert found.said == ()


def test_names_count_and_not_their_order(tmp_path: Path) -> None:
    values, shares = OTHERS[0]
    turned = "jrandvar d[2] d[1]\n" + "".join(f" {p} {b} {a}\n" for p, (a, b) in zip(shares, values, strict=True)) + LATE
    problem, made, scenarios = compiled(shop(), turned)
    found = read_encoder(kept(tmp_path), problem, made, scenarios)
    mine = found.network.at(scenarios.values, scenarios.probabilities)(POINTS)
    assert np.allclose(mine, GIVEN.network.at(values, shares)(POINTS), rtol=1e-9)


def test_scenarios_outside_of_the_range_are_told_with_numbers(tmp_path: Path) -> None:
    path = kept(tmp_path)
    inside = read_encoder(path, *compiled(shop(), table(np.array([[30.0, 40.0], [90.0, 100.0]]), np.full(2, 0.5))))
    assert inside.said == ()
    outside = read_encoder(path, *compiled(shop(), table(np.array([[30.0, 40.0], [140.0, 100.0]]), np.full(2, 0.5))))
    assert len(outside.said) == 1
    assert "`d[1]` is 30 to 140, and was 25 to 95" in outside.said[0]
    assert "d[2]" not in outside.said[0]


def _other_name(m: Any) -> None:
    del m.d
    m.w = pyo.Param(m.P, initialize=50, mutable=True)
    m.del_component(m.demand)
    m.demand = pyo.Constraint(m.P, rule=lambda m, i: 10 * m.sold[i] <= m.w[i])


def _other_bound(m: Any) -> None:
    m.sold[1].setub(11)


def _other_lot(m: Any) -> None:
    m.del_component(m.demand)
    m.demand = pyo.Constraint(m.P, rule=lambda m, i: 9 * m.sold[i] <= m.d[i])


def _other_dependence(m: Any) -> None:
    m.del_component(m.demand)
    m.demand = pyo.Constraint(m.P, rule=lambda m, i: 10 * m.sold[i] <= m.d[i] ** 2 / 50)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_other_name, r"random parameters differ \(only in the file `d\[1\]`, `d\[2\]`; only here `w\[1\]`, `w\[2\]`\)"),
        (_other_bound, "the second stage differs in upper bounds of its variables$"),
        (_other_lot, "coefficients of its own variables in its rows$"),
        (_other_dependence, "the second stage differs in upper sides of its rows$"),
        (lambda m: m.x[1].fix(4), r"first-stage variables that the second stage sees differ \(only in the file `x\[1\]`\)"),
    ],
)
def test_another_program_is_refused_with_what_differs(tmp_path: Path, edit: Any, message: str) -> None:
    m = shop()
    edit(m)
    text = table(*OTHERS[0])
    text = text.replace("d[", "w[") if edit is _other_name else text
    with pytest.raises(OnnxFileError) as caught:
        read_encoder(kept(tmp_path), *compiled(m, text))
    assert caught.value.exit_code == 3
    assert "is of another program" in caught.value.diagnostics[0].message
    assert re.search(message, caught.value.diagnostics[0].message)


@pytest.mark.parametrize("part", ["probes", "parts"])
def test_scenarios_to_compare_in_that_are_damaged(part: str, tmp_path: Path) -> None:
    import onnx

    path = kept(tmp_path)
    model = onnx.load(path)
    entry = next(e for e in model.metadata_props if e.key == "bilevel_lang.extra")
    extra = json.loads(entry.value)
    # The names of the parts without their hashes, and no scenarios at all.
    extra[part] = json.dumps(list(json.loads(extra[part]))) if part == "parts" else ""
    entry.value = json.dumps(extra)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(OnnxFileError, match="metadata of the file are damaged"):
        read_encoder(path, *compiled(shop(), table(*OTHERS[0])))


def test_each_part_has_a_hash_and_the_sense_is_none_of_them() -> None:
    first, m = shop(), shop()
    _, one, _ = compiled(first, table(*OTHERS[0]))
    m.profit.deactivate()
    m.loss = pyo.Objective(expr=-m.profit.expr)
    _, other, _ = compiled(m, table(*OTHERS[0]))
    assert set(part_hashes(one)) == set(PARTS)
    assert part_hashes(one) == part_hashes(other)
