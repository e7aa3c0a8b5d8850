from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.onnx_files.metadata import OF_SETS, Metadata
from bilevel_lang.surrogate.scenario_encoder.network import ScenarioNetwork
from bilevel_lang.surrogate.scenario_encoder.writing import serialised_sets, write_scenario_network
from tests.surrogate.scenario_encoder.nets import a_set, random_network, scenario_network

METADATA = Metadata(
    "m", OF_SETS, ("a", "b"), (OF_SETS,), (0.0, 0.0), (1.0, 1.0), parameters=("p", "q"), least=(-1.0, -1.0), largest=(1.0, 1.0)
)
POINTS = np.random.default_rng(1).normal(size=(7, 2))


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
@pytest.mark.parametrize("count", [1, 30])
def test_another_runtime_computes_the_same_for_any_set(precision: str, tolerance: float, count: int) -> None:
    runtime = pytest.importorskip("onnxruntime")
    network = scenario_network()
    session = runtime.InferenceSession(serialised_sets(network, METADATA, precision))  # type: ignore[arg-type]
    values, shares = a_set(count)
    given = {"scenarios": values, "probabilities": shares[None, :], "decision": POINTS}
    (found,) = session.run(None, {name: array.astype(precision) for name, array in given.items()})
    truth = network.at(values, shares)(POINTS)
    assert found.shape == (7, 1)
    assert np.abs(found - truth).max() <= tolerance * max(1.0, np.abs(truth).max())


def test_a_network_that_forgets_the_decision_still_has_a_row_for_each() -> None:
    runtime = pytest.importorskip("onnxruntime")
    cost = random_network(6, (), 1, seed=0)
    cost.output.weights.data[:2] = 0.0
    network = ScenarioNetwork(random_network(2, (3,), 4, seed=1), cost)
    session = runtime.InferenceSession(serialised_sets(network, None))
    values, shares = a_set(4)
    (found,) = session.run(None, {"scenarios": values, "probabilities": shares[None, :], "decision": POINTS})
    assert np.allclose(found, network.at(values, shares)(POINTS))


def test_what_cannot_be_written(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(ValueError, match="metadata name 2 decisions, and the network has 3"):
        cost = random_network(7, (2,), 1, seed=0)
        serialised_sets(ScenarioNetwork(random_network(2, (3,), 4, seed=1), cost), METADATA)
    with pytest.raises(UsageError):
        write_scenario_network(tmp_path / "no" / "such" / "folder.onnx", scenario_network(), METADATA)
