"""Networks of scenario sets as a user has them: kept, used again, by workers and a cluster, killed and begun again."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse import encoder_training
from bilevel_lang.reformulation.nn_recourse.decisions import domain_of
from bilevel_lang.reformulation.nn_recourse.encoder_file import read_encoder
from bilevel_lang.reformulation.nn_recourse.encoder_rounds import EncoderRounds
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from tests.child import killed_when
from tests.reformulation.nn_recourse.shops import COST, LAWS, OTHERS, ROOM, shop, table

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[3]


def loss() -> Any:
    """The shop with its loss to minimise."""
    m = shop()
    m.profit.deactivate()
    m.loss = pyo.Objective(expr=-m.profit.expr)
    return m


@pytest.mark.parametrize(("network", "make"), [("encoder", shop), ("encoder-relu", shop), ("encoder-relu", loss)])
def test_the_embedded_optimum_is_that_of_the_file_in_another_runtime(
    network: str, make: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = pytest.importorskip("onnxruntime")
    monkeypatch.setattr(encoder_training, "STEPS", 100)
    file = tmp_path / "net.onnx"
    made = NnOptions(network=network, save_surrogate=file, samples=30, layers=(6, 4))
    first = bl.solve(make(), LAWS, method="nn-embed", scenarios=5, nn=made)
    assert first.surrogate is not None and first.surrogate["kind"] == network
    values, shares = OTHERS[0]
    problem = bl.resolve(make(), table(values, shares))
    assert problem.stochastic is not None
    scenarios = problem.stochastic.scenarios(None, 0)
    compiled = compile_program(problem, scenarios)
    given = read_encoder(file, problem, compiled, scenarios)
    options = Options(method="nn-embed", nn=NnOptions(surrogate=file), gap=1e-7)
    domain = domain_of(compiled.arrays, tuple(v.name for v in compiled.first))
    run = EncoderRounds(problem, compiled, scenarios, domain, options, given)
    run.run()
    assert run.learned is not None and run.decision is not None
    assert (run.learned.embedding.integer.sum() == 0) == (network == "encoder")
    # All decisions, by the file alone; the program has the cuts beside it.
    every = np.array([(a, b) for a, b in itertools.product(range(13), repeat=2) if a + b <= ROOM], dtype=float)
    session = runtime.InferenceSession(str(file))
    (said,) = session.run(None, {"scenarios": values, "probabilities": shares[None, :], "decision": every})
    costs = compiled.arrays.sense * said.ravel()
    total = every @ np.array(COST) + np.maximum(costs, run.cuts.expected(every))
    assert run.claim == pytest.approx(total.min(), rel=1e-5)
    at = int(np.flatnonzero((every == np.rint(run.decision.x)).all(axis=1))[0])
    assert total[at] == pytest.approx(total.min(), rel=1e-5)


# --- The command line.


def line(folder: Path, name: str, *more: str) -> list[str]:
    """Trains into NAME.onnx, labels and training in the folder NAME."""
    (folder / "model.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.reformulation.nn_recourse.shops import shop\nmodel = shop()\n"
    )
    (folder / "model.emp").write_text(LAWS)
    files = [str(folder / "model.py"), str(folder / "model.emp")]
    kept = ["--folder", str(folder / name), "--save-surrogate", str(folder / f"{name}.onnx")]
    options = ["--method", "nn-embed", "--scenarios", "5", "--samples", "80", "--layers", "4", *kept, *more]
    return [sys.executable, "-m", "bilevel_lang", *files, *options]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_after_kill_9_in_labelling_and_in_training_the_same_network_comes_out(tmp_path: Path) -> None:
    command, kept = line(tmp_path, "kept", "--workers", "2"), tmp_path / "kept"

    def shards() -> dict[str, bytes]:
        return {str(p.relative_to(kept)): p.read_bytes() for p in sorted(kept.rglob("*.samples"))}

    killed_when(command, lambda: len(shards()) >= 2, 240)
    labelled = shards()
    killed_when(command, lambda: any(kept.glob("training-*.npz")), 240)
    assert labelled.items() <= shards().items() and len(shards()) > len(labelled)
    assert not (tmp_path / "kept.onnx").exists()
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    alone = subprocess.run(line(tmp_path, "alone"), capture_output=True, check=False, text=True)
    assert alone.returncode == 0, alone.stderr
    assert (tmp_path / "kept.onnx").read_bytes() == (tmp_path / "alone.onnx").read_bytes()


@pytest.mark.slow
def test_a_cluster_gives_the_same_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'bilevel-lang[dask]'")
    monkeypatch.setattr(encoder_training, "STEPS", 60)
    given: dict[str, Any] = {"samples": 40, "layers": (4,)}
    local = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None, "host": "127.0.0.1"}
    with distributed.LocalCluster(**local) as running:
        nn = NnOptions(save_surrogate=tmp_path / "cluster.onnx", cluster=running.scheduler_address, **given)
        shared = bl.solve(shop(), LAWS, method="nn-embed", scenarios=5, nn=nn)
    nn = NnOptions(save_surrogate=tmp_path / "alone.onnx", **given)
    alone = bl.solve(shop(), LAWS, method="nn-embed", scenarios=5, nn=nn)
    assert shared.objective == alone.objective
    assert (tmp_path / "cluster.onnx").read_bytes() == (tmp_path / "alone.onnx").read_bytes()
