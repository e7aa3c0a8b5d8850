"""A folder used again on the command line: after kill -9 nothing is lost or different; another network takes the samples."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bilevel_lang.surrogate.dataset import concatenated
from bilevel_lang.surrogate.sampling.shard_files import read_shard
from tests.child import killed_when

MODEL = """
import pyomo.environ as pyo

PROFIT = (9, 7, 12, 5, 8, 11, 6, 10, 4, 13, 3, 9)
WEIGHT = (6, 4, 9, 3, 5, 8, 5, 7, 2, 9, 2, 7)

model = pyo.ConcreteModel()
model.i = pyo.RangeSet(0, 11)
model.x = pyo.Var(model.i, domain=pyo.Binary)
model.y = pyo.Var(model.i, domain=pyo.Binary)
model.outer = pyo.Objective(expr=sum(PROFIT[i] * model.y[i] for i in model.i))
model.inner = pyo.Objective(expr=sum(PROFIT[i] * model.y[i] for i in model.i), sense=pyo.maximize)
model.inner.deactivate()
model.budget = pyo.Constraint(expr=sum(model.x[i] for i in model.i) <= 4)
model.capacity = pyo.Constraint(expr=sum(WEIGHT[i] * model.y[i] for i in model.i) <= 30)
model.out = pyo.Constraint(model.i, rule=lambda m, i: m.x[i] + m.y[i] <= 1)
"""


def command(folder: Path, kept: str, workers: int) -> list[str]:
    (folder / "model.py").write_text(MODEL)
    (folder / "model.emp").write_text("bilevel x\nmax inner y capacity out\n")
    files = [str(folder / "model.py"), str(folder / "model.emp")]
    options = ["--method", "nn-embed", "--folder", str(folder / kept), "--samples", "300", "--workers", str(workers)]
    return [sys.executable, "-m", "bilevel_lang", *files, *options, "--json", str(folder / f"{kept}.json")]


def shards(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("samples/*/*.samples"))}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_after_kill_9_in_sampling_and_in_training_the_same_command_goes_on(tmp_path: Path) -> None:
    line, kept = command(tmp_path, "kept", workers=2), tmp_path / "kept"
    killed_when(line, lambda: len(shards(kept)) >= 4)
    sampled = shards(kept)
    killed_when(line, lambda: any(kept.glob("training-*.npz")))
    trained = shards(kept)
    assert sampled.items() <= trained.items() and len(trained) > len(sampled)
    assert subprocess.run(line, capture_output=True, check=False).returncode == 0
    assert trained.items() <= shards(kept).items()

    alone = command(tmp_path, "alone", workers=1)
    assert subprocess.run(alone, capture_output=True, check=False).returncode == 0
    assert shards(tmp_path / "alone").keys() == shards(kept).keys()
    hashes = [
        concatenated(read_shard(tmp_path / folder / name) for name in shards(kept)).content_hash() for folder in ("kept", "alone")
    ]
    assert hashes[0] == hashes[1]
    answers = [json.loads((tmp_path / f"{folder}.json").read_text()) for folder in ("kept", "alone")]
    assert answers[0]["objective"] == answers[1]["objective"] and answers[0]["certificate"]["verified"]
    assert answers[0]["surrogate"]["validation_mae"] == answers[1]["surrogate"]["validation_mae"]


@pytest.mark.slow
def test_a_shard_that_was_cut_off_is_said(tmp_path: Path) -> None:
    line, kept = command(tmp_path, "kept", workers=1), tmp_path / "kept"
    killed_when(line, lambda: len(shards(kept)) >= 2)
    damaged = next(iter(sorted(kept.glob("samples/*/*.samples"))))
    damaged.write_bytes(damaged.read_bytes()[:-10])
    again = subprocess.run(line, capture_output=True, check=False, text=True)
    assert again.returncode == 3 and damaged.name in again.stderr and "cut off" in again.stderr


@pytest.mark.slow
def test_another_network_takes_the_samples_of_the_folder(tmp_path: Path) -> None:
    line = [*command(tmp_path, "kept", workers=1), "--samples", "40"]
    answers = []
    for layers in ("4", "6x6"):
        done = subprocess.run([*line, "--layers", layers], capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        answers.append(json.loads((tmp_path / "kept.json").read_text()))
        answers[-1]["printed"] = done.stdout
    first, second = answers
    assert first["surrogate"]["samples_from_folder"] == 0 and second["surrogate"]["samples_from_folder"] >= 20
    assert second["surrogate"]["layers"] == [6, 6] and second["certificate"]["verified"]
    assert any("begun anew" in why for why in second["surrogate"]["why"]) and "from the folder" in second["printed"]
    assert first["objective"] == second["objective"]  # forty of 4096 decisions, and the search: both end at the optimum
