"""Networks kept and used again; what a file says is what the modeller has written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang import solve
from bilevel_lang.errors import OnnxFileError, RefusedError, UsageError
from bilevel_lang.reformulation.nn_embed import supplier
from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem, read_sampled
from bilevel_lang.reformulation.nn_embed.surrogate_files import fingerprint, read_surrogate, write_surrogate
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.surrogate.network import dense
from bilevel_lang.surrogate.onnx_files.reading import read_onnx
from bilevel_lang.surrogate.onnx_files.writing import write_onnx
from tests.reformulation.nn_embed.followers import arrays, continuous, resolved
from tests.reformulation.nn_embed.test_program import VALUE
from tests.reformulation.nn_embed.test_reading import pricing

EXACT = Fitted("cuts", (), VALUE, 0.0, 0.0, 0.0)


def read(made: tuple[Any, str]) -> SampledProblem:
    found = read_sampled(resolved(made))
    assert not isinstance(found, Refusal)
    return found


def maximising() -> tuple[Any, str]:
    """The same follower, written as max 10 + 2 x - y."""
    m, _ = continuous()
    m.inner.deactivate()
    m.best = pyo.Objective(expr=10 + 2 * m.x - m.y, sense=pyo.maximize)
    m.best.deactivate()
    return m, "bilevel x\nmax best y e1 e2\n"


def test_a_file_holds_the_objective_as_it_was_written(tmp_path: Path) -> None:
    problem = read(maximising())
    _, _, domain = arrays(maximising())
    write_surrogate(tmp_path / "v.onnx", EXACT, "value", problem, domain, "hash")
    points = np.linspace(0, 4.5, 10)[:, None]
    written = read_onnx(tmp_path / "v.onnx").network(points)[:, 0]
    # The follower's own value: 10 + 2 x - max(3 - x, x - 1).
    assert np.allclose(written, 10 + 2 * points[:, 0] - np.maximum(3 - points[:, 0], points[:, 0] - 1), atol=1e-9)
    given = read_surrogate(tmp_path / "v.onnx", problem, domain, "auto")
    assert given.target == "value" and given.said == ()
    assert np.allclose(given.fitted.network(points), VALUE(points), atol=1e-9)


def test_saved_and_used_again_without_sampling(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    solve(*continuous(), method="nn-embed", nn=NnOptions(samples=30, save_surrogate=path))
    found = solve(*continuous(), method="nn-embed", nn=NnOptions(surrogate=path))
    assert found.verified and found.objective == pytest.approx(-12.0, abs=1e-4)
    assert found.surrogate is not None and found.surrogate["kind"] == "onnx" and found.surrogate["samples"] <= 2


@pytest.mark.parametrize(("idle", "said"), [({"samples": 30}, "nothing is sampled"), ({"search": 4, "refine": 1}, "`search`")])
def test_what_would_do_nothing_beside_a_network_is_refused(tmp_path: Path, idle: dict[str, Any], said: str) -> None:
    path = tmp_path / "v.onnx"
    _, _, domain = arrays(continuous())
    write_surrogate(path, EXACT, "value", read(continuous()), domain, "")
    with pytest.raises(UsageError, match=said):
        solve(*continuous(), method="nn-embed", nn=NnOptions(surrogate=path, **idle))
    assert solve(*continuous(), method="nn-embed", nn=NnOptions(surrogate=path, samples=30, refine=1)).verified


def test_a_foreign_network_by_the_order_of_its_inputs(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    # max(3 - x, x - 1) = 3 - x + relu(2 x - 4), as a plain network of two ReLUs that knows nothing of the model.
    write_onnx(path, dense([np.array([[2.0], [1.0]]), np.array([[1.0, -1.0]])], [np.array([-4.0, 0.0]), np.array([3.0])]))
    found = solve(*continuous(), method="nn-embed", nn=NnOptions(surrogate=path, target="value"))
    assert found.verified and found.objective == pytest.approx(-12.0, abs=1e-4)


def test_another_problem_and_a_smaller_box_are_said(tmp_path: Path) -> None:
    problem, (_, _, domain) = read(continuous()), arrays(continuous())
    write_surrogate(tmp_path / "v.onnx", EXACT, "value", problem, domain, "")
    m, info = continuous()
    m.cap.set_value(m.x + m.y <= 9)
    changed, (_, _, wider) = read((m, info)), arrays((m, info))
    assert fingerprint(changed) != fingerprint(problem)
    said = read_surrogate(tmp_path / "v.onnx", changed, wider, "auto").said
    assert len(said) == 2 and "another problem" in said[0] and "smaller box" in said[1]


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "wide.onnx"
    write_onnx(path, dense([np.ones((2, 1))], [np.zeros(2)]))
    with pytest.raises(OnnxFileError, match="outputs"):
        solve(*continuous(), method="nn-embed", nn=NnOptions(surrogate=path, target="value"))
    m, _ = continuous()
    m.z = pyo.Var(bounds=(0, 1))
    m.inner.set_value(m.y + m.z)
    made = (m, "bilevel x z\nmin inner y e1 e2\n")
    problem, (_, _, domain) = read(made), arrays(made)
    with pytest.raises(RefusedError, match="`z`"):
        write_surrogate(path, EXACT, "value", problem, domain, "")


def test_what_the_leader_gets_from_prices_is_kept_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplier, "STEPS", 200)
    path = tmp_path / "revenue.onnx"
    options = NnOptions(samples=200, layers=(8,), save_surrogate=path)
    first = solve(*pricing(), method="nn-embed", nn=options)
    # The revenue of max p y is 3 p up to the price of 5, where all is bought: a maximum, not its negative.
    low = np.array([[1.0], [2.0], [4.0]])
    assert np.allclose(read_onnx(path).network(low)[:, 0], 3 * low[:, 0], atol=2.0)
    again = solve(*pricing(), method="nn-embed", nn=NnOptions(surrogate=path))
    assert again.verified and again.surrogate is not None and again.surrogate["kind"] == "onnx"
    assert first.objective is not None and again.objective is not None and again.objective > 0.0
    assert not any("another problem" in said for said in again.messages)
    dearer, text = pricing()
    dearer.loss.set_value((dearer.p - 6) * dearer.y)
    assert any(
        "another problem" in said for said in solve(dearer, text, method="nn-embed", nn=NnOptions(surrogate=path)).messages
    )


def test_a_value_is_no_use_where_the_leader_is_not_linear(tmp_path: Path) -> None:
    path = tmp_path / "v.onnx"
    _, _, domain = arrays(continuous())
    write_surrogate(path, EXACT, "value", read(continuous()), replace(domain, names=("p",)), "")
    with pytest.raises(OnnxFileError, match="needs linear functions"):
        solve(*pricing(), method="nn-embed", nn=NnOptions(surrogate=path))


def test_an_answer_without_a_network_is_not_lost_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplier, "LEAST_SAMPLES", 10**6)
    path = tmp_path / "net.onnx"
    answer = solve(*continuous(), method="nn-embed", nn=NnOptions(samples=30, save_surrogate=path))
    assert answer.verified
    assert any(f"no network to keep in {path}" in said for said in answer.messages)
    assert not path.exists()


def test_where_a_network_cannot_be_kept_nothing_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bilevel_lang.reformulation.nn_embed.method.Rounds", None)
    with pytest.raises(UsageError, match="there is no folder"):
        solve(*continuous(), method="nn-embed", nn=NnOptions(save_surrogate=tmp_path / "none" / "net.onnx"))


def test_what_cannot_be_a_folder_is_told_before_anything_is_sampled(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(UsageError, match="cannot be a folder"):
        solve(*continuous(), method="nn-embed", nn=NnOptions(samples=10, folder=tmp_path / "file"))
