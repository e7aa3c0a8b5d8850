"""The benchmark of embeddings at tiny sizes: that its problems are what the README says, and that its arithmetic is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.embedding.networks import INPUTS, samples, without_skip
from benchmarks.embedding.ours import Outcome, input_set, minimise
from benchmarks.embedding.run import result, results_of
from benchmarks.embedding.table import OURS, PEERS, SOS1, Result, disagreements, geometric_mean, line, summary
from tests.surrogate.embedding.solving import random_network


def test_samples_are_values_of_one_follower() -> None:
    points, values = samples(3, 4)
    again, same = samples(3, 4)
    assert points.shape == (4, INPUTS) and (points == again).all() and (values == same).all()
    assert len(set(values.tolist())) == 4


def test_without_skip_and_skip_add_up() -> None:
    network = random_network(1)
    plain, skip = without_skip(network)
    points = np.random.default_rng(0).normal(size=(6, 3))
    assert np.allclose(plain(points)[:, 0] + points @ skip, network(points)[:, 0])
    assert not plain.output.weights.toarray()[:, :3].any()


@pytest.mark.parametrize("capacity", [0.0, 2.5])
def test_our_minimum_is_below_all_samples_and_attained(capacity: float) -> None:
    network, inputs = random_network(2), input_set(3, 0.0, 1.0, capacity)
    found = minimise(network, inputs, 20.0)
    points = np.random.default_rng(0).uniform(0, 1, size=(5000, 3))
    points = points[points @ [1.0, 1.1, 1.2] >= capacity]
    least = network(points)[:, 0].min()
    assert found.status == "kOptimal" and found.bound - 1e-3 <= found.objective <= least + 1e-6


def found(tool: str, kind: str = "plain", status: str | None = "kOptimal", **numbers: float | None) -> Result:
    key = {"shape": "2x50", "kind": kind, "seed": 0, "region": "box", "half_width": 0.1}
    known = {"build": 0.5, "binaries": 7, "solve": 2.0, "objective": -10.0, "bound": -11.0, "error": 0.5}
    return {**key, "tool": tool, "status": status, **known, **numbers}


def test_rows_of_the_table() -> None:
    assert line(found("tool")).endswith("| box ±0.1 | tool | 0.5000 | 7 | 2.00 | -10.0000 | 10.00% |")
    assert "> 2.00 | no point" in line(found("tool", status="kTimeLimit", objective=None))
    assert "no answer" in line(found("tool", build=None))


def test_infinite_numbers_and_no_answer_are_none() -> None:
    kept = result({"shape": "2x50"}, "tool", 0.1, Outcome(0.5, 7, 2.0, "kTimeLimit", float("inf"), -11.0))
    assert kept["objective"] is None and kept["bound"] == -11.0 and kept["tool"] == "tool" and kept["shape"] == "2x50"
    assert result({}, "tool", 0.1, None)["build"] is None


def test_the_summary_takes_the_better_setting_of_the_peer_and_only_what_both_have_solved() -> None:
    results = [
        found(OURS, solve=1.0, build=0.1),
        found(PEERS[0], solve=8.0, build=1.0, binaries=100),
        found(PEERS[1], solve=4.0, build=2.0, binaries=100),
        found(SOS1, status="optimal", solve=0.5),
        found(OURS, "regularised", solve=0.1, error=0.25),
        found(PEERS[0], "regularised", status="kTimeLimit", solve=9.0),
    ]
    said = summary(results)
    assert "| 2x50 plain | box | 1 | 1, 1 | 20.0 | 7, 100 | 0.25 (of 1) | 2.00 (of 1) |" in said
    assert "| 2x50 regularised | box | 1 | 1, 0 | 1.0 | 7, 7 |" in said and "none solved by both" in said
    assert "| 2x50 | box ±0.1 | plain | 1 | 0.100 | 0.50 |" in said


def test_geometric_means_and_disagreements() -> None:
    assert geometric_mean([1.0, 4.0, 16.0]) == pytest.approx(4.0)
    assert disagreements([found(OURS), found(PEERS[0], objective=-10.001)]) == []
    assert len(disagreements([found(OURS), found(PEERS[0], objective=-10.5)])) == 1
    assert disagreements([found(OURS), found(PEERS[0], status="kTimeLimit", objective=-9.0)]) == []


def test_a_line_that_was_cut_off_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"tool": "a"}\n{"tool": "b", "re', encoding="utf-8")
    assert [r["tool"] for r in results_of(path)] == ["a"] and results_of(tmp_path / "none") == []
